//! Whom billing asks.

pub mod rate_source;
pub mod scheduler;
