//! Payments to watched addresses: found, and where they stand.

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use fluxplane_flux_chain::{Address, Hash256, Transaction};

use crate::domain::{
    Tip, Watch,
    memo::{self, Memo, MessageHash},
};

/// Transaction versions that can pay for applications (RunOnFlux/flux `ZelBack/src/services/explorerService.js`).
const PAYING_VERSIONS: std::ops::RangeInclusive<u32> = 1..=4;

/// An output to a watched address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOutput {
    pub vout: u32,
    pub address: Address,
    pub amount: Sat,
}

/// A transaction that pays watched addresses. What it says never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub txid: Hash256,
    /// What it pays for; `None` when `memo_problem` says why nobody can tell.
    pub message: Option<MessageHash>,
    pub memo_problem: String,
    pub outputs: Vec<PaidOutput>,
    pub total: Sat,
    pub first_seen_at: DateTime<Utc>,
}

/// Where a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the mempool, or on its way back there after its block was undone.
    Mempool,
    /// In this block of the best chain.
    Mined(Tip),
    /// Neither in the mempool nor in a block.
    Dropped,
}

impl Place {
    /// Blocks from the payment's own to the tip, both counted; 0 outside the chain.
    pub const fn confirmations(&self, tip_height: u32) -> u32 {
        match self {
            Self::Mined(block) => tip_height.saturating_sub(block.height).saturating_add(1),
            Self::Mempool | Self::Dropped => 0,
        }
    }
}

/// A payment and what was announced of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRecord {
    pub payment: Payment,
    pub place: Place,
    /// Highest threshold announced since it entered its block.
    pub announced: u32,
}

/// The outputs of a payment add up to more than any amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the outputs of transaction {0} add up to more than any amount of FLUX")]
pub struct AmountOverflow(Hash256);

/// Looks for payments in a transaction that is, or may be, mined at `height`.
pub fn find(
    watch: &Watch,
    transaction: &Transaction<'_>,
    txid: Hash256,
    height: u32,
    seen_at: DateTime<Utc>,
) -> Result<Option<Payment>, AmountOverflow> {
    if !PAYING_VERSIONS.contains(&transaction.version()) {
        return Ok(None);
    }
    let outputs: Vec<PaidOutput> = (0..)
        .zip(transaction.outputs())
        .filter_map(|(vout, output)| {
            let address = watch.paid(output.script, height)?;
            let amount = output.value;
            Some(PaidOutput {
                vout,
                address,
                amount,
            })
        })
        .collect();
    if outputs.is_empty() {
        return Ok(None);
    }
    let total =
        Sat::checked_sum(outputs.iter().map(|out| out.amount)).ok_or(AmountOverflow(txid))?;
    let (message, memo_problem) = match memo::read(transaction.outputs()) {
        Memo::Message(hash) => (Some(hash), String::new()),
        Memo::Problem(problem) => (None, problem),
    };
    Ok(Some(Payment {
        txid,
        message,
        memo_problem,
        outputs,
        total,
        first_seen_at: seen_at,
    }))
}
