//! Wallets that sign as people's wallets do.

use alloy_primitives::{Address, keccak256};
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, SecretKey};
use fluxplane_flux_chain::{
    FluxId, PrivateKey,
    message::{CompactSignature, Magic},
};

/// A key and how it signs.
#[derive(Clone)]
pub(crate) enum Wallet {
    Bitcoin(PrivateKey),
    Ethereum(SecretKey),
}

impl Wallet {
    /// The `n`th Bitcoin wallet of a test.
    pub(crate) fn bitcoin(n: u8) -> Self {
        Self::Bitcoin(PrivateKey::from_bytes(&[n; 32], true).unwrap())
    }

    pub(crate) fn ethereum(n: u8) -> Self {
        Self::Ethereum(SecretKey::from_slice(&[n; 32]).unwrap())
    }

    /// The address in the form that becomes the principal.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Bitcoin(key) => FluxId::of_key(&key.public_key()).to_string(),
            Self::Ethereum(key) => {
                let point = PublicKey::from_secret_key(&Secp256k1::new(), key);
                Address::from_raw_public_key(&point.serialize_uncompressed()[1..]).to_checksum(None)
            }
        }
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        match self {
            Self::Bitcoin(key) => {
                CompactSignature::sign(key, Magic::BITCOIN, text.as_bytes()).to_base64()
            }
            Self::Ethereum(key) => {
                let preamble = format!("\x19Ethereum Signed Message:\n{}{text}", text.len());
                let digest = Message::from_digest(keccak256(preamble.as_bytes()).0);
                let signature = Secp256k1::new().sign_ecdsa_recoverable(&digest, key);
                let (id, numbers) = signature.serialize_compact();
                let v = u8::try_from(27 + id.to_i32()).unwrap();
                format!("0x{}{v:02x}", hex::encode(numbers))
            }
        }
    }
}
