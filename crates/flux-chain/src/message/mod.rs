//! Signed messages: a recoverable signature over the double SHA-256 of a magic and a text.
//!
//! The daemon signs with one magic, the application layer with Bitcoin's. The magic is a parameter, so both are one function.

mod texts;

use bitcoin::{
    base64::{Engine as _, prelude::BASE64_STANDARD},
    secp256k1::{
        Message,
        ecdsa::{RecoverableSignature, RecoveryId},
    },
};

pub use texts::{benchmark_text, confirm_text, start_text};

use crate::{
    encode::Sink,
    hash::{Hash160, Hash256, Sha256d},
    key::{CURVE, PrivateKey, PublicKey},
};

/// What precedes the text. Keeps a signed message from being mistaken for another kind of signed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Magic<'a>(pub &'a str);

impl Magic<'_> {
    /// The daemon's, kept from the coin's first name (fluxd `src/main.cpp`, `strMessageMagic`).
    pub const FLUX: Magic<'static> = Magic("Zelcash Signed Message:\n");

    /// Bitcoin's, which wallets of Flux users sign with.
    pub const BITCOIN: Magic<'static> = Magic("Bitcoin Signed Message:\n");

    /// The digest of a message. Magic and message carry their lengths.
    pub fn digest(&self, message: &[u8]) -> Hash256 {
        let mut hash = Sha256d::new();
        hash.put_var_bytes(self.0.as_bytes());
        hash.put_var_bytes(message);
        hash.finish()
    }
}

/// A header byte and the two numbers of an ECDSA signature. The header says which of four keys fits, and whether that key is
/// written short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactSignature([u8; 65]);

/// Why bytes are no compact signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompactSignatureError {
    #[error("a compact signature has 65 bytes, not {0}")]
    Length(usize),
    #[error("the text is not base64")]
    Base64,
}

impl CompactSignature {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CompactSignatureError> {
        let length = CompactSignatureError::Length(bytes.len());
        bytes.try_into().map(Self).map_err(|_| length)
    }

    /// Reads the text form wallets show.
    pub fn from_base64(text: &str) -> Result<Self, CompactSignatureError> {
        let bytes = BASE64_STANDARD.decode(text);
        Self::from_bytes(&bytes.map_err(|_| CompactSignatureError::Base64)?)
    }

    pub fn to_base64(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }

    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    /// The header byte: 27 to 30 for keys written long, 31 to 34 for short ones. The daemon takes any byte and uses its low
    /// three bits after subtracting 27; other software refuses bytes outside the range.
    pub const fn header(&self) -> u8 {
        self.0[0]
    }

    /// Whether the header byte is one every verifier accepts.
    pub const fn has_usual_header(&self) -> bool {
        matches!(self.header(), 27..=34)
    }

    /// Signs a message.
    pub fn sign(key: &PrivateKey, magic: Magic<'_>, message: &[u8]) -> Self {
        let digest = Message::from_digest(*magic.digest(message).as_wire());
        let signature = CURVE.sign_ecdsa_recoverable(&digest, key.secret());
        let (id, numbers) = signature.serialize_compact();
        let id = u8::try_from(id.to_i32()).expect("a recovery id is 0 to 3");
        let short = if key.is_compressed() { 4 } else { 0 };
        let mut bytes = [27 + id + short; 65];
        let (_, tail) = bytes.split_at_mut(1);
        tail.copy_from_slice(&numbers);
        Self(bytes)
    }

    /// The key that signed the message; `None` when no key fits. The result means nothing before it is compared with a key or
    /// an address.
    pub fn recover(&self, magic: Magic<'_>, message: &[u8]) -> Option<PublicKey> {
        let [header, numbers @ ..] = &self.0;
        let bits = header.wrapping_sub(27);
        let id = RecoveryId::from_i32(i32::from(bits & 3)).ok()?;
        let signature = RecoverableSignature::from_compact(numbers, id).ok()?;
        let digest = Message::from_digest(*magic.digest(message).as_wire());
        let point = CURVE.recover_ecdsa(&digest, &signature).ok()?;
        Some(PublicKey::of_point(&point, bits & 4 != 0))
    }

    /// Whether the owner of a key id signed the message. The form of the key counts: a long key has another id than its short
    /// form.
    pub fn verify_id(&self, id: &Hash160, magic: Magic<'_>, message: &[u8]) -> bool {
        self.recover(magic, message)
            .is_some_and(|key| key.id() == *id)
    }
}

/// Whether a key signed a message, for raw signatures off the chain: any wrong length is just a wrong signature.
pub fn verify(key: &PublicKey, signature: &[u8], magic: Magic<'_>, message: &[u8]) -> bool {
    CompactSignature::from_bytes(signature)
        .is_ok_and(|signature| signature.verify_id(&key.id(), magic, message))
}

#[cfg(test)]
mod tests {
    use bitcoin::{
        hashes::Hash as _,
        sign_message::{MessageSignature, signed_msg_hash},
    };
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bitcoins_magic_gives_bitcoins_digest() {
        let theirs = signed_msg_hash("flux").to_byte_array();
        assert_eq!(Magic::BITCOIN.digest(b"flux").as_wire(), &theirs);
        let key = PrivateKey::from_bytes(&[5; 32], true).unwrap();
        let ours = CompactSignature::sign(&key, Magic::BITCOIN, b"flux");
        let signature = MessageSignature::from_slice(ours.as_bytes()).unwrap();
        let recovered = signature
            .recover_pubkey(&CURVE, signed_msg_hash("flux"))
            .unwrap();
        assert_eq!(recovered.to_bytes(), key.public_key().as_bytes());
    }

    #[test]
    fn a_magic_is_part_of_what_is_signed() {
        let key = PrivateKey::from_bytes(&[5; 32], true).unwrap();
        let signature = CompactSignature::sign(&key, Magic::FLUX, b"x");
        let id = key.public_key().id();
        assert!(signature.verify_id(&id, Magic::FLUX, b"x"));
        assert!(!signature.verify_id(&id, Magic::BITCOIN, b"x"));
        assert!(!signature.verify_id(&id, Magic::FLUX, b"y"));
    }

    proptest! {
        #[test]
        fn the_signer_is_recovered(secret in 1_u8.., compressed: bool, message: Vec<u8>) {
            let key = PrivateKey::from_bytes(&[secret; 32], compressed);
            // 32 times 0xff is beyond the order of the curve.
            prop_assume!(key.is_ok());
            let key = key.unwrap();
            let signature = CompactSignature::sign(&key, Magic::FLUX, &message);
            prop_assert!(signature.has_usual_header());
            prop_assert_eq!(signature.recover(Magic::FLUX, &message), Some(key.public_key()));
            prop_assert_eq!(CompactSignature::from_base64(&signature.to_base64()), Ok(signature));
        }

        #[test]
        fn no_bytes_upset_recovery(bytes in proptest::collection::vec(any::<u8>(), 60..70)) {
            verify(&PublicKey::NONE, &bytes, Magic::FLUX, b"x");
        }
    }
}
