//! Names in leaves. Leaves are public and for ever; a name in them is replaced by a salted hash. Who knows name and
//! salt can show that the leaf is theirs; without the salt the name can be neither read nor guessed. Deleting the salt
//! forgets the person, not the money.
//!
//! ```text
//! commitment = SHA-256( "fluxplane/commitment/v1" ‖ role ‖ salt ‖ length ‖ name )
//!
//! role    1 byte    1 customer, 2 operator
//! salt    32 bytes  random, one per name and epoch, so that epochs cannot be linked
//! length  4 bytes   of the name in bytes, big-endian
//! name    UTF-8
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::hash::Hash32;
use crate::account::Party;

const DOMAIN: &[u8] = b"fluxplane/commitment/v1";

/// The secret part of a commitment. 32 bytes from a secure random source; not printed by `Debug`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(Hash32);

impl Salt {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Hash32(bytes))
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// Whose name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Customer,
    Operator,
}

/// A name that only who knows the salt can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Commitment(pub Hash32);

impl Commitment {
    pub fn new(role: Role, salt: &Salt, name: &Party) -> Self {
        let name = name.as_str().as_bytes();
        let length = u32::try_from(name.len()).expect("a party has at most 128 bytes");
        let role = match role {
            Role::Customer => 1,
            Role::Operator => 2,
        };
        let mut hasher = Sha256::new_with_prefix(DOMAIN);
        hasher.update([role]);
        hasher.update(salt.bytes());
        hasher.update(length.to_be_bytes());
        hasher.update(name);
        Self(Hash32(hasher.finalize().into()))
    }

    /// Whether this is the commitment to that name.
    pub fn opens_to(&self, role: Role, salt: &Salt, name: &Party) -> bool {
        *self == Self::new(role, salt, name)
    }
}
