//! Background work.

pub mod count;
pub mod hear;
pub mod keep_private;
pub mod place;
