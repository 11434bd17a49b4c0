//! The header of an epoch. Its byte form is in the [module above](super).

use fluxplane_core::{Sat, id::EpochNumber};
use serde::{Deserialize, Serialize};

use super::{
    LeafError,
    codec::{Reader, Writer},
    wrong,
};
use crate::{asset::Asset, settlement::hash::Hash32};

pub(super) const HEADER_BYTES: usize = 94;

/// Leaf 0 of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochHeader {
    pub epoch: EpochNumber,
    pub previous_root: Hash32,
    pub opened_at: u64,
    pub closed_at: u64,
    pub lines: u32,
    pub payouts: u32,
    pub charged: Sat,
    pub paid: Sat,
    pub asset: Asset,
}

impl EpochHeader {
    pub(super) fn validate(&self) -> Result<(), LeafError> {
        if self.opened_at >= self.closed_at {
            return Err(wrong(
                "closed_at",
                &self.closed_at,
                "must be later than opened_at",
            ));
        }
        let first = self.epoch.0 == 1;
        if first != (self.previous_root == Hash32::ZERO) {
            let rule = "zero in epoch 1, and in no other";
            return Err(wrong("previous_root", &self.previous_root, rule));
        }
        if self.paid.is_negative() {
            return Err(wrong("paid", &self.paid, "must not be negative"));
        }
        Ok(())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(HEADER_BYTES, 0, self.epoch);
        writer.put(&self.previous_root.0);
        writer.put(&self.opened_at.to_be_bytes());
        writer.put(&self.closed_at.to_be_bytes());
        writer.put(&self.lines.to_be_bytes());
        writer.put(&self.payouts.to_be_bytes());
        writer.put(&self.charged.get().to_be_bytes());
        writer.put(&self.paid.get().to_be_bytes());
        writer.put(&self.asset.bytes());
        writer.bytes()
    }

    pub(super) fn read(epoch: EpochNumber, reader: &mut Reader<'_>) -> Result<Self, LeafError> {
        Ok(Self {
            epoch,
            previous_root: reader.hash(),
            opened_at: reader.u64(),
            closed_at: reader.u64(),
            lines: reader.u32(),
            payouts: reader.u32(),
            charged: reader.sat(),
            paid: reader.sat(),
            asset: reader.asset()?,
        })
    }
}
