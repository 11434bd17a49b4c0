//! The Bitcoin message scheme, as the library `bitcoinjs-message` verifies it.
//!
//! Its quirks are kept: the version byte of an address is not looked at, base64 is read leniently, a high `s` is
//! accepted, and header bytes 35..38 mean a P2SH-wrapped witness key.

use std::sync::LazyLock;

use bitcoin::{
    base58,
    hashes::{Hash as _, HashEngine as _, hash160, sha256d},
    secp256k1::{
        Message, PublicKey, Secp256k1, VerifyOnly,
        ecdsa::{RecoverableSignature, RecoveryId},
    },
};

use super::signature::SignatureError;

/// Shared by both schemes; building it is the slow part.
pub(super) static SECP: LazyLock<Secp256k1<VerifyOnly>> =
    LazyLock::new(Secp256k1::verification_only);

/// `bitcoinjs-message`, `magicHash`: the length byte 0x18 and the magic text.
const PREFIX: &[u8] = b"\x18Bitcoin Signed Message:\n";

/// Header and two 32-byte numbers.
const SIGNATURE_BYTES: usize = 65;

/// Owners longer than this are public keys (`signatureVerifier.js`).
const MAX_ADDRESS_CHARS: usize = 36;

/// The version byte of a Flux ID, which is a Bitcoin P2PKH address.
const P2PKH_VERSION: u8 = 0;

/// A signature taken apart.
pub(super) struct Compact {
    pub(super) recoverable: RecoverableSignature,
    compressed: bool,
    /// The key is wrapped in a script.
    wrapped: bool,
}

impl Compact {
    pub(super) fn parse(signature: &str) -> Result<Self, SignatureError> {
        /// Header of the first form: uncompressed key, recovery id 0.
        const FIRST_HEADER: u8 = 27;
        const COMPRESSED: u8 = 4;
        const SEGWIT: u8 = 8;
        let bytes = lenient_base64(signature);
        if bytes.len() != SIGNATURE_BYTES {
            return Err(SignatureError::Length(bytes.len()));
        }
        let (header, numbers) = bytes.split_first().ok_or(SignatureError::Length(0))?;
        let flags = header.checked_sub(FIRST_HEADER).filter(|flags| *flags < 16);
        let flags = flags.ok_or(SignatureError::Header(*header))?;
        let is_native_segwit = flags & SEGWIT != 0 && flags & COMPRESSED != 0;
        if is_native_segwit {
            // Needs a bech32 address, which is longer than 36 characters and so taken for a key.
            return Err(SignatureError::Header(*header));
        }
        let recovery =
            RecoveryId::from_i32(i32::from(flags & 3)).map_err(|_| SignatureError::NoKey)?;
        Ok(Self {
            recoverable: RecoverableSignature::from_compact(numbers, recovery)
                .map_err(|_| SignatureError::Range)?,
            compressed: flags & (COMPRESSED | SEGWIT) != 0,
            wrapped: flags & SEGWIT != 0,
        })
    }

    /// The hash that the signer's address carries.
    fn recover(&self, text: &str) -> Result<[u8; 20], SignatureError> {
        let message = Message::from_digest(digest(text.as_bytes()));
        let key = SECP
            .recover_ecdsa(&message, &self.recoverable)
            .map_err(|_| SignatureError::NoKey)?;
        let key_hash = if self.compressed {
            hash160::Hash::hash(&key.serialize())
        } else {
            hash160::Hash::hash(&key.serialize_uncompressed())
        };
        if !self.wrapped {
            return Ok(key_hash.to_byte_array());
        }
        let mut script = vec![0x00, 0x14];
        script.extend_from_slice(key_hash.as_byte_array());
        Ok(hash160::Hash::hash(&script).to_byte_array())
    }
}

/// Double SHA-256 of the message in its envelope.
fn digest(message: &[u8]) -> [u8; 32] {
    let mut engine = sha256d::Hash::engine();
    engine.input(PREFIX);
    engine.input(&compact_size(message.len()));
    engine.input(message);
    sha256d::Hash::from_engine(engine).to_byte_array()
}

/// The variable-length integer of the Bitcoin protocol.
fn compact_size(length: usize) -> Vec<u8> {
    let length = u64::try_from(length).expect("a length fits in 64 bits");
    if let Ok(byte @ 0..=0xfc) = u8::try_from(length) {
        vec![byte]
    } else if let Ok(short) = u16::try_from(length) {
        [&[0xfd][..], &short.to_le_bytes()].concat()
    } else if let Ok(int) = u32::try_from(length) {
        [&[0xfe][..], &int.to_le_bytes()].concat()
    } else {
        [&[0xff][..], &length.to_le_bytes()].concat()
    }
}

/// Whether `owner` signed `text`.
pub(super) fn verifies(text: &str, owner: &str, signature: &str) -> bool {
    let Some(expected) = owner_hash(owner) else {
        return false;
    };
    let recovered = Compact::parse(signature).and_then(|compact| compact.recover(text));
    recovered.is_ok_and(|hash| hash == expected)
}

/// The P2PKH address whose key made the signature.
pub(super) fn recover(text: &str, signature: &str) -> Result<String, SignatureError> {
    let hash = Compact::parse(signature)?.recover(text)?;
    Ok(address(&hash))
}

fn address(hash: &[u8; 20]) -> String {
    let mut payload = vec![P2PKH_VERSION];
    payload.extend_from_slice(hash);
    base58::encode_check(&payload)
}

/// The hash that an owner stands for: that of an address without looking at its version, or that of a public key.
fn owner_hash(owner: &str) -> Option<[u8; 20]> {
    if owner.encode_utf16().count() > MAX_ADDRESS_CHARS {
        return Some(hash160::Hash::hash(&lenient_hex(owner)).to_byte_array());
    }
    let payload = base58::decode_check(owner).ok()?;
    let (_, hash) = payload.split_first()?;
    hash.try_into().ok()
}

/// Whether `owner` is a well-formed Flux ID: a P2PKH address of Bitcoin.
pub(crate) fn is_flux_id(owner: &str) -> bool {
    base58::decode_check(owner)
        .is_ok_and(|payload| payload.len() == 21 && payload.first() == Some(&P2PKH_VERSION))
}

/// Whether `owner` is a public key, compressed or not, in hexadecimal.
pub(crate) fn is_public_key(owner: &str) -> bool {
    hex::decode(owner).is_ok_and(|bytes| PublicKey::from_slice(&bytes).is_ok())
}

/// The text as Node.js' `Buffer.from(text, 'base64')` reads it: both alphabets, up to the first `=`, everything else
/// skipped.
fn lenient_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0_u32);
    let digits = text.bytes().take_while(|byte| *byte != b'=');
    for sextet in digits.filter_map(base64_digit) {
        bits = (bits << 6) | u32::from(sextet);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).expect("masked to a byte"));
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

const fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// The text as Node.js' `Buffer.from(text, 'hex')` reads it: pairs of digits up to the first that is none.
fn lenient_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    text.as_bytes()
        .chunks_exact(2)
        .map_while(|pair| Some((digit(pair[0])? << 4) | digit(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_by_node() {
        assert_eq!(lenient_base64("aGk="), b"hi");
        assert_eq!(lenient_base64(" a G\nk"), b"hi");
        assert_eq!(lenient_base64("aGk=AAAA"), b"hi");
        assert_eq!(lenient_base64("_-8"), lenient_base64("/+8="));
    }

    #[test]
    fn hex_stops_at_the_first_bad_pair() {
        assert_eq!(lenient_hex("00ffzz00"), [0, 255]);
        assert_eq!(lenient_hex("0x1234"), [0_u8; 0]);
        assert_eq!(lenient_hex("123"), [0x12]);
    }

    #[test]
    fn lengths_take_one_three_or_five_bytes() {
        assert_eq!(compact_size(252), [252]);
        assert_eq!(compact_size(253), [0xfd, 253, 0]);
        assert_eq!(compact_size(65_535), [0xfd, 255, 255]);
        assert_eq!(compact_size(65_536), [0xfe, 0, 0, 1, 0]);
    }
}
