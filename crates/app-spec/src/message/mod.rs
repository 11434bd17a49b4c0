//! Application messages: what is signed, how it is hashed, and whose signature counts
//! (`ZelBack/src/services/appMessaging/messageVerifier.js`).
//!
//! The hash goes on the chain and pays for the application, so both text and hash must be FluxOS' to the byte: they
//! contain the specification *as submitted after the formatter*, not as re-ordered by anybody. Two key orders of
//! former releases must still verify, see [`historic_order`].

mod authority;
mod bitcoin;
mod ethereum;
mod history;
mod signature;

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

pub use authority::{
    Authority, EXTENDERS, MessageError, SealedExtension, Signer, Verified, is_marketplace_name,
    support_team_at,
};
pub(crate) use bitcoin::{is_flux_id, is_public_key};
pub(crate) use ethereum::{
    checksummed as checksummed_owner, is_checksummed as is_checksummed_owner,
};
pub use history::historic_order;
pub use signature::{Scheme, SignatureError, check_canonical, recover_signer, verifies};

use crate::json::{Value, stringify};

/// The message version that FluxOS uses.
pub const MESSAGE_VERSION: u32 = 1;

/// What a message does. The old names are still valid and part of the signed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    FluxAppRegister,
    FluxAppUpdate,
    ZelAppRegister,
    ZelAppUpdate,
}

impl MessageType {
    pub const ALL: [Self; 4] = [
        Self::FluxAppRegister,
        Self::FluxAppUpdate,
        Self::ZelAppRegister,
        Self::ZelAppUpdate,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::FluxAppRegister => "fluxappregister",
            Self::FluxAppUpdate => "fluxappupdate",
            Self::ZelAppRegister => "zelappregister",
            Self::ZelAppUpdate => "zelappupdate",
        }
    }

    pub const fn is_update(self) -> bool {
        matches!(self, Self::FluxAppUpdate | Self::ZelAppUpdate)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no message type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no message type; use fluxappregister, fluxappupdate, zelappregister or zelappupdate"
)]
pub struct UnknownMessageType(pub String);

impl FromStr for MessageType {
    type Err = UnknownMessageType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| UnknownMessageType(text.to_owned()))
    }
}

/// A message of an owner.
#[derive(Debug, Clone, PartialEq)]
pub struct AppMessage {
    pub kind: MessageType,
    pub version: u32,
    /// The specification in the key order that was signed.
    pub spec: Value,
    /// Milliseconds since 1970.
    pub timestamp: u64,
    /// Base64 (Bitcoin scheme) or hexadecimal with 0x (Ethereum scheme).
    pub signature: String,
}

impl AppMessage {
    /// The text that the owner signs.
    pub fn signed_text(&self) -> String {
        self.text_of(&self.spec)
    }

    fn text_of(&self, spec: &Value) -> String {
        let spec = stringify(spec);
        signed_text(self.kind, self.version, &spec, self.timestamp)
    }

    /// The text in the key order of former releases, where there was another.
    pub fn historic_text(&self) -> Option<String> {
        historic_order(&self.spec).map(|spec| self.text_of(&spec))
    }

    /// The hash of the message as given.
    pub fn hash(&self) -> String {
        message_hash(&self.signed_text(), &self.signature)
    }

    /// Whether `hash` is the hash of this message, in today's key order or the historic one (`verifyAppHash`).
    pub fn has_hash(&self, hash: &str) -> bool {
        let is_hash = |text: String| message_hash(&text, &self.signature) == hash;
        is_hash(self.signed_text()) || self.historic_text().is_some_and(is_hash)
    }
}

/// `type + version + JSON + timestamp`.
pub fn signed_text(kind: MessageType, version: u32, spec_json: &str, timestamp: u64) -> String {
    format!("{kind}{version}{spec_json}{timestamp}")
}

/// The lower-case hexadecimal SHA-256 of text and signature: 64 characters that go into an `OP_RETURN`.
pub fn message_hash(signed_text: &str, signature: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(signed_text.as_bytes());
    hasher.update(signature.as_bytes());
    hex::encode(hasher.finalize())
}

/// A message outside the time in which a node takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    #[error(
        "Message timestamp is over 1 hour old, not valid. Check if your computer clock is synced and restart the registration process."
    )]
    TooOld,
    #[error(
        "Message timestamp from future, not valid. Check if your computer clock is synced and restart the registration process."
    )]
    FromFuture,
}

/// Checks that a submitted message is at most one hour old and five minutes early (`registerAppGlobalyApi`).
///
/// # Errors
/// With FluxOS' text.
pub fn check_age(timestamp: u64, now: u64) -> Result<(), AgeError> {
    const MAX_AGE_MS: u64 = 3_600_000;
    const MAX_AHEAD_MS: u64 = 300_000;
    if timestamp.saturating_add(MAX_AGE_MS) < now {
        Err(AgeError::TooOld)
    } else if timestamp > now.saturating_add(MAX_AHEAD_MS) {
        Err(AgeError::FromFuture)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_for_an_hour() {
        let now = 1_700_000_000_000;
        assert_eq!(check_age(now - 3_600_000, now), Ok(()));
        assert_eq!(check_age(now - 3_600_001, now), Err(AgeError::TooOld));
        assert_eq!(check_age(now + 300_000, now), Ok(()));
        assert_eq!(check_age(now + 300_001, now), Err(AgeError::FromFuture));
        assert_eq!(check_age(u64::MAX, now), Err(AgeError::FromFuture));
        assert_eq!(check_age(0, u64::MAX), Err(AgeError::TooOld));
    }

    #[test]
    fn names_of_types_read_back() {
        for kind in MessageType::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("fluxapprunning".parse::<MessageType>().is_err());
    }
}
