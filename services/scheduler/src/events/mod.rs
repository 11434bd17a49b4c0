//! What this service announces, and what it makes of what others announce.

pub mod announce;
pub mod on_billing;
pub mod on_block;
pub mod on_instances_reported;
pub mod on_node_changed;
mod read;
