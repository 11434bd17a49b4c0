//! Payments to watched addresses: found, and where they stand.

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use fluxplane_flux_chain::{Address, Hash256, OutPoint, Transaction};

use crate::domain::{
    Tip, Watch,
    memo::{self, Memo},
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
    /// What it pays for, or why nobody can tell.
    pub memo: Memo,
    /// Outputs it spends.
    pub inputs: Vec<OutPoint>,
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
    Dropped(Departure),
}

/// Why a payment is neither in the mempool nor in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// It was missing for too long.
    Missing,
    /// This transaction of the mempool spends one of its inputs.
    Replaced(Hash256),
    /// This transaction of a block spends one of its inputs.
    DoubleSpent(Hash256),
}

impl Departure {
    pub const NAMES: [&'static str; 3] = ["missing", "replaced", "double_spent"];

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Replaced(_) => "replaced",
            Self::DoubleSpent(_) => "double_spent",
        }
    }

    /// The transaction that took the payment's place.
    pub const fn conflicting(&self) -> Option<Hash256> {
        match self {
            Self::Missing => None,
            Self::Replaced(txid) | Self::DoubleSpent(txid) => Some(*txid),
        }
    }
}

impl Place {
    /// Why it is gone, when it is.
    pub const fn departure(&self) -> Option<&Departure> {
        match self {
            Self::Dropped(departure) => Some(departure),
            Self::Mempool | Self::Mined(_) => None,
        }
    }

    /// Blocks from the payment's own to the tip, both counted; 0 outside the chain.
    pub const fn confirmations(&self, tip_height: u32) -> u32 {
        match self {
            Self::Mined(block) => tip_height.saturating_sub(block.height).saturating_add(1),
            Self::Mempool | Self::Dropped(_) => 0,
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
pub struct AmountOverflow(pub Hash256);

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
    let inputs = transaction.inputs().iter().map(|input| input.previous);
    Ok(Some(Payment {
        txid,
        memo: memo::read(transaction.outputs()),
        inputs: inputs.filter(|previous| !previous.is_null()).collect(),
        outputs,
        total,
        first_seen_at: seen_at,
    }))
}
