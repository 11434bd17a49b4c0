//! From domain to wire.

use chrono::{DateTime, Utc};
use fluxplane_proto::validator::v1 as wire;
use prost_types::Timestamp;

use crate::domain::anchor::{Anchor, AnchorState};

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

fn count(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

const fn state_to_wire(state: AnchorState) -> wire::AnchorState {
    match state {
        AnchorState::Announced | AnchorState::Verified => wire::AnchorState::Unspecified,
        AnchorState::Refused => wire::AnchorState::Refused,
        AnchorState::Signed => wire::AnchorState::Signed,
        AnchorState::Broadcast => wire::AnchorState::Broadcast,
        AnchorState::Confirmed => wire::AnchorState::Confirmed,
        AnchorState::Final => wire::AnchorState::Final,
    }
}

pub fn anchor_to_wire(anchor: &Anchor) -> wire::Anchor {
    wire::Anchor {
        epoch: anchor.announced.epoch,
        state: state_to_wire(anchor.state).into(),
        root: anchor.announced.root.0.to_vec(),
        leaf_count: anchor.announced.leaf_count,
        txid: anchor.txid.clone(),
        height: anchor.height.map(count).unwrap_or_default(),
        confirmations: count(anchor.confirmations),
        reason: anchor.reason.clone(),
        updated_at: Some(timestamp(anchor.updated_at)),
    }
}
