//! Decisions about money and time. Pure: no I/O, no clock, no randomness.

pub mod app;
pub mod epoch;
pub mod funding;
pub mod payment;
pub mod posting;
pub mod price_list;
pub mod quote;
pub mod rate;
pub mod sets;
pub mod settlement;
pub mod signed;
pub mod spec;
pub mod term;
pub mod usage;
