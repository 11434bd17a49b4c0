//! Wallets of customers.

use fluxplane_app_spec::{
    json::{Limits, parse},
    legacy::LegacySpec,
    message::{MessageType, signed_text},
};
use fluxplane_flux_chain::{
    address::FluxId,
    key::PrivateKey,
    message::{CompactSignature, Magic},
};
use fluxplane_proto::scheduler::v1::SignedSpec;

pub(crate) struct Wallet {
    key: PrivateKey,
    pub(crate) id: String,
}

impl Wallet {
    pub(crate) fn new(n: u8) -> Self {
        let key = PrivateKey::from_bytes(&[n; 32], true).unwrap();
        let id = FluxId::of_key(&key.public_key()).to_string();
        Self { key, id }
    }

    /// The public key in hexadecimal, which may stand for the address as an owner.
    pub(crate) fn public_key(&self) -> String {
        self.key.public_key().to_string()
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        CompactSignature::sign(&self.key, Magic::BITCOIN, text.as_bytes()).to_base64()
    }

    /// Signs the canonical form of a specification. `OWNER` in it stands for this wallet.
    pub(crate) fn sign_spec(&self, kind: &str, spec: &str, timestamp_ms: u64) -> SignedSpec {
        let spec = spec.replace("OWNER", &self.id);
        let canonical = parse(spec.as_bytes(), Limits::default())
            .ok()
            .and_then(|document| LegacySpec::from_value(document.value).ok())
            .map_or_else(|| spec.clone(), |spec| spec.canonical());
        let message = kind.parse().unwrap_or(MessageType::FluxAppRegister);
        let text = signed_text(message, 1, &canonical, timestamp_ms);
        SignedSpec {
            r#type: kind.to_owned(),
            version: 1,
            spec_json: spec,
            timestamp_ms,
            signature: self.sign(&text),
        }
    }
}
