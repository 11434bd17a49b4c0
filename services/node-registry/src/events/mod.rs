//! What the registry announces, and what it makes of others' announcements.

pub mod announce;
pub mod on_desired_state;
pub mod on_fluxnode_changed;
