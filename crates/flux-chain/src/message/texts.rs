//! What the parties of a fluxnode sign (fluxd `src/fluxnode/fluxnode.cpp`, `CheckFluxnodeTxSignatures`, `CheckBenchmarkSignature`).

use crate::{hash::Hash256, tx::Confirm};

/// A start is signed over its own id in hexadecimal.
pub fn start_text(txid: &Hash256) -> String {
    txid.to_string()
}

/// A confirm is signed by the node over its shortened collateral, then index, update type and time without separators.
pub fn confirm_text(confirm: &Confirm<'_>) -> String {
    let collateral = confirm.collateral;
    format!(
        "{}{}{}{}",
        collateral.short_text(),
        collateral.n,
        confirm.update_type,
        confirm.sig_time
    )
}

/// The benchmark signs the raw signature of the node, then tier, benchmark time and IP. Bytes, not text.
pub fn benchmark_text(confirm: &Confirm<'_>) -> Vec<u8> {
    let mut bytes = confirm.signature.to_vec();
    let numbers = format!("{}{}", confirm.benchmark_tier, confirm.benchmark_sig_time);
    bytes.extend_from_slice(numbers.as_bytes());
    bytes.extend_from_slice(confirm.ip);
    bytes
}
