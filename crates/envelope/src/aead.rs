//! AES-256-GCM (NIST SP 800-38D) with a random nonce in front of the ciphertext.
//!
//! A random nonce of 96 bits may be used about 2³² times with one key (SP 800-38D, section 8.3). Data keys seal once; tenant
//! keys and root keys only wrap keys, far less often than that.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::entropy::{Entropy, NoEntropy, random};

/// Bytes of a key.
pub(crate) const KEY: usize = 32;

/// Bytes by which a sealed text is longer than its plaintext: nonce and tag.
pub(crate) const OVERHEAD: usize = NONCE_LEN + 16;

/// The text was not sealed with this key for this place, or was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was not sealed with this key for this place, or was changed since")]
pub struct Refused;

/// A key of AES-256-GCM. Wiped when dropped, never printed.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) Zeroizing<[u8; KEY]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

impl Key {
    pub(crate) fn random(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self(Zeroizing::new(random(entropy)?)))
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes
            .try_into()
            .ok()
            .map(|bytes| Self(Zeroizing::new(bytes)))
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, self.0.as_slice());
        LessSafeKey::new(key.expect("a key of AES-256 has 32 bytes"))
    }

    /// Appends nonce, ciphertext and tag to `out`.
    pub(crate) fn seal_into(
        &self,
        out: &mut Vec<u8>,
        associated: &[u8],
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<(), NoEntropy> {
        let nonce: [u8; NONCE_LEN] = random(entropy)?;
        out.reserve(plaintext.len() + OVERHEAD);
        out.extend_from_slice(&nonce);
        let begin = out.len();
        out.extend_from_slice(plaintext);
        let body = out.get_mut(begin..).unwrap_or_default();
        let tag = self
            .cipher()
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated),
                body,
            )
            .expect("nothing we seal comes near the 64 GiB that GCM can seal at once");
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens what [`Self::seal_into`] appended.
    pub(crate) fn open(
        &self,
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(Refused)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Refused)?;
        let mut text = Zeroizing::new(body.to_vec());
        let length = self
            .cipher()
            .open_in_place(nonce, Aad::from(associated), &mut text)
            .map_err(|_| Refused)?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
            bytes.fill(0);
            Ok(())
        }
    }

    /// Test cases 13 and 14 of "The Galois/Counter Mode of Operation (GCM)" by its authors.
    #[test]
    fn the_cipher_is_aes_256_gcm() {
        let key = Key::from_slice(&[0; KEY]).unwrap();
        let sealed = |text: &[u8]| {
            let mut out = Vec::new();
            key.seal_into(&mut out, &[], text, &Zeros).unwrap();
            hex::encode(&out[NONCE_LEN..])
        };
        assert_eq!(sealed(&[]), "530f8afbc74536b9a963b4f1c4cb738b");
        assert_eq!(
            sealed(&[0; 16]),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        );
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = Key::from_slice(&[0xab; KEY]).unwrap();
        assert_eq!(format!("{key:?}"), "Key(***)");
    }
}
