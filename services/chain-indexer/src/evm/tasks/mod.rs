//! Background work: following tokens, and watching how it goes.

pub mod follow;
pub mod observe;
mod read;
mod said;
