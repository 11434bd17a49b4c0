//! Signatures of nodes: the agent key (Ed25519) under statements, the node key (secp256k1) under the request to join.

use fluxplane_core::attest::Statement;
use fluxplane_flux_chain::{
    key::PublicKey,
    message::{CompactSignature, Magic},
};
use ring::signature::{ED25519, UnparsedPublicKey};

/// Whether the agent with `pubkey` signed `body` as a `statement`.
pub fn agent_signed(pubkey: &[u8], statement: Statement, body: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, pubkey)
        .verify(&statement.message(body), signature)
        .is_ok()
}

/// Whether the node key that the chain knows signed `message`, in the way fluxd signs messages. Both texts as received.
pub fn node_key_signed(node_pubkey_hex: &str, message: &str, signature_base64: &str) -> bool {
    let Ok(pubkey) = node_pubkey_hex.parse::<PublicKey>() else {
        return false;
    };
    CompactSignature::from_base64(signature_base64)
        .is_ok_and(|signature| signature.verify_id(&pubkey.id(), Magic::FLUX, message.as_bytes()))
}
