//! The owner must be able to sign: an address with a typo orphans the application for ever.

use super::Findings;
use crate::{
    json::{Object, Value},
    message::{checksummed_owner, is_checksummed_owner, is_flux_id, is_public_key},
};

pub(super) fn check(findings: &mut Findings, spec: &Object) {
    let Some(owner) = spec.get("owner").and_then(Value::as_str) else {
        return;
    };
    if let Some((rule, remedy)) = owner_error(owner) {
        findings.add_text("owner", owner, "owner", rule, &remedy);
    }
}

/// What is wrong with an owner, and what to do.
pub(crate) fn owner_error(owner: &str) -> Option<(&'static str, String)> {
    if is_flux_id(owner) || is_public_key(owner) {
        return None;
    }
    if owner.starts_with("0x") {
        if is_checksummed_owner(owner) {
            return None;
        }
        let rule = "a 0x address must carry its checksum in the case of its letters (EIP-55)";
        let remedy = checksummed_owner(owner).map_or_else(
            || "write 0x and 40 hexadecimal digits".to_owned(),
            |right| format!("check it, then write {right}"),
        );
        return Some((rule, remedy));
    }
    let rule = "the owner is a Flux ID (a Bitcoin address that starts with 1), a 0x address, or a public key";
    let remedy = if owner.starts_with('1') {
        "the checksum does not match; copy the Flux ID again"
    } else {
        "write the address that will sign updates"
    };
    Some((rule, remedy.to_owned()))
}
