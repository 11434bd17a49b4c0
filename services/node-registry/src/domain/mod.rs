//! Decisions about nodes. Pure: no I/O, no clock.

pub mod join;
pub mod liveness;
pub mod node;
pub mod signed;

pub use node::{Benchmark, Collateral, Node};
