//! The digest a signature of an input covers. ZIP-143 and ZIP-243 for overwintered transactions, Bitcoin's older rule with the
//! JoinSplits appended for versions 1 and 2 (fluxd `src/script/interpreter.cpp`, `SignatureHash`).

mod legacy;
mod zip243;

use fluxplane_core::Sat;

pub use zip243::SighashCache;

use crate::{
    hash::Hash256,
    script::Script,
    tx::{Transaction, Transfer},
};

/// The consensus branch of every Flux upgrade after genesis (fluxd `src/consensus/upgrades.cpp`).
pub const FLUX_BRANCH_ID: u32 = 0x76b8_09bb;

/// Hash types: which inputs and outputs a signature covers.
pub const SIGHASH_ALL: u32 = 1;
pub(crate) const SIGHASH_NONE: u32 = 2;
pub(crate) const SIGHASH_SINGLE: u32 = 3;
pub(crate) const SIGHASH_ANYONE_CAN_PAY: u32 = 0x80;

/// What an input spends, as far as its signature covers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpentOutput<'a> {
    /// The script that is run: that of the output, or the redeem script of a P2SH output.
    pub script_code: Script<'a>,
    /// The value of the output. Covered since Overwinter.
    pub value: Sat,
}

/// Why there is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SighashError {
    #[error("a fluxnode transaction has no inputs to sign")]
    NoInputs,
    #[error("input {index} does not exist; the transaction has {count}")]
    NoSuchInput { index: usize, count: usize },
    #[error("hash type SINGLE signs output {index}, which does not exist")]
    NoSuchOutput { index: usize },
}

/// The digest for one input of a transaction. To sign several inputs, make one [`SighashCache`] and ask it.
pub fn signature_hash(
    transaction: &Transaction<'_>,
    index: usize,
    spent: &SpentOutput<'_>,
    hash_type: u32,
    branch_id: u32,
) -> Result<Hash256, SighashError> {
    SighashCache::new(transaction)?.signature_hash(index, spent, hash_type, branch_id)
}

/// Refuses an input index the transaction does not have.
pub(crate) fn checked_input(transfer: &Transfer<'_>, index: usize) -> Result<(), SighashError> {
    let count = transfer.inputs.len();
    if index < count {
        Ok(())
    } else {
        Err(SighashError::NoSuchInput { index, count })
    }
}

const fn base_type(hash_type: u32) -> u32 {
    hash_type & 0x1f
}

const fn anyone_can_pay(hash_type: u32) -> bool {
    hash_type & SIGHASH_ANYONE_CAN_PAY != 0
}
