//! What is written down of a changing call.

use chrono::{DateTime, Utc};
use fluxplane_core::id::SessionId;
use uuid::Uuid;

/// The beginning of an audit row: everything known before the call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    /// Empty when nobody is signed in.
    pub principal: String,
    pub session: Option<SessionId>,
    pub method: &'static str,
    /// Path template of the operation.
    pub route: &'static str,
    /// The path as called.
    pub target: String,
    pub request_id: String,
}

/// How the call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub id: Uuid,
    pub finished_at: DateTime<Utc>,
    /// HTTP status.
    pub status: u16,
    /// Reason code of a refusal.
    pub code: Option<&'static str>,
    /// Who it turned out to be, for calls that sign in.
    pub principal: Option<String>,
    /// What the call made, when the path does not say.
    pub target: Option<String>,
}

/// Longest target kept, in characters.
pub const MAX_TARGET_CHARS: usize = 512;

/// Cuts a target to what is kept of it.
pub fn shorten(target: &str) -> String {
    target.chars().take(MAX_TARGET_CHARS).collect()
}
