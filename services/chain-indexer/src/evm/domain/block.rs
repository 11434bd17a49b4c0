//! Blocks, as far as following a token needs them.

use std::fmt;

use alloy_primitives::B256;
use chrono::{DateTime, Utc};

/// A block by height and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef {
    pub height: u64,
    pub hash: B256,
}

impl fmt::Display for BlockRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.hash, self.height)
    }
}

/// What a node says of a block. The hash is the node's word: what it is made of differs from chain to chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub block: BlockRef,
    pub parent: B256,
    pub time: DateTime<Utc>,
}
