//! A value on its way to one machine: HPKE (RFC 9180) in base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
//!
//! The machine makes a key pair for one delivery and says the public half over its authenticated channel. What is sealed to
//! it names instance, assignment and node, so that it opens for nothing else.

use std::{convert::Infallible, fmt};

use hpke::{
    Deserializable as _, HpkeError, Kem as _, OpModeR, OpModeS, Serializable as _,
    aead::{Aead, AesGcm256},
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
    rand_core::{TryCryptoRng, TryRng},
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    aead::Refused,
    entropy::{Entropy, NoEntropy, random},
};

type Kem = X25519HkdfSha256;

const INFO: &[u8] = b"fluxplane-private-delivery:v1";

/// Bytes of randomness a key pair is made of.
const IKM: usize = 32;

/// What a delivery is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    pub instance: Uuid,
    /// Which assignment of the instance to a node.
    pub epoch: u64,
    pub node: Uuid,
}

impl Delivery {
    fn associated(self) -> Vec<u8> {
        let mut bytes = self.instance.as_bytes().to_vec();
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(self.node.as_bytes());
        bytes
    }
}

/// As it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedMessage {
    /// The sender's share of the key agreement, 32 bytes.
    pub encapsulated: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

/// The recipient's key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRecipient {
    #[error("it is not the public key of X25519: 32 bytes, not of low order")]
    Key,
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// The private half, for one delivery. Never printed.
pub struct RecipientKey {
    private: <Kem as hpke::Kem>::PrivateKey,
    public: Vec<u8>,
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecipientKey(***)")
    }
}

impl RecipientKey {
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let seed = Zeroizing::new(random::<IKM>(entropy)?);
        let (private, public) = Kem::derive_keypair(seed.as_slice());
        let public = public.to_bytes().to_vec();
        Ok(Self { private, public })
    }

    /// The public half, 32 bytes.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    pub fn open(
        &self,
        delivery: Delivery,
        message: &SealedMessage,
    ) -> Result<Zeroizing<Vec<u8>>, Refused> {
        open::<AesGcm256>(&self.private, INFO, &delivery.associated(), message)
    }
}

/// Seals a text to a recipient.
pub fn seal_to(
    recipient: &[u8],
    delivery: Delivery,
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<SealedMessage, BadRecipient> {
    let seed = random(entropy)?;
    seal::<AesGcm256>(recipient, INFO, &delivery.associated(), plaintext, seed)
        .map_err(|_| BadRecipient::Key)
}

fn seal<A: Aead>(
    recipient: &[u8],
    info: &[u8],
    associated: &[u8],
    plaintext: &[u8],
    seed: [u8; IKM],
) -> Result<SealedMessage, HpkeError> {
    let recipient = <Kem as hpke::Kem>::PublicKey::from_bytes(recipient)?;
    let mut seed = Seed(Zeroizing::new(seed));
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<A, HkdfSha256, Kem>(
        &OpModeS::Base,
        &recipient,
        info,
        plaintext,
        associated,
        &mut seed,
    )?;
    Ok(SealedMessage {
        encapsulated: encapsulated.to_bytes().to_vec(),
        ciphertext,
    })
}

fn open<A: Aead>(
    private: &<Kem as hpke::Kem>::PrivateKey,
    info: &[u8],
    associated: &[u8],
    message: &SealedMessage,
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let encapsulated =
        <Kem as hpke::Kem>::EncappedKey::from_bytes(&message.encapsulated).map_err(|_| Refused)?;
    hpke::single_shot_open::<A, HkdfSha256, Kem>(
        &OpModeR::Base,
        private,
        &encapsulated,
        info,
        &message.ciphertext,
        associated,
    )
    .map(Zeroizing::new)
    .map_err(|_| Refused)
}

/// Randomness that was drawn before, for the one key pair that sealing makes (`IKM` bytes, RFC 9180 section 7.1.3). Drawing
/// it before keeps a system without randomness an error instead of a panic.
struct Seed(Zeroizing<[u8; IKM]>);

impl TryRng for Seed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        assert_eq!(
            out.len(),
            IKM,
            "sealing makes one key pair and nothing else"
        );
        out.copy_from_slice(self.0.as_slice());
        Ok(())
    }
}

impl TryCryptoRng for Seed {}

#[cfg(test)]
mod tests {
    use hpke::aead::AesGcm128;

    use super::*;

    fn bytes(digits: &str) -> Vec<u8> {
        hex::decode(digits).unwrap()
    }

    /// RFC 9180, appendix A.1.1: the same suite with the shorter key of AES, of which the RFC prints a vector.
    #[test]
    fn sealing_is_rfc_9180() {
        let ikm_e = bytes("7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234");
        let ikm_r = bytes("6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037");
        let info = bytes("4f6465206f6e2061204772656369616e2055726e");
        let associated = bytes("436f756e742d30");
        let text = bytes("4265617574792069732074727574682c20747275746820626561757479");
        let (private, public) = Kem::derive_keypair(&ikm_r);
        assert_eq!(
            hex::encode(public.to_bytes()),
            "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"
        );
        let sealed = seal::<AesGcm128>(
            &public.to_bytes(),
            &info,
            &associated,
            &text,
            ikm_e.try_into().unwrap(),
        )
        .unwrap();
        assert_eq!(
            hex::encode(&sealed.encapsulated),
            "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
        );
        assert_eq!(
            hex::encode(&sealed.ciphertext),
            "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"
        );
        let opened = open::<AesGcm128>(&private, &info, &associated, &sealed).unwrap();
        assert_eq!(*opened, text);
    }
}
