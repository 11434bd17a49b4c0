//! Keys. A [`PublicKey`] is what stands on the chain, bytes that may or may not be a point; a [`PrivateKey`] signs.

use std::{fmt, sync::LazyLock};

use bitcoin::{
    base58,
    secp256k1::{self, All, Message, Secp256k1, SecretKey, ecdsa},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    address::AddressSpace,
    hash::{Hash160, Hash256},
};

/// The curve's tables. Immutable, and the same for every key.
pub(crate) static CURVE: LazyLock<Secp256k1<All>> = LazyLock::new(Secp256k1::new);

/// A serialised public key of 33 or 65 bytes, or nothing: a P2SH fluxnode has no collateral key.
///
/// Only the length and the first byte are checked, as fluxd does (`src/pubkey.h`, `CPubKey::IsValid`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    length: u8,
    bytes: [u8; 65],
}

impl PublicKey {
    /// No key.
    pub const NONE: Self = Self {
        length: 0,
        bytes: [0; 65],
    };

    /// Takes bytes whose length is the one their first byte announces.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let announced = match bytes.first()? {
            2 | 3 => 33,
            4 | 6 | 7 => 65,
            _ => return None,
        };
        if bytes.len() != usize::from(announced) {
            return None;
        }
        let mut key = Self::NONE;
        key.length = announced;
        key.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(key)
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    pub const fn is_none(&self) -> bool {
        self.length == 0
    }

    pub const fn is_compressed(&self) -> bool {
        self.length == 33
    }

    /// The id an address of this key holds.
    pub fn id(&self) -> Hash160 {
        Hash160::of(self.as_bytes())
    }

    /// The point; `None` when the bytes are none on the curve.
    pub fn point(&self) -> Option<secp256k1::PublicKey> {
        secp256k1::PublicKey::from_slice(self.as_bytes()).ok()
    }

    /// Checks a DER signature over a 32-byte digest the way fluxd does (`CPubKey::Verify`): parsed leniently, and the
    /// larger of the two possible S values is as good as the smaller.
    pub fn verify_der(&self, digest: &Hash256, signature: &[u8]) -> bool {
        let (Some(point), Ok(mut signature)) =
            (self.point(), ecdsa::Signature::from_der_lax(signature))
        else {
            return false;
        };
        signature.normalize_s();
        let message = Message::from_digest(*digest.as_wire());
        CURVE.verify_ecdsa(&message, &signature, &point).is_ok()
    }

    /// Serialises a point, short or long.
    pub(crate) fn of_point(point: &secp256k1::PublicKey, compressed: bool) -> Self {
        let bytes = if compressed {
            Self::parse(&point.serialize())
        } else {
            Self::parse(&point.serialize_uncompressed())
        };
        bytes.expect("a serialised point announces its own length")
    }
}

impl Default for PublicKey {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a public key; 66 or 130 hexadecimal digits starting with 02, 03 or 04 are needed"
)]
pub struct ParsePublicKeyError(String);

impl std::str::FromStr for PublicKey {
    type Err = ParsePublicKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex::decode(text)
            .ok()
            .and_then(|bytes| Self::parse(&bytes))
            .ok_or_else(|| ParsePublicKeyError(text.to_owned()))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self::NONE);
        }
        text.parse().map_err(de::Error::custom)
    }
}

/// A key that signs. It remembers whether its public key is written short, because that decides the address.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey {
    secret: SecretKey,
    compressed: bool,
}

/// Why a text or bytes are no private key. Never shows the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    #[error("the text is not base58 with a valid checksum")]
    Checksum,
    #[error("a private key has 32 bytes, and one byte 01 more when its public key is compressed")]
    Length,
    #[error(
        "the key is for another network: its prefix is {found:#04x}, {expected:#04x} is needed"
    )]
    WrongNetwork { found: u8, expected: u8 },
    #[error("the number is zero or beyond the order of the curve")]
    OutOfRange,
}

impl PrivateKey {
    /// Takes a secret number, big-endian.
    pub fn from_bytes(bytes: &[u8; 32], compressed: bool) -> Result<Self, PrivateKeyError> {
        let secret = SecretKey::from_slice(bytes).map_err(|_| PrivateKeyError::OutOfRange)?;
        Ok(Self { secret, compressed })
    }

    /// Reads the wallet import format of a network.
    pub fn from_wif(text: &str, space: AddressSpace) -> Result<Self, PrivateKeyError> {
        // The longest key has 52 characters; base58 takes time quadratic in its input.
        let bytes = Some(text)
            .filter(|text| text.len() <= 64)
            .and_then(|text| base58::decode_check(text).ok())
            .ok_or(PrivateKeyError::Checksum)?;
        let (found, rest) = bytes.split_first().ok_or(PrivateKeyError::Length)?;
        let expected = space.wif_prefix();
        if *found != expected {
            return Err(PrivateKeyError::WrongNetwork {
                found: *found,
                expected,
            });
        }
        let (secret, compressed) = match rest.split_first_chunk::<32>() {
            Some((secret, [])) => (secret, false),
            Some((secret, [1])) => (secret, true),
            _ => return Err(PrivateKeyError::Length),
        };
        Self::from_bytes(secret, compressed)
    }

    /// The wallet import format. Whoever reads it owns the coins.
    pub fn to_wif(&self, space: AddressSpace) -> String {
        let mut bytes = vec![space.wif_prefix()];
        bytes.extend_from_slice(&self.secret.secret_bytes());
        if self.compressed {
            bytes.push(1);
        }
        base58::encode_check(&bytes)
    }

    pub fn public_key(&self) -> PublicKey {
        PublicKey::of_point(&self.secret.public_key(&CURVE), self.compressed)
    }

    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// A DER signature over a digest; deterministic (RFC 6979), small S.
    pub fn sign_der(&self, digest: &Hash256) -> Vec<u8> {
        let message = Message::from_digest(*digest.as_wire());
        let signature = CURVE.sign_ecdsa(&message, &self.secret);
        signature.serialize_der().to_vec()
    }

    pub(crate) const fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {})", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wif_belongs_to_one_network() {
        let key = PrivateKey::from_bytes(&[7; 32], true).unwrap();
        let text = key.to_wif(AddressSpace::Main);
        assert_eq!(PrivateKey::from_wif(&text, AddressSpace::Main), Ok(key));
        assert_eq!(
            PrivateKey::from_wif(&text, AddressSpace::Test),
            Err(PrivateKeyError::WrongNetwork {
                found: 0x80,
                expected: 0xef
            })
        );
        // The same format as Bitcoin's, so a published Bitcoin key reads the same.
        let published = "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn";
        let one = PrivateKey::from_wif(published, AddressSpace::Main).unwrap();
        assert_eq!(
            one.public_key().to_string(),
            "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
        );
    }

    #[test]
    fn a_key_is_as_long_as_its_first_byte_says() {
        assert!(PublicKey::parse(&[2; 33]).is_some());
        assert!(PublicKey::parse(&[4; 65]).is_some());
        for wrong in [&[2; 65][..], &[4; 33], &[5; 33], &[], &[2; 32]] {
            assert_eq!(PublicKey::parse(wrong), None);
        }
    }

    #[test]
    fn debug_output_keeps_the_secret() {
        let key = PrivateKey::from_bytes(&[7; 32], true).unwrap();
        let shown = format!("{key:?}");
        assert!(!shown.contains(&"07".repeat(16)), "{shown}");
    }

    #[test]
    fn a_large_s_is_as_good_as_a_small_one() {
        let key = PrivateKey::from_bytes(&[9; 32], true).unwrap();
        let digest = Hash256::sha256d(b"block");
        let der = key.sign_der(&digest);
        assert!(key.public_key().verify_der(&digest, &der));
        let small = ecdsa::Signature::from_der(&der)
            .unwrap()
            .serialize_compact();
        let mut large = small;
        let s = SecretKey::from_slice(&small[32..]).unwrap().negate();
        large[32..].copy_from_slice(&s.secret_bytes());
        let large = ecdsa::Signature::from_compact(&large)
            .unwrap()
            .serialize_der();
        assert!(key.public_key().verify_der(&digest, &large));
        assert!(!key.public_key().verify_der(&Hash256::ZERO, &der));
    }
}
