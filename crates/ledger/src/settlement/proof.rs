//! Proof that a leaf is in a tree: the audit path of RFC 6962, section 2.1.1, with the position it is for.
//!
//! The compact form is `index` (4 bytes), `size` (4 bytes), both big-endian, then the hashes of the path, 32 bytes each,
//! from the leaf up. A leaf among a million needs 20 of them: 648 bytes, and less than 900 with the leaf.

use ct_merkle::{InclusionProof, InclusionVerifError as Failure, RootHash};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{hash::Hash32, tree::TreeHead};

/// The longest path: that of a tree of 2^32 leaves.
const LONGEST_PATH: usize = 32;

/// Proof that a leaf is at a position of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Position of the leaf, from 0.
    pub index: u32,
    /// Number of leaves of the tree.
    pub size: u32,
    /// Hashes of the subtrees beside the way from the leaf to the root, nearest first.
    pub path: Vec<Hash32>,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error(
        "the proof is for a tree of {proof} leaves, the anchored tree has {tree}; ask for a proof of this epoch"
    )]
    OtherSize { proof: u32, tree: u32 },
    #[error("the proof is for leaf {index} of {size}; there is no such leaf")]
    NoSuchLeaf { index: u32, size: u32 },
    #[error("the proof has {found} hashes, which is not the length of the path of its leaf")]
    PathLength { found: usize },
    #[error("leaf and path do not lead to the root; the leaf, the path or the root was altered")]
    OtherRoot,
}

/// Why bytes are no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes are no proof; a proof has 8 bytes and up to 32 hashes of 32 bytes")]
pub struct ProofLength(usize);

impl Proof {
    /// Checks that `leaf` is in the tree at the position the proof is for.
    pub fn verify(&self, leaf: &[u8], head: &TreeHead) -> Result<(), ProofError> {
        if self.size != head.count {
            return Err(ProofError::OtherSize {
                proof: self.size,
                tree: head.count,
            });
        }
        if self.index >= self.size {
            return Err(ProofError::NoSuchLeaf {
                index: self.index,
                size: self.size,
            });
        }
        let path_length = ProofError::PathLength {
            found: self.path.len(),
        };
        if self.path.len() > LONGEST_PATH {
            return Err(path_length);
        }
        let path = self.path.iter().flat_map(|hash| hash.0).collect();
        let path = InclusionProof::<Sha256>::try_from_bytes(path).map_err(|_| path_length)?;
        let root = RootHash::<Sha256>::new(head.root.0.into(), u64::from(head.count));
        root.verify_inclusion(&leaf, u64::from(self.index), &path)
            .map_err(|failure| match failure {
                Failure::MalformedProof => path_length,
                Failure::IndexOutOfRange | Failure::TreeEmpty | Failure::IncorrectHash => {
                    ProofError::OtherRoot
                }
            })
    }

    /// The compact form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.path.len());
        bytes.extend(self.index.to_be_bytes());
        bytes.extend(self.size.to_be_bytes());
        for hash in &self.path {
            bytes.extend(hash.0);
        }
        bytes
    }

    /// Reads the compact form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofLength> {
        let error = ProofLength(bytes.len());
        let (index, rest) = bytes.split_first_chunk().ok_or(error)?;
        let (size, rest) = rest.split_first_chunk().ok_or(error)?;
        let (hashes, odd) = rest.as_chunks::<32>();
        if !odd.is_empty() || hashes.len() > LONGEST_PATH {
            return Err(error);
        }
        Ok(Self {
            index: u32::from_be_bytes(*index),
            size: u32::from_be_bytes(*size),
            path: hashes.iter().map(|hash| Hash32(*hash)).collect(),
        })
    }
}
