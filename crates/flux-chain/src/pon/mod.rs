//! Proof of Node: who may produce a block, how hard that is, and how a header is judged
//! (fluxd `src/pon/pon.cpp`, `src/main.cpp`).

mod check;
mod emergency;
mod retarget;
mod target;

pub use check::{HeaderFault, Parent, Producer, check_header, verify_signature};
pub use emergency::{
    EMERGENCY_SIGNATURES_MAX, emergency_signatures, is_emergency, verify_emergency,
    write_emergency_signatures,
};
pub use retarget::{RetargetError, next_bits};
pub use target::{CompactTarget, Target};

use crate::{
    encode::Sink,
    hash::{Hash256, Sha256d},
    header::Header,
    outpoint::OutPoint,
    params::ChainParams,
};

/// The number of the time slot a moment falls into, counted from the genesis block.
///
/// fluxd divides signed 64-bit numbers and keeps 32 bits of the result; a time before genesis wraps the same way here.
pub fn slot(params: &ChainParams, time: u32) -> u32 {
    let since_genesis = i64::from(time) - i64::from(params.genesis.time);
    let slot = since_genesis / i64::from(params.pon.spacing_s);
    let [a, b, c, d, ..] = slot.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// The lot a node draws in a slot: double SHA-256 of collateral, parent block hash and slot. The lower, the better.
pub fn pon_hash(collateral: &OutPoint, previous: &Hash256, slot: u32) -> Hash256 {
    let mut hash = Sha256d::new();
    collateral.write_to(&mut hash);
    hash.put(previous.as_wire());
    hash.put_u32(slot);
    hash.finish()
}

/// The lot of the node that produced a header; `None` for proof of work.
pub fn pon_hash_of(params: &ChainParams, header: &Header<'_>) -> Option<Hash256> {
    let collateral = header.producer()?;
    let slot = slot(params, header.time);
    Some(pon_hash(&collateral, &header.previous, slot))
}

/// Whether a lot wins at a difficulty: the hash as a number is at most the target.
pub fn wins(lot: &Hash256, bits: u32) -> bool {
    CompactTarget(bits)
        .target()
        .is_some_and(|target| Target::from_hash(lot) <= target)
}
