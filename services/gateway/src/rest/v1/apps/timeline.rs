//! What happened to an application, entry by entry.

use chrono::{DateTime, Utc};
use fluxplane_proto::scheduler::v1 as wire;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::wire::{Malformed, optional_id, time};

/// One stage that an application or an instance reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// Grows from entry to entry of one application.
    #[schema(example = 4)]
    pub sequence: u64,
    pub at: DateTime<Utc>,
    /// `accepted`, `payment_seen`, `funded`, `placed`, `told`, `pulling`, `starting`, `healthy`, …
    #[schema(example = "placed")]
    pub stage: String,
    /// Null when the entry is about the whole application.
    pub instance_id: Option<Uuid>,
    pub node_id: Option<Uuid>,
    /// The same for people, with the cause when something went wrong.
    pub message: String,
    pub revision_number: u32,
}

impl TryFrom<wire::TimelineEntry> for TimelineEntry {
    type Error = Malformed;

    fn try_from(entry: wire::TimelineEntry) -> Result<Self, Malformed> {
        Ok(Self {
            sequence: entry.sequence,
            at: time("at", entry.at)?,
            stage: entry.stage,
            instance_id: optional_id("instance_id", &entry.instance_id)?,
            node_id: optional_id("node_id", &entry.node_id)?,
            message: entry.message,
            revision_number: entry.revision_number,
        })
    }
}
