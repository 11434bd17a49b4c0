//! Background work beside sessions and instances.

pub mod meter;
pub mod renewal;
pub mod snapshot;
pub mod stats;
