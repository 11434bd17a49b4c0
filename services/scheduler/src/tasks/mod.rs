//! Background work.

pub mod count;
pub mod hear;
pub mod place;
