//! Signatures of nodes under usage reports.

use fluxplane_core::attest::Statement;
use ring::signature::{ED25519, UnparsedPublicKey};

/// Whether the agent with this key signed the report.
pub fn usage_signed(agent_pubkey: &[u8], body: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, agent_pubkey)
        .verify(&Statement::Usage.message(body), signature)
        .is_ok()
}
