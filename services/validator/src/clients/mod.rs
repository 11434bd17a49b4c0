//! Billing and the chain's daemon, as far as this service needs them.

pub mod billing;
pub mod daemon;
