//! The plane's services that the agent calls outside of its session.

mod join;
pub mod private;
mod renewal;

pub use join::{JoinClient, JoinReply, JoinRequest};
pub use renewal::{RenewalClient, Renewed};

use chrono::{DateTime, Utc};
use fluxplane_core::{ErrorKind, error::Reason};
use fluxplane_platform::error::Remote;
use prost_types::Timestamp;

/// A time the plane has to give.
fn time(field: &str, at: Option<Timestamp>) -> Result<DateTime<Utc>, Remote> {
    at.and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?))
        .ok_or_else(|| malformed(field))
}

/// The plane answered what it should not.
fn malformed(field: &str) -> Remote {
    Remote {
        kind: ErrorKind::Internal,
        reason: Reason::Internal,
        message: format!(
            "the plane's answer has no usable `{field}`; it may be of another version"
        ),
        violations: Vec::new(),
    }
}
