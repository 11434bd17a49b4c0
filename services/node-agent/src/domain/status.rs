//! What the agent says about an instance.

use chrono::{DateTime, Utc};
use fluxplane_core::id::{InstanceId, RevisionId};
use serde::{Deserialize, Serialize};

/// Where an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// An image is being fetched.
    Pulling,
    /// Containers are being made, or run and have not answered yet.
    Starting,
    /// Runs and its probe succeeds.
    Healthy,
    /// Runs and its probe fails, or is about to be started again.
    Unhealthy,
    /// Cannot run as specified.
    Failed,
    /// Not wanted any more; its containers and data are being removed.
    Stopped,
}

impl Phase {
    pub const ALL: [Self; 6] = [
        Self::Pulling,
        Self::Starting,
        Self::Healthy,
        Self::Unhealthy,
        Self::Failed,
        Self::Stopped,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pulling => "pulling",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// One instance, as reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub instance: InstanceId,
    pub assignment_epoch: u64,
    pub revision: RevisionId,
    pub app_name: String,
    pub phase: Phase,
    /// The true cause when it is not healthy; may be empty while it starts.
    pub reason: String,
    /// Times a container was started again since the agent took the instance on.
    pub restarts: u32,
    /// When it entered the phase.
    pub since: DateTime<Utc>,
}

/// Longest reason, in characters: it is stored and shown with every instance.
const MAX_REASON: usize = 500;

/// Shortens a cause to what is stored, on one line.
pub fn reason(cause: &str) -> String {
    let mut line: String = cause.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(MAX_REASON) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        assert_eq!(reason(" image\n not\tfound "), "image not found");
        let long = reason(&"é".repeat(2_000));
        assert_eq!(long.chars().count(), MAX_REASON + 1);
    }
}
