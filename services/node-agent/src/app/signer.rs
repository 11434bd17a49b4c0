//! The agent's key, which signs heartbeats, usage and answers to probes.

use std::fmt;

use fluxplane_core::attest::Statement;
use rcgen::KeyPair;
use ring::signature::Ed25519KeyPair;

/// Signs statements in the name of the node.
pub struct Signer(Ed25519KeyPair);

#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    #[error("the agent's key is not a PEM key")]
    Pem(#[source] rcgen::Error),
    #[error("the agent's key is not an Ed25519 key")]
    Kind,
}

impl Signer {
    /// Reads the key that joining made.
    pub fn from_pem(pem: &str) -> Result<Self, SignerError> {
        let key = KeyPair::from_pem(pem).map_err(SignerError::Pem)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.serialized_der())
            .map(Self)
            .map_err(|_| SignerError::Kind)
    }

    /// A signature over a statement.
    pub fn sign(&self, statement: Statement, body: &[u8]) -> Vec<u8> {
        self.0.sign(&statement.message(body)).as_ref().to_vec()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_platform::tls::authority;
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    #[test]
    fn the_key_of_the_certificate_request_signs() {
        let (key, _) = authority::request("node").unwrap();
        let signer = Signer::from_pem(&key.serialize_pem()).unwrap();
        let signature = signer.sign(Statement::Probe, b"nonce");
        UnparsedPublicKey::new(&ED25519, key.public_key_raw())
            .verify(&Statement::Probe.message(b"nonce"), &signature)
            .unwrap();
        assert!(Signer::from_pem("no key").is_err());
    }
}
