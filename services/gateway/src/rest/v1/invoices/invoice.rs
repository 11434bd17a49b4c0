//! An invoice as its owner sees it.

use chrono::{DateTime, Utc};
use fluxplane_proto::billing::v1 as wire;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::{
    amount::Amount,
    v1::epochs::EpochState,
    wire::{Malformed, id, optional_id, time},
};

/// A customer's bill for one settlement epoch.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "fields are named as in the JSON")]
pub struct Invoice {
    pub invoice_id: Uuid,
    pub owner: String,
    #[schema(example = 12)]
    pub epoch: u64,
    /// A line can be proven against the chain once the epoch is anchored.
    pub epoch_state: EpochState,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub total: Amount,
    pub line_count: u32,
    /// Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<InvoiceLine>>,
}

/// Evidenced running time of one instance.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoiceLine {
    /// Counts from 1.
    #[schema(example = 1)]
    pub number: u32,
    pub app_id: Uuid,
    pub app_name: String,
    pub instance_id: Option<Uuid>,
    pub node_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
    #[schema(example = 3_600)]
    pub seconds: u64,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub amount: Amount,
    /// Place of its leaf in the epoch's tree.
    pub leaf_index: u64,
}

impl Invoice {
    /// Without lines.
    pub fn brief(invoice: wire::Invoice) -> Result<Self, Malformed> {
        Ok(Self {
            invoice_id: id("invoice_id", &invoice.invoice_id)?,
            owner: invoice.owner,
            epoch: invoice.epoch,
            epoch_state: EpochState::from_wire(invoice.epoch_state)?,
            from: time("from", invoice.from)?,
            to: time("to", invoice.to)?,
            total: Amount::from_wire("total", invoice.total)?,
            line_count: invoice.line_count,
            lines: None,
        })
    }

    pub fn whole(mut invoice: wire::Invoice) -> Result<Self, Malformed> {
        let lines = std::mem::take(&mut invoice.lines)
            .into_iter()
            .map(InvoiceLine::try_from);
        let lines = lines.collect::<Result<_, _>>()?;
        Ok(Self {
            lines: Some(lines),
            ..Self::brief(invoice)?
        })
    }
}

impl TryFrom<wire::InvoiceLine> for InvoiceLine {
    type Error = Malformed;

    fn try_from(line: wire::InvoiceLine) -> Result<Self, Malformed> {
        Ok(Self {
            number: line.number,
            app_id: id("app_id", &line.app_id)?,
            app_name: line.app_name,
            instance_id: optional_id("instance_id", &line.instance_id)?,
            node_id: optional_id("node_id", &line.node_id)?,
            quote_id: optional_id("quote_id", &line.quote_id)?,
            seconds: line.seconds,
            from: time("line.from", line.from)?,
            to: time("line.to", line.to)?,
            amount: Amount::from_wire("line.amount", line.amount)?,
            leaf_index: line.leaf_index,
        })
    }
}
