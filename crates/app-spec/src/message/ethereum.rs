//! The Ethereum scheme (`personal_sign`), as FluxOS' `ethereumHelper.js` and the library `nano-ethereum-signer` verify it.
//!
//! FluxOS turns the text into bytes by printing every UTF-16 unit in hexadecimal *without padding*. For printable ASCII
//! this is the text itself; anything else gives a digest that no wallet computes.

use std::fmt::Write as _;

use alloy_primitives::{Address, keccak256};
use bitcoin::secp256k1::{
    Message,
    ecdsa::{RecoverableSignature, RecoveryId},
};

use super::{bitcoin::SECP, signature::SignatureError};

/// A signature taken apart.
pub(super) struct Parts {
    pub(super) recoverable: RecoverableSignature,
    /// The recovery byte as written: 27, 28, 0 or 1.
    pub(super) v: u64,
}

impl Parts {
    /// Reads `0x`, `r`, `s` and `v`. The first two characters are skipped whatever they are.
    pub(super) fn parse(signature: &str) -> Result<Self, SignatureError> {
        /// Characters before `v`.
        const NUMBERS_END: usize = 130;
        let length = || SignatureError::HexLength(signature.len());
        let numbers = signature.get(2..NUMBERS_END).ok_or_else(length)?;
        let v = signature.get(NUMBERS_END..).ok_or_else(length)?;
        let numbers = hex::decode(numbers).map_err(|_| SignatureError::Hex)?;
        let v = leading_hex(v).ok_or(SignatureError::Hex)?;
        // Odd means 0 and even means 1, except for 0 and 1 themselves (nano-ethereum-signer, `signerAddress`).
        let recovery = if v < 2 { v } else { 1 - v % 2 };
        let recovery = i32::try_from(recovery)
            .ok()
            .and_then(|id| RecoveryId::from_i32(id).ok());
        let recovery = recovery.ok_or(SignatureError::NoKey)?;
        let recoverable = RecoverableSignature::from_compact(&numbers, recovery)
            .map_err(|_| SignatureError::Range)?;
        Ok(Self { recoverable, v })
    }
}

/// The digits with which a text begins, as `parseInt(text, 16)` reads them.
fn leading_hex(text: &str) -> Option<u64> {
    let end = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    u64::from_str_radix(text.get(..end)?, 16).ok()
}

/// The checksummed address whose key made the signature.
pub(super) fn recover(text: &str, signature: &str) -> Result<String, SignatureError> {
    let parts = Parts::parse(signature)?;
    let message = Message::from_digest(digest(text));
    let key = SECP
        .recover_ecdsa(&message, &parts.recoverable)
        .map_err(|_| SignatureError::NoKey)?;
    let address = Address::from_raw_public_key(&key.serialize_uncompressed()[1..]);
    Ok(address.to_checksum(None))
}

/// Whether `owner`, in any case, signed `text`.
pub(super) fn verifies(text: &str, owner: &str, signature: &str) -> bool {
    recover(text, signature).is_ok_and(|signer| signer.eq_ignore_ascii_case(owner))
}

/// Whether `owner` is an address with a correct checksum (EIP-55).
pub(crate) fn is_checksummed(owner: &str) -> bool {
    Address::parse_checksummed(owner, None).is_ok()
}

/// The checksummed form of an address in any case, if it is one.
pub(crate) fn checksummed(owner: &str) -> Option<String> {
    let digits = owner.strip_prefix("0x")?;
    let bytes: [u8; 20] = hex::decode(digits).ok()?.try_into().ok()?;
    Some(Address::from(bytes).to_checksum(None))
}

fn digest(text: &str) -> [u8; 32] {
    let bytes = unpadded_bytes(text);
    let preamble = format!("\x19Ethereum Signed Message:\n{}", bytes.len());
    keccak256([preamble.as_bytes(), &bytes].concat()).0
}

/// The units of the text in hexadecimal without padding, read back in pairs of digits.
fn unpadded_bytes(text: &str) -> Vec<u8> {
    if text.bytes().all(|byte| matches!(byte, 0x10..=0x7f)) {
        return text.as_bytes().to_vec();
    }
    let mut digits = String::new();
    for unit in text.encode_utf16() {
        write!(digits, "{unit:x}").expect("writing to a String cannot fail");
    }
    let digit = |byte: u8| {
        let digit = char::from(byte)
            .to_digit(16)
            .expect("formatted as hexadecimal");
        u8::try_from(digit).expect("a hexadecimal digit is below 16")
    };
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, &next| (byte << 4) | digit(next)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_text_keeps_its_bytes() {
        assert_eq!(unpadded_bytes("aZ~ {\"x\":1}"), b"aZ~ {\"x\":1}");
        // A line feed is one digit, which shifts all that follows.
        assert_eq!(unpadded_bytes("\na"), [0xa6, 0x1]);
        assert_eq!(unpadded_bytes("\u{20ac}"), [0x20, 0xac]);
        assert_eq!(unpadded_bytes("é"), [0xe9]);
        assert_eq!(unpadded_bytes("\u{10348}"), [0xd8, 0x00, 0xdf, 0x48]);
    }
}
