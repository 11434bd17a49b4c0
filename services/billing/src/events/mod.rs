//! What billing announces, and what it makes of others' announcements.

pub mod announce;
pub mod on_anchor;
pub mod on_app_ended;
pub mod on_assigned;
pub mod on_block;
pub mod on_node;
pub mod on_payment;
pub mod on_revision;
pub mod on_usage;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use fluxplane_platform::bus::HandlerError;
use prost_types::Timestamp;

use crate::app::Error;

/// Reads an id of an event.
fn id<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, HandlerError>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse()
        .with_context(|| format!("{field} is `{text}`"))
        .map_err(HandlerError::poison)
}

/// Reads a time of an event, to the microsecond that the database keeps.
fn time(field: &'static str, at: Option<Timestamp>) -> Result<DateTime<Utc>, HandlerError> {
    let read = |at: Timestamp| {
        let nanos = u32::try_from(at.nanos).ok()?;
        DateTime::from_timestamp(at.seconds, nanos / 1_000 * 1_000)
    };
    at.and_then(read)
        .with_context(|| format!("{field} is missing or no time"))
        .map_err(HandlerError::poison)
}

/// What cannot be applied now is tried again; what names nonsense is set aside.
fn refused(err: Error) -> HandlerError {
    match err {
        err @ (Error::Party(_) | Error::Transfer(_)) => HandlerError::poison(err),
        err => HandlerError::retry(err),
    }
}
