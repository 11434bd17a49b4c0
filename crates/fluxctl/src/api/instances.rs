//! Instances of an application: where they are, why, what happened, what they write.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    Client, Error,
    call::Call,
    open_enum::open_enum,
    page::{Listing, Page},
};

open_enum! {
    /// Where an instance is in its life.
    InstanceState {
        Pending = "pending",
        Assigned = "assigned",
        Pulling = "pulling",
        Starting = "starting",
        Healthy = "healthy",
        Unhealthy = "unhealthy",
        Failed = "failed",
        Stopping = "stopping",
        Stopped = "stopped",
        Lost = "lost",
    }
}

impl InstanceState {
    /// Whether it will never run again.
    pub const fn has_ended(&self) -> bool {
        match self {
            Self::Stopped | Self::Lost => true,
            Self::Pending
            | Self::Assigned
            | Self::Pulling
            | Self::Starting
            | Self::Healthy
            | Self::Unhealthy
            | Self::Failed
            | Self::Stopping
            | Self::Other(_) => false,
        }
    }
}

/// One copy of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub instance_id: Uuid,
    /// Which of the wanted copies this is, from 0.
    pub slot: u32,
    pub state: InstanceState,
    pub reason: String,
    pub revision_id: Uuid,
    pub revision_number: u32,
    /// Null while pending.
    pub node_id: Option<Uuid>,
    pub assignment_epoch: u64,
    /// Where each port is reached, `host:port`.
    pub endpoints: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub healthy_at: Option<DateTime<Utc>>,
}

/// Why an instance is where it is, or why it waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decision {
    pub instance_id: Uuid,
    /// The decision record; it replays to the same answer.
    pub record: Box<RawValue>,
    /// The same in words.
    pub explanation: String,
}

/// One stage that an application or an instance reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Grows from entry to entry of one application.
    pub sequence: u64,
    pub at: DateTime<Utc>,
    pub stage: String,
    /// Null when the entry is about the whole application.
    pub instance_id: Option<Uuid>,
    pub node_id: Option<Uuid>,
    /// For people, with the cause when something went wrong.
    pub message: String,
    pub revision_number: u32,
}

open_enum! {
    /// Where a line was written.
    LogStream {
        Stdout = "stdout",
        Stderr = "stderr",
    }
}

/// A line that an instance wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub at: DateTime<Utc>,
    pub stream: LogStream,
    pub text: String,
    pub component: String,
}

impl Client {
    /// The instances of an application; with `ended` also those that stopped or were lost.
    pub async fn instances(&self, name: &str, ended: bool) -> Result<Vec<Instance>, Error> {
        let mut call = Call::get(&["apps", name, "instances"]);
        if ended {
            call = call.query("include_ended", "true");
        }
        let listing: Listing<Instance> = self.json::<Page<Instance>>(&call).await?.into();
        Ok(listing.items)
    }

    pub async fn decision(&self, name: &str, instance: Uuid) -> Result<Decision, Error> {
        let instance = instance.to_string();
        self.json(&Call::get(&[
            "apps",
            name,
            "instances",
            &instance,
            "decision",
        ]))
        .await
    }

    /// What happened to an application so far behind the entry with sequence `after`, oldest first; 0 for all.
    pub async fn timeline(
        &self,
        name: &str,
        after: u64,
        limit: u32,
    ) -> Result<Listing<TimelineEntry>, Error> {
        let call = Call::get(&["apps", name, "timeline"]);
        // The sequence of an entry is the cursor of what follows it.
        let start = (after > 0).then(|| after.to_string());
        self.listing_from(call, start, limit).await
    }
}
