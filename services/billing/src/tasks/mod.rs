//! Background work.

pub mod ask_rates;
pub mod audit;
pub mod close_epochs;
