//! What the validator announces, and what it makes of billing's announcements.

pub mod announce;
pub mod on_epoch_closed;
