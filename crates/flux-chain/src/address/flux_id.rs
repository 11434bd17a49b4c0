//! The FluxID: a Bitcoin pay-to-public-key-hash address. Flux accounts are named by it, coins never go there.

use std::{fmt, str::FromStr};

use bitcoin::base58;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    hash::{Hash160, serde_as_text},
    key::PublicKey,
};

/// Version byte of Bitcoin's pay-to-public-key-hash addresses.
const VERSION: u8 = 0;

/// The id of a key that signs in or owns an app.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FluxId(Hash160);

impl FluxId {
    pub fn of_key(key: &PublicKey) -> Self {
        Self(key.id())
    }

    /// The id of the key, which is also the hash inside the Flux address of the same key.
    pub const fn key_id(&self) -> Hash160 {
        self.0
    }
}

impl fmt::Display for FluxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [VERSION; 21];
        let (_, hash) = bytes.split_at_mut(1);
        hash.copy_from_slice(self.0.as_wire());
        f.pad(&base58::encode_check(&bytes))
    }
}

impl fmt::Debug for FluxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no FluxID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a FluxID; a Bitcoin address starting with 1 is needed")]
pub struct ParseFluxIdError(String);

impl FromStr for FluxId {
    type Err = ParseFluxIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseFluxIdError(text.chars().take(64).collect());
        if text.len() > 64 {
            return Err(wrong());
        }
        let bytes = base58::decode_check(text).map_err(|_| wrong())?;
        match bytes.split_first() {
            Some((&VERSION, hash)) => {
                let hash = hash.try_into().map_err(|_| wrong())?;
                Ok(Self(Hash160::from_wire(hash)))
            }
            _ => Err(wrong()),
        }
    }
}

serde_as_text!(FluxId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flux_id_is_a_bitcoin_address() {
        let text = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2";
        let id: FluxId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        for wrong in ["3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "t1abc", ""] {
            assert!(wrong.parse::<FluxId>().is_err(), "{wrong}");
        }
    }
}
