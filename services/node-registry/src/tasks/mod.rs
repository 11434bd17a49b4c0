//! Background work.

pub mod count_nodes;
pub mod liveness;
pub mod push_desired;
