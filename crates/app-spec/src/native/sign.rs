//! Content hash and signature.
//!
//! The owner signs the version and the hash of the canonical form, 76 characters of printable ASCII, so both wallet schemes
//! sign the same text without any of their quirks. That text carries no time and says not what shall be done, so a document
//! that is *deployed* is signed as a message: kind, version, the same 76 characters, and the moment.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

use super::{SCHEMA, model::NativeSpec};
use crate::message::{MESSAGE_VERSION, Scheme, SignatureError, check_canonical, verifies};

/// What the message about a document does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    Register,
    Update,
}

impl MessageKind {
    pub const ALL: [Self; 2] = [Self::Register, Self::Update];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "fluxplaneregister",
            Self::Update => "fluxplaneupdate",
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no kind of message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no message about a native specification; use fluxplaneregister or fluxplaneupdate"
)]
pub struct UnknownMessageKind(pub String);

impl FromStr for MessageKind {
    type Err = UnknownMessageKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == text);
        kind.ok_or_else(|| UnknownMessageKind(text.to_owned()))
    }
}

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

/// The text that an owner signs to have a document deployed: kind, message version, [`signed_text`], milliseconds since 1970.
pub fn message_text(kind: MessageKind, hash: &str, timestamp: u64) -> String {
    format!("{kind}{MESSAGE_VERSION}{}{timestamp}", signed_text(hash))
}

/// Verifies that `signer` signed a message text, in Ethereum's scheme for a 0x address and in Bitcoin's for everybody else.
///
/// # Errors
/// When the signature has another form than the one that new submissions must have, or is not the signer's.
pub fn verify_message(text: &str, signer: &str, signature: &str) -> Result<(), SignError> {
    check_canonical(signer, signature).map_err(SignError::Form)?;
    if verifies(text, signer, signature, Scheme::ByOwner) {
        Ok(())
    } else {
        Err(SignError::NotTheOwner)
    }
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
        verify_message(&self.signed_text(), &self.owner, signature)
    }
}
