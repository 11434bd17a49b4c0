//! Tenant keys, and what they seal.
//!
//! ```text
//! wrapped tenant key   "FXK" 1 | root version (4) | nonce (12) | key (32) | tag (16)
//! sealed value         "FXE" 1 | tenant key id (16) | nonce (12) | data key (32) | tag (16) | nonce (12) | text | tag (16)
//! ```
//!
//! Numbers are big-endian. Every part is authenticated together with all that precedes it and with the place it is for.

use ring::hmac;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    aead::{KEY, Key, OVERHEAD, Refused},
    entropy::{Entropy, NoEntropy},
    root::RootRing,
    row::{Row, put},
};

const WRAPPED: [u8; 4] = *b"FXK\x01";
const SEALED: [u8; 4] = *b"FXE\x01";

const WRAPPED_HEADER: usize = 8;
const SEALED_HEADER: usize = 20;

/// Why something does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("it is not in a format known here")]
    Format,
    #[error("it was wrapped with root key {0}, which the ring does not have")]
    NoRootKey(u32),
    #[error("it was sealed with another tenant key")]
    OtherKey,
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// The key of one owner of values.
#[derive(Debug, Clone)]
pub struct TenantKey {
    id: Uuid,
    key: Key,
}

impl TenantKey {
    pub fn generate(id: Uuid, entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let key = Key::random(entropy)?;
        Ok(Self { id, key })
    }

    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Wraps it with the ring's first key.
    pub fn wrap(
        &self,
        ring: &RootRing,
        tenant: &str,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, NoEntropy> {
        let (version, root) = ring.wrapping();
        let mut out = WRAPPED.to_vec();
        out.extend_from_slice(&version.to_be_bytes());
        let associated = place_of_key(&out, tenant, self.id);
        root.seal_into(&mut out, &associated, self.key.0.as_slice(), entropy)?;
        Ok(out)
    }

    pub fn unwrap(
        wrapped: &[u8],
        ring: &RootRing,
        tenant: &str,
        id: Uuid,
    ) -> Result<Self, OpenError> {
        let version = root_version_of(wrapped)?;
        let (header, body) = wrapped
            .split_at_checked(WRAPPED_HEADER)
            .ok_or(OpenError::Format)?;
        let root = ring.key(version).ok_or(OpenError::NoRootKey(version))?;
        let bytes = root.open(&place_of_key(header, tenant, id), body)?;
        let key = Key::from_slice(&bytes).ok_or(OpenError::Format)?;
        Ok(Self { id, key })
    }

    /// Seals a value for its place, with a data key of its own.
    pub fn seal(
        &self,
        row: &Row<'_>,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, NoEntropy> {
        let data_key = Key::random(entropy)?;
        let mut out = Vec::with_capacity(SEALED_HEADER + KEY + plaintext.len() + 2 * OVERHEAD);
        out.extend_from_slice(&SEALED);
        out.extend_from_slice(self.id.as_bytes());
        let associated = row.associated(DATA_KEY, &out);
        self.key
            .seal_into(&mut out, &associated, data_key.0.as_slice(), entropy)?;
        let associated = row.associated(VALUE, &out);
        data_key.seal_into(&mut out, &associated, plaintext, entropy)?;
        Ok(out)
    }

    /// Opens a value of a place.
    pub fn open(&self, row: &Row<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if key_of(sealed)? != self.id {
            return Err(OpenError::OtherKey);
        }
        let (head, value) = sealed
            .split_at_checked(SEALED_HEADER + KEY + OVERHEAD)
            .ok_or(OpenError::Format)?;
        let (header, data_key) = head
            .split_at_checked(SEALED_HEADER)
            .ok_or(OpenError::Format)?;
        let data_key = self.key.open(&row.associated(DATA_KEY, header), data_key)?;
        let data_key = Key::from_slice(&data_key).ok_or(OpenError::Format)?;
        Ok(data_key.open(&row.associated(VALUE, head), value)?)
    }

    /// Tells equal values from others without telling what they are: a keyed hash (HMAC-SHA-256), which nobody can try
    /// guesses on who does not have the key.
    pub fn fingerprint(&self, value: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.0.as_slice());
        let mut context = hmac::Context::with_key(&key);
        context.update(FINGERPRINT.as_bytes());
        context.update(value);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        bytes
    }
}

const TENANT_KEY: &str = "fluxplane-tenant-key:v1";
const DATA_KEY: &str = "fluxplane-data-key:v1";
const VALUE: &str = "fluxplane-value:v1";
const FINGERPRINT: &str = "fluxplane-fingerprint:v1";

fn place_of_key(header: &[u8], tenant: &str, id: Uuid) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in [TENANT_KEY.as_bytes(), header, tenant.as_bytes()] {
        put(&mut bytes, text);
    }
    bytes.extend_from_slice(id.as_bytes());
    bytes
}

/// The root key that wrapped a tenant key.
pub fn root_version_of(wrapped: &[u8]) -> Result<u32, OpenError> {
    let version = wrapped
        .strip_prefix(&WRAPPED)
        .and_then(<[u8]>::first_chunk::<4>);
    version
        .map(|bytes| u32::from_be_bytes(*bytes))
        .ok_or(OpenError::Format)
}

/// The tenant key that a value was sealed with.
pub fn key_of(sealed: &[u8]) -> Result<Uuid, OpenError> {
    let id = sealed
        .strip_prefix(&SEALED)
        .and_then(<[u8]>::first_chunk::<16>);
    id.map(|bytes| Uuid::from_bytes(*bytes))
        .ok_or(OpenError::Format)
}
