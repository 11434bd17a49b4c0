//! What a node earned. Its byte form is in the [module above](super).

use fluxplane_core::{
    Sat,
    id::{EpochNumber, NodeId, TransferId},
};
use serde::{Deserialize, Serialize};

use super::{
    LeafError,
    codec::{Reader, Writer},
    wrong,
};
use crate::{asset::Asset, settlement::commitment::Commitment};

pub(super) const PAYOUT_BYTES: usize = 114;

/// What a node earned in the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    pub epoch: EpochNumber,
    pub id: TransferId,
    pub operator: Commitment,
    pub node: NodeId,
    pub share_table: u32,
    pub online: Sat,
    pub hosting: Sat,
    pub asset: Asset,
    pub seconds_online: u64,
}

impl Payout {
    /// What the node earned in all; `None` when that is no amount.
    pub fn total(&self) -> Option<Sat> {
        self.online.checked_add(self.hosting)
    }

    pub(super) fn validate(&self) -> Result<(), LeafError> {
        for (field, amount) in [("online", self.online), ("hosting", self.hosting)] {
            if amount.is_negative() {
                return Err(wrong(field, &amount, "must not be negative"));
            }
        }
        if self.total().is_none() {
            return Err(wrong(
                "hosting",
                &self.hosting,
                "the sum of both parts is no amount",
            ));
        }
        Ok(())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(PAYOUT_BYTES, 2, self.epoch);
        writer.put(self.id.uuid().as_bytes());
        writer.put(&self.operator.0.0);
        writer.put(self.node.uuid().as_bytes());
        writer.put(&self.share_table.to_be_bytes());
        writer.put(&self.online.get().to_be_bytes());
        writer.put(&self.hosting.get().to_be_bytes());
        writer.put(&self.asset.bytes());
        writer.put(&self.seconds_online.to_be_bytes());
        writer.bytes()
    }

    pub(super) fn read(epoch: EpochNumber, reader: &mut Reader<'_>) -> Result<Self, LeafError> {
        Ok(Self {
            epoch,
            id: reader.uuid().into(),
            operator: Commitment(reader.hash()),
            node: reader.uuid().into(),
            share_table: reader.u32(),
            online: reader.sat(),
            hosting: reader.sat(),
            asset: reader.asset()?,
            seconds_online: reader.u64(),
        })
    }
}
