//! A line of an invoice. Its byte form is in the [module above](super).

use fluxplane_core::{
    Sat,
    id::{AppId, EpochNumber, InstanceId, InvoiceId, NodeId, QuoteId},
};
use serde::{Deserialize, Serialize};

use super::{
    LeafError,
    codec::{Reader, Writer},
    wrong,
};
use crate::{
    asset::Asset,
    settlement::{commitment::Commitment, hash::Hash32},
};

pub(super) const LINE_BYTES: usize = 207;

/// One line of one invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    pub epoch: EpochNumber,
    pub invoice: InvoiceId,
    pub number: u32,
    pub customer: Commitment,
    pub app: AppId,
    pub instance: InstanceId,
    pub node: NodeId,
    pub quote: QuoteId,
    pub price_table: u32,
    pub from: u64,
    pub to: u64,
    pub seconds: u64,
    pub kind: LineKind,
    pub amount: Sat,
    pub asset: Asset,
    pub evidence: Hash32,
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Evidenced time.
    Usage,
    /// Something given back.
    Refund,
}

impl InvoiceLine {
    pub(super) fn validate(&self) -> Result<(), LeafError> {
        let Some(span) = self.to.checked_sub(self.from).filter(|span| *span > 0) else {
            return Err(wrong("to", &self.to, "must be later than from"));
        };
        if self.seconds > span {
            return Err(wrong("seconds", &self.seconds, "must be at most to - from"));
        }
        match self.kind {
            LineKind::Usage if self.amount.is_negative() => {
                Err(wrong("amount", &self.amount, "usage must not be negative"))
            }
            LineKind::Refund if !self.amount.is_negative() => {
                Err(wrong("amount", &self.amount, "a refund must be negative"))
            }
            LineKind::Usage | LineKind::Refund => Ok(()),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(LINE_BYTES, 1, self.epoch);
        writer.put(self.invoice.uuid().as_bytes());
        writer.put(&self.number.to_be_bytes());
        writer.put(&self.customer.0.0);
        writer.put(self.app.uuid().as_bytes());
        writer.put(self.instance.uuid().as_bytes());
        writer.put(self.node.uuid().as_bytes());
        writer.put(self.quote.uuid().as_bytes());
        writer.put(&self.price_table.to_be_bytes());
        writer.put(&self.from.to_be_bytes());
        writer.put(&self.to.to_be_bytes());
        writer.put(&self.seconds.to_be_bytes());
        writer.put(&[match self.kind {
            LineKind::Usage => 1,
            LineKind::Refund => 2,
        }]);
        writer.put(&self.amount.get().to_be_bytes());
        writer.put(&self.asset.bytes());
        writer.put(&self.evidence.0);
        writer.bytes()
    }

    pub(super) fn read(epoch: EpochNumber, reader: &mut Reader<'_>) -> Result<Self, LeafError> {
        Ok(Self {
            epoch,
            invoice: reader.uuid().into(),
            number: reader.u32(),
            customer: Commitment(reader.hash()),
            app: reader.uuid().into(),
            instance: reader.uuid().into(),
            node: reader.uuid().into(),
            quote: reader.uuid().into(),
            price_table: reader.u32(),
            from: reader.u64(),
            to: reader.u64(),
            seconds: reader.u64(),
            kind: match reader.array() {
                [1] => LineKind::Usage,
                [2] => LineKind::Refund,
                [other] => return Err(wrong("kind of line", &other, "known are 1 and 2")),
            },
            amount: reader.sat(),
            asset: reader.asset()?,
            evidence: reader.hash(),
        })
    }
}
