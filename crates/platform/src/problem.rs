//! Problem documents (RFC 9457): what every failed REST request answers.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fluxplane_core::{ErrorKind, error::Violation};
use serde::{Deserialize, Serialize};

use crate::error::{Remote, ServiceError, http_status};

/// Media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A failed request, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Page about this kind of problem, relative to the API's origin.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// Reason code in words.
    pub title: String,
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Stable reason code.
    pub code: String,
    /// Identifies the request in our logs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// Seconds to wait before trying again, when that may help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Problem {
    pub fn new<E: ServiceError>(err: &E) -> Self {
        let code = err.reason().code();
        Self {
            type_uri: format!("/docs/errors#{code}"),
            title: title(code),
            status: http_status(err.kind()).as_u16(),
            detail: detail(err),
            code: code.to_owned(),
            request_id: String::new(),
            violations: err.violations(),
            retry_after: err.kind().retryable().then_some(1),
        }
    }

    /// The same problem with another HTTP status, where REST has a finer one than our kinds.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status.as_u16();
        self
    }

    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = id.into();
        self
    }
}

impl From<Remote> for Problem {
    fn from(remote: Remote) -> Self {
        Self::new(&remote)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn detail<E: ServiceError>(err: &E) -> String {
    match err.kind() {
        ErrorKind::Internal => "internal error; the request id finds it in our logs".to_owned(),
        ErrorKind::Invalid
        | ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Stale
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Exhausted
        | ErrorKind::PaymentRequired
        | ErrorKind::Unavailable => err.to_string(),
    }
}

/// `spec-invalid` → `Spec invalid`.
fn title(code: &str) -> String {
    let mut words = code.replace('-', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}
