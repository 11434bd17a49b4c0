//! Background work.

pub mod audit;
pub mod close_epochs;
