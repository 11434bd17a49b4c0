//! Reading fields of events. What cannot be read will never be readable: the event is set aside.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use fluxplane_platform::bus::HandlerError;
use prost::Message;
use prost_types::Timestamp;

pub(super) fn decode<M: Message + Default>(payload: &[u8]) -> Result<M, HandlerError> {
    M::decode(payload).map_err(HandlerError::poison)
}

pub(super) fn id<T: From<uuid::Uuid>>(field: &'static str, text: &str) -> Result<T, HandlerError> {
    text.parse::<uuid::Uuid>()
        .map(T::from)
        .with_context(|| format!("{field} `{text}`"))
        .map_err(HandlerError::poison)
}

pub(super) fn given<T>(field: &'static str, value: Option<T>) -> Result<T, HandlerError> {
    value.context(field).map_err(HandlerError::poison)
}

pub(super) fn time(
    field: &'static str,
    value: Option<Timestamp>,
) -> Result<DateTime<Utc>, HandlerError> {
    let value = given(field, value)?;
    let nanos = u32::try_from(value.nanos).unwrap_or(0);
    given(field, DateTime::from_timestamp(value.seconds, nanos))
}
