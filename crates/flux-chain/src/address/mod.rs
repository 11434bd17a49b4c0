//! Transparent addresses of every Flux network, and the id a Flux user signs in with.
//!
//! A Flux address has a prefix of two bytes; a [`FluxId`] is a Bitcoin address (one byte, zero) of the same key.

mod flux_id;

use std::{fmt, str::FromStr};

use bitcoin::base58;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use flux_id::{FluxId, ParseFluxIdError};

use crate::{
    hash::{Hash160, serde_as_text},
    key::PublicKey,
    script::{self, Destination, Script, ScriptBuf, ScriptKind},
};

/// Networks that share address prefixes. Test and regtest use the same ones (fluxd `src/chainparams.cpp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressSpace {
    Main,
    Test,
}

impl AddressSpace {
    const ALL: [Self; 2] = [Self::Main, Self::Test];

    /// Prefix of addresses that pay to a key: `t1`, `tm`.
    pub const fn key_prefix(self) -> [u8; 2] {
        match self {
            Self::Main => [0x1c, 0xb8],
            Self::Test => [0x1d, 0x25],
        }
    }

    /// Prefix of addresses that pay to a script: `t3`, `t2`.
    pub const fn script_prefix(self) -> [u8; 2] {
        match self {
            Self::Main => [0x1c, 0xbd],
            Self::Test => [0x1c, 0xba],
        }
    }

    /// Prefix of exported private keys.
    pub const fn wif_prefix(self) -> u8 {
        match self {
            Self::Main => 0x80,
            Self::Test => 0xef,
        }
    }
}

impl fmt::Display for AddressSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Main => "main",
            Self::Test => "test and regtest",
        })
    }
}

/// Who receives: a key or a script, on the networks of a space.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    pub space: AddressSpace,
    pub kind: AddressKind,
    pub hash: Hash160,
}

/// What the hash of an address is the hash of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressKind {
    PublicKey,
    Script,
}

impl Address {
    /// The address of a public key.
    pub fn of_key(key: &PublicKey, space: AddressSpace) -> Self {
        Self::of_destination(Destination::Key(key.id()), space)
    }

    /// The address of a redeem script.
    pub fn of_redeem_script(redeem: Script<'_>, space: AddressSpace) -> Self {
        Self::of_destination(Destination::Script(redeem.id()), space)
    }

    pub const fn of_destination(destination: Destination, space: AddressSpace) -> Self {
        let (kind, hash) = match destination {
            Destination::Key(hash) => (AddressKind::PublicKey, hash),
            Destination::Script(hash) => (AddressKind::Script, hash),
        };
        Self { space, kind, hash }
    }

    /// The address an output pays to, where it pays to exactly one.
    pub fn of_script(script: Script<'_>, space: AddressSpace) -> Option<Self> {
        Some(Self::of_destination(script.destination()?, space))
    }

    /// All addresses fluxd lists for an output: one, or the keys of a bare multisig.
    pub fn all_of_script(script: Script<'_>, space: AddressSpace) -> Vec<Self> {
        match script.kind() {
            ScriptKind::Multisig(multisig) => multisig
                .public_keys()
                .map(|key| Self::of_key(&key, space))
                .collect(),
            ScriptKind::PubKey(_)
            | ScriptKind::PubKeyHash(_)
            | ScriptKind::ScriptHash(_)
            | ScriptKind::NullData(_)
            | ScriptKind::NonStandard => Self::of_script(script, space).into_iter().collect(),
        }
    }

    /// The script an output must carry to pay this address.
    pub fn script(&self) -> ScriptBuf {
        match self.kind {
            AddressKind::PublicKey => script::p2pkh(&self.hash),
            AddressKind::Script => script::p2sh(&self.hash),
        }
    }

    const fn prefix(space: AddressSpace, kind: AddressKind) -> [u8; 2] {
        match kind {
            AddressKind::PublicKey => space.key_prefix(),
            AddressKind::Script => space.script_prefix(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = Self::prefix(self.space, self.kind);
        let mut bytes = [0; 22];
        let (prefix, hash) = bytes.split_at_mut(2);
        prefix.copy_from_slice(&[first, second]);
        hash.copy_from_slice(self.hash.as_wire());
        f.pad(&base58::encode_check(&bytes))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no transparent Flux address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseAddressError {
    #[error("`{0}` is not base58 with a valid checksum; check for a typing error")]
    Checksum(String),
    #[error("`{text}` has {length} bytes; a transparent Flux address has 22")]
    Length { text: String, length: usize },
    #[error(
        "`{text}` starts with the prefix {prefix}; addresses start with t1 or t3 (main), tm or t2 (test)"
    )]
    Prefix { text: String, prefix: String },
    #[error("`{text}` is an address of {found}; an address of {expected} is needed")]
    WrongNetwork {
        text: String,
        found: AddressSpace,
        expected: AddressSpace,
    },
}

impl Address {
    /// Reads an address that must belong to `space`.
    pub fn parse_in(text: &str, space: AddressSpace) -> Result<Self, ParseAddressError> {
        let address: Self = text.parse()?;
        if address.space == space {
            return Ok(address);
        }
        Err(ParseAddressError::WrongNetwork {
            text: text.to_owned(),
            found: address.space,
            expected: space,
        })
    }
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The longest address has 36 characters; base58 takes time quadratic in its input.
        let bytes = Some(text)
            .filter(|text| text.len() <= 64)
            .and_then(|text| base58::decode_check(text).ok())
            .ok_or_else(|| ParseAddressError::Checksum(text.chars().take(64).collect()))?;
        let Some(([first, second], hash)) = bytes
            .split_first_chunk::<2>()
            .and_then(|(prefix, hash)| Some((*prefix, <[u8; 20]>::try_from(hash).ok()?)))
        else {
            return Err(ParseAddressError::Length {
                text: text.to_owned(),
                length: bytes.len(),
            });
        };
        for space in AddressSpace::ALL {
            for kind in [AddressKind::PublicKey, AddressKind::Script] {
                if Self::prefix(space, kind) == [first, second] {
                    let hash = Hash160::from_wire(hash);
                    return Ok(Self { space, kind, hash });
                }
            }
        }
        Err(ParseAddressError::Prefix {
            text: text.to_owned(),
            prefix: format!("{first:02x}{second:02x}"),
        })
    }
}

serde_as_text!(Address);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_network_has_its_letters() {
        let hash = Hash160::from_wire([0x55; 20]);
        for (space, kind, letters) in [
            (AddressSpace::Main, AddressKind::PublicKey, "t1"),
            (AddressSpace::Main, AddressKind::Script, "t3"),
            (AddressSpace::Test, AddressKind::PublicKey, "tm"),
            (AddressSpace::Test, AddressKind::Script, "t2"),
        ] {
            let address = Address { space, kind, hash };
            assert!(address.to_string().starts_with(letters), "{address}");
        }
    }

    #[test]
    fn the_dev_fund_pays_to_its_published_script() {
        let address: Address = "t3hPu1YDeGUCp8m7BQCnnNUmRMJBa5RadyA".parse().unwrap();
        assert_eq!(
            hex::encode(&*address.script()),
            "a914fa742817c4a665fccc70ce4cb40bdb71ba345db787"
        );
    }

    #[test]
    fn a_wrong_address_says_what_is_wrong() {
        let bitcoin = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2";
        assert!(matches!(
            bitcoin.parse::<Address>(),
            Err(ParseAddressError::Length { length: 21, .. })
        ));
        assert!(matches!(
            "t3hPu1YDeGUCp8m7BQCnnNUmRMJBa5RadyB".parse::<Address>(),
            Err(ParseAddressError::Checksum(_))
        ));
        assert!(matches!(
            Address::parse_in("t3hPu1YDeGUCp8m7BQCnnNUmRMJBa5RadyA", AddressSpace::Test),
            Err(ParseAddressError::WrongNetwork { .. })
        ));
        assert!("t".repeat(1_000_000).parse::<Address>().is_err());
    }

    proptest! {
        #[test]
        fn text_leads_back(hash: [u8; 20], main: bool, key: bool) {
            let address = Address {
                space: if main { AddressSpace::Main } else { AddressSpace::Test },
                kind: if key { AddressKind::PublicKey } else { AddressKind::Script },
                hash: Hash160::from_wire(hash),
            };
            prop_assert_eq!(address.to_string().parse(), Ok(address));
            prop_assert_eq!(Address::of_script(address.script().as_script(), address.space), Some(address));
        }

        #[test]
        fn no_text_upsets_the_parser(text in ".{0,80}") {
            prop_assert!(text.parse::<Address>().is_err());
            prop_assert!(text.parse::<FluxId>().is_err());
        }
    }
}
