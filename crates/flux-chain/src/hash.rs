//! Digests. A [`Hash256`] holds wire bytes and prints them reversed, as every Flux tool shows block and transaction ids.
//!
//! Its order is the order of the wire bytes: fluxd compares outpoints with `memcmp` (`src/uint256.h`), and the payment
//! queue of the fluxnodes rests on that order.

use std::{fmt, str::FromStr};

use bitcoin::hashes::{Hash as _, HashEngine as _, hash160, sha256};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::encode::Sink;

/// 32 bytes as they stand on the wire: a block hash, a transaction id, a root.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash256([u8; 32]);

impl Hash256 {
    /// All zeros: the parent of the genesis block, the outpoint of a coinbase.
    pub const ZERO: Self = Self([0; 32]);

    /// Takes bytes in wire order.
    pub const fn from_wire(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes in wire order.
    pub const fn as_wire(&self) -> &[u8; 32] {
        &self.0
    }

    /// Double SHA-256, the hash of blocks and transactions.
    pub fn sha256d(data: &[u8]) -> Self {
        let once = sha256::Hash::hash(data);
        Self(sha256::Hash::hash(once.as_byte_array()).to_byte_array())
    }
}

impl fmt::Display for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reversed = self.0;
        reversed.reverse();
        f.write_str(&hex::encode(reversed))
    }
}

impl fmt::Debug for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a hash of the wanted width.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a hash: {digits} hexadecimal digits are needed")]
pub struct ParseHashError {
    text: String,
    digits: usize,
}

impl FromStr for Hash256 {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseHashError {
            text: text.to_owned(),
            digits: 64,
        })?;
        bytes.reverse();
        Ok(Self(bytes))
    }
}

/// RIPEMD-160 of SHA-256: the id of a public key or of a script. Printed in wire order.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash160([u8; 20]);

impl Hash160 {
    pub const fn from_wire(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    pub const fn as_wire(&self) -> &[u8; 20] {
        &self.0
    }

    /// The id of a serialised public key or script.
    pub fn of(data: &[u8]) -> Self {
        Self(hash160::Hash::hash(data).to_byte_array())
    }
}

impl fmt::Display for Hash160 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash160 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash160 {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 20];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseHashError {
            text: text.to_owned(),
            digits: 40,
        })?;
        Ok(Self(bytes))
    }
}

/// Double SHA-256 of a serialisation that is fed piece by piece, so that no buffer is needed.
#[derive(Clone, Default)]
pub struct Sha256d(sha256::HashEngine);

impl Sha256d {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn finish(self) -> Hash256 {
        let once = sha256::Hash::from_engine(self.0);
        Hash256(sha256::Hash::hash(once.as_byte_array()).to_byte_array())
    }
}

impl fmt::Debug for Sha256d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sha256d").finish_non_exhaustive()
    }
}

impl Sink for Sha256d {
    fn put(&mut self, bytes: &[u8]) {
        self.0.input(bytes);
    }
}

macro_rules! serde_as_text {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )+};
}

serde_as_text!(Hash256, Hash160);
pub(crate) use serde_as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_wire_reversed() {
        let mut wire = [0; 32];
        wire[0] = 0xab;
        let hash = Hash256::from_wire(wire);
        assert_eq!(hash.to_string(), format!("{}ab", "00".repeat(31)));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert!("ab".parse::<Hash256>().is_err());
    }

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut pieces = Sha256d::new();
        pieces.put(b"flux");
        pieces.put(b"plane");
        assert_eq!(pieces.finish(), Hash256::sha256d(b"fluxplane"));
    }

    #[test]
    fn order_is_that_of_the_wire() {
        let mut low = [0; 32];
        low[31] = 0xff;
        let mut high = [0; 32];
        high[0] = 1;
        assert!(Hash256::from_wire(low) < Hash256::from_wire(high));
    }
}
