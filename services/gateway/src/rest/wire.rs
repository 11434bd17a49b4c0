//! Reading what other services answer. They are ours, but a newer or broken one must not make us say something false.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::error::ServiceError;
use prost_types::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Failure;

/// Another service answered something that its contract rules out.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    #[error("an answer of another service lacks `{0}`")]
    Missing(&'static str),
    #[error("an answer of another service has `{value}` as `{field}`")]
    Value { field: &'static str, value: String },
}

impl Malformed {
    pub fn missing(field: &'static str) -> Self {
        Self::Missing(field)
    }

    pub fn value(field: &'static str, value: impl std::fmt::Display) -> Self {
        Self::Value {
            field,
            value: value.to_string(),
        }
    }
}

impl ServiceError for Malformed {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Internal
    }

    fn reason(&self) -> Reason {
        Reason::Internal
    }
}

impl From<Malformed> for Failure {
    fn from(err: Malformed) -> Self {
        Self::of(&err)
    }
}

/// A message that must be there.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Malformed> {
    value.ok_or(Malformed::Missing(field))
}

/// A time that must be there.
pub fn time(field: &'static str, at: Option<Timestamp>) -> Result<DateTime<Utc>, Malformed> {
    optional_time(field, at)?.ok_or(Malformed::Missing(field))
}

/// A time that may be absent.
pub fn optional_time(
    field: &'static str,
    at: Option<Timestamp>,
) -> Result<Option<DateTime<Utc>>, Malformed> {
    at.map(|at| {
        u32::try_from(at.nanos)
            .ok()
            .and_then(|nanos| DateTime::from_timestamp(at.seconds, nanos))
            .ok_or_else(|| Malformed::value(field, at.seconds))
    })
    .transpose()
}

/// An id that must be there.
pub fn id(field: &'static str, text: &str) -> Result<Uuid, Malformed> {
    text.parse().map_err(|_| Malformed::value(field, text))
}

/// An id that may be absent.
pub fn optional_id(field: &'static str, text: &str) -> Result<Option<Uuid>, Malformed> {
    some(text).map(|text| id(field, text)).transpose()
}

/// An empty text means "none" in our messages.
pub fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// JSON that another service made, passed on as it is.
pub fn json(field: &'static str, text: String) -> Result<Box<RawValue>, Malformed> {
    RawValue::from_string(text).map_err(|err| Malformed::value(field, err))
}

/// The text of a JSON object in a request, as the client wrote it: what is signed are its bytes.
pub fn object_text(field: &str, value: &RawValue) -> Result<String, Failure> {
    let text = value.get();
    if text.starts_with('{') {
        return Ok(text.to_owned());
    }
    Err(Failure::invalid(Violation::new(
        field,
        text,
        "a specification is a JSON object",
        "send the object itself, not a text that contains it",
    )))
}
