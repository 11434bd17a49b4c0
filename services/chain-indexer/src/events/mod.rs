//! What the indexer announces.

pub mod announce;
