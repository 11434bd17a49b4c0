//! What the running agent says of itself, for `node-agent status`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{DataDir, StoreError};
use crate::domain::Status;

const FILE: &str = "status.json";

/// State of the agent at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    pub written_at: DateTime<Utc>,
    /// Whether it had a session with the plane.
    pub connected: bool,
    /// Version of the desired state it acts on; 0 when it has none.
    pub desired_version: u64,
    /// Usage reports the plane has not acknowledged.
    pub usage_reports_waiting: usize,
    pub instances: Vec<Status>,
}

impl DataDir {
    pub fn snapshot(&self) -> Result<Option<Snapshot>, StoreError> {
        self.read(FILE, "remove it; the running agent writes it again")
    }

    pub fn put_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.write(FILE, snapshot)
    }
}
