//! Content hash and signature.
//!
//! The owner signs the version and the hash of the canonical form, 76 characters of printable ASCII, so both wallet schemes
//! sign the same text without any of their quirks. The text carries no time: who takes signed documents must guard against
//! repeats by revision.

use sha2::{Digest as _, Sha256};

use super::{SCHEMA, model::NativeSpec};
use crate::message::{Scheme, SignatureError, check_canonical, verifies};

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error("the signature is not in its canonical form")]
    Form(#[source] SignatureError),
    #[error(
        "the owner did not sign this content; sign the text of `fluxctl spec hash` with the owner's wallet"
    )]
    NotTheOwner,
}

/// The lower-case hexadecimal SHA-256 of a canonical text.
pub fn content_hash(canonical: &str) -> String {
    hex::encode(Sha256::digest(canonical.as_bytes()))
}

/// The text that an owner signs for a content hash.
pub fn signed_text(hash: &str) -> String {
    format!("{SCHEMA}{hash}")
}

impl NativeSpec {
    /// The content hash of the canonical form.
    pub fn hash(&self) -> String {
        content_hash(&self.canonical())
    }

    /// The text that the owner signs.
    pub fn signed_text(&self) -> String {
        signed_text(&self.hash())
    }

    /// Verifies the owner's signature: Ethereum's scheme for a 0x address, Bitcoin's for everybody else.
    ///
    /// # Errors
    /// When the signature has another form than the one that new submissions must have, or is not the owner's.
    pub fn verify(&self, signature: &str) -> Result<(), SignError> {
        check_canonical(&self.owner, signature).map_err(SignError::Form)?;
        if verifies(&self.signed_text(), &self.owner, signature, Scheme::ByOwner) {
            Ok(())
        } else {
            Err(SignError::NotTheOwner)
        }
    }
}
