//! What goes on a chain: 49 bytes, small enough for one `OP_RETURN` output.
//!
//! ```text
//!  0   4  "FXP1"
//!  4   1  version, 1
//!  5   8  epoch, from 1, big-endian
//! 13  32  root of the tree
//! 45   4  number of leaves, the header included, big-endian
//! ```

use fluxplane_core::id::EpochNumber;
use serde::{Deserialize, Serialize};

use super::{hash::Hash32, tree::TreeHead};

const MAGIC: [u8; 4] = *b"FXP1";
const VERSION: u8 = 1;

/// The commitment to one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Anchor {
    pub epoch: EpochNumber,
    pub root: Hash32,
    /// Number of leaves, the header included.
    pub count: u32,
}

/// Why bytes are no anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    #[error("the payload has {0} bytes, an anchor has 49")]
    Length(usize),
    #[error("the payload does not begin with FXP1; it is no anchor")]
    Magic,
    #[error("the anchor has version {0}, known is version 1; use a newer verifier")]
    Version(u8),
    #[error("the anchor is for epoch 0; epochs count from 1")]
    EpochZero,
    #[error("the anchor counts no leaves; every epoch has a header")]
    NoLeaves,
}

impl Anchor {
    /// Length of the payload.
    pub const BYTES: usize = 49;

    pub const fn head(&self) -> TreeHead {
        TreeHead {
            root: self.root,
            count: self.count,
        }
    }

    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5..13].copy_from_slice(&self.epoch.0.to_be_bytes());
        bytes[13..45].copy_from_slice(&self.root.0);
        bytes[45..].copy_from_slice(&self.count.to_be_bytes());
        bytes
    }

    pub fn decode(payload: &[u8]) -> Result<Self, AnchorError> {
        // A foreign payload is told apart from a damaged one first: the chain is full of the former.
        if !payload.starts_with(&MAGIC) {
            return Err(AnchorError::Magic);
        }
        let length = AnchorError::Length(payload.len());
        let bytes: &[u8; Self::BYTES] = payload.try_into().map_err(|_| length)?;
        let (_, rest) = bytes.split_first_chunk::<4>().ok_or(length)?;
        let ([version], rest) = rest.split_first_chunk::<1>().ok_or(length)?;
        if *version != VERSION {
            return Err(AnchorError::Version(*version));
        }
        let (epoch, rest) = rest.split_first_chunk::<8>().ok_or(length)?;
        let (root, rest) = rest.split_first_chunk::<32>().ok_or(length)?;
        let (count, _) = rest.split_first_chunk::<4>().ok_or(length)?;
        let anchor = Self {
            epoch: EpochNumber(u64::from_be_bytes(*epoch)),
            root: Hash32(*root),
            count: u32::from_be_bytes(*count),
        };
        if anchor.epoch.0 == 0 {
            return Err(AnchorError::EpochZero);
        }
        if anchor.count == 0 {
            return Err(AnchorError::NoLeaves);
        }
        Ok(anchor)
    }
}
