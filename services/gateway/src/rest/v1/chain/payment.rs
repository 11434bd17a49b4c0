//! Payments to watched addresses, and what is known of them.

use chrono::{DateTime, Utc};
use fluxplane_proto::chain_indexer::v1 as wire;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{
    amount::Amount,
    wire::{Malformed, required, some, time},
};

/// A payment to addresses of the plane.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainPayment {
    pub txid: String,
    /// Empty when the payment names no message.
    pub message_hash: String,
    /// Outputs to payment addresses.
    pub outputs: Vec<PaidOutput>,
    pub total: Amount,
    /// Null while in the mempool.
    pub height: Option<u32>,
    pub block_hash: Option<String>,
    pub confirmations: u32,
}

/// An output to a payment address.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaidOutput {
    pub vout: u32,
    pub address: String,
    pub amount: Amount,
}

impl From<wire::Payment> for ChainPayment {
    fn from(payment: wire::Payment) -> Self {
        let block_hash = some(&payment.block_hash).map(str::to_owned);
        let outputs = payment.outputs.into_iter().map(|output| PaidOutput {
            vout: output.vout,
            address: output.address,
            amount: Amount::flux(output.amount_sat),
        });
        Self {
            txid: payment.txid,
            message_hash: payment.message_hash,
            outputs: outputs.collect(),
            total: Amount::flux(payment.total_sat),
            height: block_hash.is_some().then_some(payment.height),
            block_hash,
            confirmations: payment.confirmations,
        }
    }
}

/// Why a payment names no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemoProblem {
    /// No output carries an `OP_RETURN` text.
    Missing,
    /// Several outputs carry one.
    Ambiguous,
    /// The text has not 64 characters.
    Length,
    /// The text has 64 characters, not all of them lower-case hex digits.
    Alphabet,
}

impl MemoProblem {
    /// `None` when the payment names a message.
    fn from_wire(problem: i32) -> Result<Option<Self>, Malformed> {
        match wire::MemoProblem::try_from(problem) {
            Ok(wire::MemoProblem::Unspecified) => Ok(None),
            Ok(wire::MemoProblem::Missing) => Ok(Some(Self::Missing)),
            Ok(wire::MemoProblem::Ambiguous) => Ok(Some(Self::Ambiguous)),
            Ok(wire::MemoProblem::Length) => Ok(Some(Self::Length)),
            Ok(wire::MemoProblem::Alphabet) => Ok(Some(Self::Alphabet)),
            Err(_) => Err(Malformed::value("payment.problem", problem)),
        }
    }

    pub const fn to_wire(self) -> wire::MemoProblem {
        match self {
            Self::Missing => wire::MemoProblem::Missing,
            Self::Ambiguous => wire::MemoProblem::Ambiguous,
            Self::Length => wire::MemoProblem::Length,
            Self::Alphabet => wire::MemoProblem::Alphabet,
        }
    }
}

/// Where a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    Mempool,
    Mined,
    /// Neither in the mempool nor in a block.
    Dropped,
}

fn state(state: i32) -> Result<PaymentState, Malformed> {
    match wire::PaymentState::try_from(state) {
        Ok(wire::PaymentState::Mempool) => Ok(PaymentState::Mempool),
        Ok(wire::PaymentState::Mined) => Ok(PaymentState::Mined),
        Ok(wire::PaymentState::Dropped) => Ok(PaymentState::Dropped),
        Ok(wire::PaymentState::Unspecified) | Err(_) => {
            Err(Malformed::value("payment.state", state))
        }
    }
}

/// Why a payment is neither in the mempool nor in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Departure {
    /// It was missing for long; nobody knows why.
    Missing,
    /// A transaction in the mempool spends one of its inputs.
    Replaced,
    /// A transaction of a block spends one of its inputs.
    DoubleSpent,
}

fn departure(departure: i32) -> Result<Option<Departure>, Malformed> {
    match wire::Departure::try_from(departure) {
        Ok(wire::Departure::Unspecified) => Ok(None),
        Ok(wire::Departure::Missing) => Ok(Some(Departure::Missing)),
        Ok(wire::Departure::Replaced) => Ok(Some(Departure::Replaced)),
        Ok(wire::Departure::DoubleSpent) => Ok(Some(Departure::DoubleSpent)),
        Err(_) => Err(Malformed::value("payment.departure", departure)),
    }
}

/// A payment with its history.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordedPayment {
    pub payment: ChainPayment,
    pub state: PaymentState,
    /// Why it names no message; null when it names one.
    pub problem: Option<MemoProblem>,
    /// The same in words.
    pub problem_detail: Option<String>,
    pub first_seen_at: DateTime<Utc>,
    /// Why it was dropped; null unless it was.
    pub departure: Option<Departure>,
    /// The transaction that took its place; null unless it was replaced or double-spent.
    pub conflicting_txid: Option<String>,
}

impl TryFrom<wire::RecordedPayment> for RecordedPayment {
    type Error = Malformed;

    fn try_from(record: wire::RecordedPayment) -> Result<Self, Malformed> {
        Ok(Self {
            payment: required("payment", record.payment)?.into(),
            state: state(record.state)?,
            problem: MemoProblem::from_wire(record.problem)?,
            problem_detail: some(&record.memo_problem).map(str::to_owned),
            first_seen_at: time("payment.first_seen_at", record.first_seen_at)?,
            departure: departure(record.departure)?,
            conflicting_txid: some(&record.conflicting_txid).map(str::to_owned),
        })
    }
}
