//! Both schemes behind one door (`ZelBack/src/services/signatureVerifier.js`): an owner that starts with `0x` signs the
//! Ethereum way, every other the Bitcoin way.

use super::{bitcoin, ethereum};

/// Which schemes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Only Bitcoin messages, whatever the owner looks like (`verificationHelper.js`).
    BitcoinOnly,
    /// The scheme of the owner.
    ByOwner,
}

/// Why a signature names no signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the signature has {0} bytes instead of 65; send the whole base64 text")]
    Length(usize),
    #[error("the signature has {0} characters instead of 132; send 0x and 130 digits")]
    HexLength(usize),
    #[error("the signature is not hexadecimal; send 0x and 130 digits")]
    Hex,
    #[error("the header byte {0} is none of 27..34; sign with a P2PKH key")]
    Header(u8),
    #[error("a number in the signature is zero or not below the group order; sign again")]
    Range,
    #[error("no public key fits the signature and its recovery id; sign again")]
    NoKey,
    #[error("s is in the upper half of its range; send the low form, with the other recovery id")]
    HighS,
    #[error("the base64 text is not in its canonical form; send 88 characters with padding")]
    Encoding,
    #[error("the recovery byte {0} is none of 27 and 28; sign with personal_sign")]
    RecoveryByte(u64),
}

/// Whether the owner signs the Ethereum way.
pub(super) fn is_ethereum(owner: &str) -> bool {
    owner.starts_with("0x")
}

/// Whether `owner` signed `text`.
pub fn verifies(text: &str, owner: &str, signature: &str, scheme: Scheme) -> bool {
    if text.is_empty() || owner.is_empty() || signature.is_empty() {
        return false;
    }
    match scheme {
        Scheme::ByOwner if is_ethereum(owner) => ethereum::verifies(text, owner, signature),
        Scheme::ByOwner | Scheme::BitcoinOnly => bitcoin::verifies(text, owner, signature),
    }
}

/// The address that signed `text`, in the scheme of `owner`: a checksummed 0x address or a P2PKH address.
///
/// # Errors
/// When the signature is malformed or names no key.
pub fn recover_signer(text: &str, owner: &str, signature: &str) -> Result<String, SignatureError> {
    if is_ethereum(owner) {
        ethereum::recover(text, signature)
    } else {
        bitcoin::recover(text, signature)
    }
}

/// Checks the form that new submissions must have: exactly one text per signature, so that nobody can turn a message
/// into another one with a different hash. FluxOS itself accepts more.
///
/// # Errors
/// With what is not canonical.
pub fn check_canonical(owner: &str, signature: &str) -> Result<(), SignatureError> {
    const FIRST_HEADER: u8 = 27;
    const LAST_HEADER: u8 = 34;
    let recoverable = if is_ethereum(owner) {
        let parts = ethereum::Parts::parse(signature)?;
        if signature.len() != 132 || !signature.starts_with("0x") {
            return Err(SignatureError::HexLength(signature.len()));
        }
        if !matches!(parts.v, 27 | 28) {
            return Err(SignatureError::RecoveryByte(parts.v));
        }
        parts.recoverable
    } else {
        let compact = bitcoin::Compact::parse(signature)?;
        let bytes = strict_base64(signature).ok_or(SignatureError::Encoding)?;
        let header = bytes.first().copied().unwrap_or_default();
        if !(FIRST_HEADER..=LAST_HEADER).contains(&header) {
            return Err(SignatureError::Header(header));
        }
        compact.recoverable
    };
    let standard = recoverable.to_standard();
    let mut low = standard;
    low.normalize_s();
    if low == standard {
        Ok(())
    } else {
        Err(SignatureError::HighS)
    }
}

/// The bytes of a padded base64 text of the standard alphabet.
fn strict_base64(text: &str) -> Option<Vec<u8>> {
    use ::bitcoin::base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(text).ok()
}
