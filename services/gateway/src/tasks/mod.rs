//! Level-triggered background work.

pub mod count_nodes;
pub mod forget_buckets;
pub mod sweep;
