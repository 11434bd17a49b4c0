//! Background work: following the chain, hearing of it, and watching how it goes.

mod begin;
pub mod catch_up;
pub mod follow;
pub mod heard;
pub mod listen;
mod look;
pub mod observe;
