//! What a customer or operator keeps: a leaf with its proof. With the anchor, read from the chain by whatever means
//! the keeper trusts, it proves the leaf offline.

use serde::{Deserialize, Serialize};

use super::{
    anchor::Anchor,
    leaf::{Leaf, LeafError},
    proof::{Proof, ProofError},
};

/// A leaf and its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The byte form of the leaf, in hexadecimal digits.
    #[serde(with = "hex")]
    pub leaf: Vec<u8>,
    pub proof: Proof,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("the leaf of the receipt is invalid")]
    Leaf(#[source] LeafError),
    #[error(
        "the leaf is of epoch {leaf}, the anchor of epoch {anchor}; use the anchor of the leaf's epoch"
    )]
    OtherEpoch { leaf: u64, anchor: u64 },
    #[error("the proof of the receipt fails")]
    Proof(#[source] ProofError),
}

impl Receipt {
    /// Checks the receipt against an anchor and returns what the leaf says.
    pub fn verify(&self, anchor: &Anchor) -> Result<Leaf, ReceiptError> {
        let leaf = Leaf::decode(&self.leaf).map_err(ReceiptError::Leaf)?;
        if leaf.epoch() != anchor.epoch {
            return Err(ReceiptError::OtherEpoch {
                leaf: leaf.epoch().0,
                anchor: anchor.epoch.0,
            });
        }
        self.proof
            .verify(&self.leaf, &anchor.head())
            .map_err(ReceiptError::Proof)?;
        Ok(leaf)
    }
}
