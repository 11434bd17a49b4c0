//! From our error kinds to gRPC and HTTP, in one table; and how an error travels between services without losing its
//! reason code and its violations.

use std::{collections::HashMap, error::Error, time::Duration};

use axum::http::StatusCode;
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::metrics::Metrics;

/// Pause proposed to a caller whose request may succeed later.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// `ErrorInfo.domain` of our services.
const DOMAIN: &str = "fluxplane";

/// `ErrorInfo` metadata key under which violations travel as JSON.
const VIOLATIONS: &str = "violations";

/// An error that leaves a service.
pub trait ServiceError: Error {
    fn kind(&self) -> ErrorKind;

    /// Stable code with a page in `docs/ERRORS.md`.
    fn reason(&self) -> Reason;

    /// What exactly is wrong with the request, field by field.
    fn violations(&self) -> Vec<Violation> {
        Vec::new()
    }
}

/// The gRPC code of a kind.
pub const fn grpc_code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::Conflict | ErrorKind::PaymentRequired => Code::FailedPrecondition,
        ErrorKind::Stale => Code::Aborted,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::Forbidden => Code::PermissionDenied,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Internal => Code::Internal,
    }
}

/// The HTTP status of a kind.
pub const fn http_status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Stale => StatusCode::PRECONDITION_FAILED,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::PaymentRequired => StatusCode::PAYMENT_REQUIRED,
        ErrorKind::Exhausted => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Turns an error into what goes over the wire. Internal errors are logged here and leave without detail.
pub fn to_status<E: ServiceError>(err: &E) -> Status {
    let kind = err.kind();
    let message = match kind {
        ErrorKind::Internal => {
            tracing::error!(error = chain(err), "request failed");
            "internal error".to_owned()
        }
        ErrorKind::Unavailable => {
            tracing::warn!(error = chain(err), "request failed for now");
            err.to_string()
        }
        ErrorKind::Invalid
        | ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Stale
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Exhausted
        | ErrorKind::PaymentRequired => err.to_string(),
    };
    let mut metadata = HashMap::new();
    let violations = err.violations();
    if !violations.is_empty()
        && let Ok(json) = serde_json::to_string(&violations)
    {
        metadata.insert(VIOLATIONS.to_owned(), json);
    }
    let mut details = ErrorDetails::with_error_info(err.reason().code(), DOMAIN, metadata);
    if kind.retryable() {
        details.set_retry_info(Some(RETRY_AFTER));
    }
    Status::with_error_details(grpc_code(kind), message, details)
}

/// A request that is refused: counted by its reason, and turned into what goes over the wire.
pub fn refuse<E: ServiceError>(metrics: &Metrics, err: &E) -> Status {
    metrics.reject(err.reason().code());
    to_status(err)
}

/// The kind of a database error: a database that is away is not our fault, a broken statement is.
pub fn db_kind(err: &sqlx::Error) -> ErrorKind {
    match err {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed => ErrorKind::Unavailable,
        // Class 57 is operator intervention: shutting down, crash recovery, statement timeout; 53 is lack of resources;
        // 55P03 is a lock that others kept for too long.
        sqlx::Error::Database(err) => match err.code().as_deref() {
            Some(code) if code.starts_with("57") || code.starts_with("53") || code == "55P03" => {
                ErrorKind::Unavailable
            }
            _ => ErrorKind::Internal,
        },
        _ => ErrorKind::Internal,
    }
}

/// The reason code that goes with [`db_kind`].
pub fn db_reason(err: &sqlx::Error) -> Reason {
    match db_kind(err) {
        ErrorKind::Unavailable => Reason::Unavailable,
        _ => Reason::Internal,
    }
}

/// An error and its sources in one line.
pub fn chain(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// What another service answered, read back from its status.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Remote {
    pub kind: ErrorKind,
    pub reason: Reason,
    pub message: String,
    pub violations: Vec<Violation>,
}

impl ServiceError for Remote {
    fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn reason(&self) -> Reason {
        self.reason
    }

    fn violations(&self) -> Vec<Violation> {
        self.violations.clone()
    }
}

impl From<Status> for Remote {
    fn from(status: Status) -> Self {
        let info = status
            .get_details_error_info()
            .filter(|info| info.domain == DOMAIN);
        let reason = info
            .as_ref()
            .and_then(|info| Reason::from_code(&info.reason));
        let violations = info
            .and_then(|info| info.metadata.get(VIOLATIONS).cloned())
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default();
        let kind = match (status.code(), reason) {
            (Code::InvalidArgument | Code::OutOfRange, _) => ErrorKind::Invalid,
            (Code::NotFound, _) => ErrorKind::NotFound,
            (Code::AlreadyExists, _) => ErrorKind::AlreadyExists,
            (Code::FailedPrecondition, Some(reason)) if reason.wants_payment() => {
                ErrorKind::PaymentRequired
            }
            (Code::FailedPrecondition, _) => ErrorKind::Conflict,
            (Code::Aborted, _) => ErrorKind::Stale,
            (Code::Unauthenticated, _) => ErrorKind::Unauthenticated,
            (Code::PermissionDenied, _) => ErrorKind::Forbidden,
            (Code::ResourceExhausted, _) => ErrorKind::Exhausted,
            // A transport that breaks shows as UNKNOWN or CANCELLED in tonic.
            (Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled, _) => {
                ErrorKind::Unavailable
            }
            (Code::Unknown, None) => ErrorKind::Unavailable,
            (
                Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss,
                _,
            ) => ErrorKind::Internal,
        };
        let fallback = match kind {
            ErrorKind::Unavailable => Reason::Unavailable,
            ErrorKind::Unauthenticated => Reason::Unauthenticated,
            ErrorKind::Forbidden => Reason::Forbidden,
            ErrorKind::NotFound => Reason::NotFound,
            ErrorKind::Invalid => Reason::InvalidRequest,
            ErrorKind::AlreadyExists
            | ErrorKind::Conflict
            | ErrorKind::Stale
            | ErrorKind::Exhausted
            | ErrorKind::PaymentRequired
            | ErrorKind::Internal => Reason::Internal,
        };
        let message = match kind {
            ErrorKind::Internal => "internal error".to_owned(),
            _ if status.message().is_empty() => kind_text(kind).to_owned(),
            _ => status.message().to_owned(),
        };
        Self {
            kind,
            reason: reason.unwrap_or(fallback),
            message,
            violations,
        }
    }
}

const fn kind_text(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid request",
        ErrorKind::NotFound => "not found",
        ErrorKind::AlreadyExists => "exists already",
        ErrorKind::Conflict => "in a state that forbids this",
        ErrorKind::Stale => "changed in the meantime",
        ErrorKind::Unauthenticated => "not signed in",
        ErrorKind::Forbidden => "not allowed",
        ErrorKind::Exhausted => "too many requests",
        ErrorKind::PaymentRequired => "payment required",
        ErrorKind::Unavailable => "a part of the plane is away, try again",
        ErrorKind::Internal => "internal error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the quote expired")]
    struct Expired;

    impl ServiceError for Expired {
        fn kind(&self) -> ErrorKind {
            ErrorKind::PaymentRequired
        }

        fn reason(&self) -> Reason {
            Reason::PaymentRequired
        }

        fn violations(&self) -> Vec<Violation> {
            vec![Violation::new(
                "quote_id",
                "q1",
                "must not be expired",
                "ask for a new quote",
            )]
        }
    }

    #[test]
    fn reason_and_violations_survive_the_wire() {
        let remote = Remote::from(to_status(&Expired));
        assert_eq!(remote.kind, ErrorKind::PaymentRequired);
        assert_eq!(remote.reason, Reason::PaymentRequired);
        assert_eq!(remote.violations, Expired.violations());
        assert_eq!(remote.message, "the quote expired");
    }

    #[test]
    fn a_foreign_status_keeps_its_kind() {
        let remote = Remote::from(Status::deadline_exceeded("late"));
        assert_eq!(
            (remote.kind, remote.reason),
            (ErrorKind::Unavailable, Reason::Unavailable)
        );
        let remote = Remote::from(Status::internal("secret detail"));
        assert_eq!(
            (remote.kind, remote.message.as_str()),
            (ErrorKind::Internal, "internal error")
        );
    }
}
