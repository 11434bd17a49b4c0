//! An anchor as the validator sees it.

use chrono::{DateTime, Utc};
use fluxplane_proto::validator::v1 as wire;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::wire::{Malformed, some, time};

/// How far an anchor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnchorState {
    /// The published leaves do not give the published root; nothing was sent.
    Refused,
    /// Signed and stored, not accepted by a chain node yet.
    Signed,
    Broadcast,
    Confirmed,
    /// 40 confirmations.
    Final,
}

/// The transaction that carries an epoch's root, recomputed and signed by the validator.
#[derive(Debug, Serialize, ToSchema)]
pub struct Anchor {
    #[schema(example = 12)]
    pub epoch: u64,
    pub state: AnchorState,
    /// The root the validator computed itself, lower-case hex.
    pub root: String,
    pub leaf_count: u64,
    /// Null until signed.
    pub txid: Option<String>,
    /// Null until in a block.
    pub height: Option<u32>,
    pub confirmations: u32,
    /// Why it is refused, or stays signed.
    pub reason: String,
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<wire::Anchor> for Anchor {
    type Error = Malformed;

    fn try_from(anchor: wire::Anchor) -> Result<Self, Malformed> {
        Ok(Self {
            epoch: anchor.epoch,
            state: state(anchor.state)?,
            root: hex::encode(anchor.root),
            leaf_count: anchor.leaf_count,
            txid: some(&anchor.txid).map(str::to_owned),
            height: Some(anchor.height).filter(|height| *height > 0),
            confirmations: anchor.confirmations,
            reason: anchor.reason,
            updated_at: time("updated_at", anchor.updated_at)?,
        })
    }
}

fn state(state: i32) -> Result<AnchorState, Malformed> {
    match wire::AnchorState::try_from(state) {
        Ok(wire::AnchorState::Refused) => Ok(AnchorState::Refused),
        Ok(wire::AnchorState::Signed) => Ok(AnchorState::Signed),
        Ok(wire::AnchorState::Broadcast) => Ok(AnchorState::Broadcast),
        Ok(wire::AnchorState::Confirmed) => Ok(AnchorState::Confirmed),
        Ok(wire::AnchorState::Final) => Ok(AnchorState::Final),
        Ok(wire::AnchorState::Unspecified) | Err(_) => Err(Malformed::value("anchor.state", state)),
    }
}
