//! The seconds behind a line: they add up to what is charged, lie where the line says, and are the ones whose hash the leaf
//! carries. Pure.
//!
//! ```text
//! evidence of a leaf = SHA-256( "fluxplane/usage/v1" ‖ instance ‖ node ‖ from ‖ to ‖ from ‖ to ‖ … )
//! ```
//!
//! Ids are the 16 bytes of the UUID; times are seconds since 1970, 8 bytes, big-endian, in rising order; intervals neither
//! overlap nor touch. Written anew here, so that a verifier does not share a mistake with the plane.

use fluxplane_ledger::settlement::{Hash32, InvoiceLine};
use sha2::{Digest as _, Sha256};

use crate::api::billing::EvidenceInterval;

const DOMAIN: &[u8] = b"fluxplane/usage/v1";

/// Checks the intervals behind a leaf.
pub(super) fn check(leaf: &InvoiceLine, intervals: &[EvidenceInterval]) -> Result<String, String> {
    let mut seconds = 0_u64;
    let mut free_from = leaf.from;
    for (place, interval) in intervals.iter().enumerate() {
        let EvidenceInterval {
            from_unix_s: from,
            to_unix_s: to,
        } = *interval;
        let touches = place > 0 && from == free_from;
        if from < free_from || touches || to <= from || to > leaf.to {
            return Err(format!(
                "interval {} from {from} to {to} is empty, out of order, or outside the line",
                place + 1
            ));
        }
        seconds += to - from;
        free_from = to;
    }
    if seconds != leaf.seconds {
        return Err(format!(
            "the intervals have {seconds} seconds, the leaf {}",
            leaf.seconds
        ));
    }
    if hash(leaf, intervals) != leaf.evidence {
        return Err("the intervals are not those whose hash is in the leaf".to_owned());
    }
    Ok(format!(
        "{seconds} seconds in {} intervals, as the leaf's hash says",
        intervals.len()
    ))
}

fn hash(leaf: &InvoiceLine, intervals: &[EvidenceInterval]) -> Hash32 {
    let mut hasher = Sha256::new_with_prefix(DOMAIN);
    hasher.update(leaf.instance.uuid().as_bytes());
    hasher.update(leaf.node.uuid().as_bytes());
    for interval in intervals {
        hasher.update(interval.from_unix_s.to_be_bytes());
        hasher.update(interval.to_unix_s.to_be_bytes());
    }
    Hash32(hasher.finalize().into())
}
