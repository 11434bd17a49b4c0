//! Other services, as far as this one needs them.

pub mod chain;
pub mod scheduler;
