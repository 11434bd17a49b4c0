//! A settlement epoch.

use chrono::{DateTime, Utc};
use fluxplane_proto::billing::v1 as wire;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::{
    amount::Amount,
    wire::{Malformed, optional_time, some, time},
};

/// How far an epoch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EpochState {
    Open,
    /// Root computed, not on the chain yet.
    Closed,
    /// Anchor transaction in a block.
    Anchored,
    /// Anchor has 40 confirmations.
    Sealed,
}

impl EpochState {
    pub fn from_wire(state: i32) -> Result<Self, Malformed> {
        match wire::EpochState::try_from(state) {
            Ok(wire::EpochState::Open) => Ok(Self::Open),
            Ok(wire::EpochState::Closed) => Ok(Self::Closed),
            Ok(wire::EpochState::Anchored) => Ok(Self::Anchored),
            Ok(wire::EpochState::Sealed) => Ok(Self::Sealed),
            Ok(wire::EpochState::Unspecified) | Err(_) => {
                Err(Malformed::value("epoch.state", state))
            }
        }
    }
}

/// A settlement epoch: all usage lines and earnings between two times, under one root.
#[derive(Debug, Serialize, ToSchema)]
pub struct Epoch {
    #[schema(example = 12)]
    pub number: u64,
    pub state: EpochState,
    pub from: DateTime<Utc>,
    /// Null while open.
    pub to: Option<DateTime<Utc>>,
    /// Lower-case hex; null while open.
    pub root: Option<String>,
    /// Root of the epoch before; null for the first.
    pub previous_root: Option<String>,
    pub leaf_count: u64,
    /// What customers were charged.
    pub charged: Amount,
    /// What operators earned.
    pub paid_out: Amount,
    /// Where the root is on the chain; null until it is.
    pub anchor: Option<EpochAnchor>,
}

/// The transaction that carries an epoch's root.
#[derive(Debug, Serialize, ToSchema)]
pub struct EpochAnchor {
    pub txid: String,
    /// Null while in the mempool.
    pub height: Option<u32>,
    pub confirmations: u32,
}

impl TryFrom<wire::Epoch> for Epoch {
    type Error = Malformed;

    fn try_from(epoch: wire::Epoch) -> Result<Self, Malformed> {
        let hash = |bytes: &[u8]| Some(hex::encode(bytes)).filter(|text| !text.is_empty());
        let height = Some(epoch.anchor_height).filter(|height| *height > 0);
        let confirmations = epoch.anchor_confirmations;
        Ok(Self {
            number: epoch.number,
            state: EpochState::from_wire(epoch.state)?,
            from: time("from", epoch.from)?,
            to: optional_time("to", epoch.to)?,
            root: hash(&epoch.root),
            previous_root: hash(&epoch.previous_root),
            leaf_count: epoch.leaf_count,
            charged: Amount::from_wire("charged", epoch.charged)?,
            paid_out: Amount::from_wire("paid_out", epoch.paid_out)?,
            anchor: some(&epoch.anchor_txid).map(|txid| EpochAnchor {
                txid: txid.to_owned(),
                height,
                confirmations,
            }),
        })
    }
}
