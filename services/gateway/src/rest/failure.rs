//! Every refusal as a problem document.
//!
//! A handler returns a [`Failure`]; the outermost layer writes it down with the request id, so that no answer can miss it.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::{
    error::{Remote, ServiceError, chain},
    problem::Problem,
};

use crate::app;

/// Where HTTP has a finer status than our error kinds.
const FINER_STATUS: &[(Reason, StatusCode)] = &[
    (Reason::BodyTooLarge, StatusCode::PAYLOAD_TOO_LARGE),
    (Reason::MethodNotAllowed, StatusCode::METHOD_NOT_ALLOWED),
    (
        Reason::UnsupportedMediaType,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
    ),
    (
        Reason::IdempotencyKeyReused,
        StatusCode::UNPROCESSABLE_ENTITY,
    ),
    (Reason::IfMatchMissing, StatusCode::PRECONDITION_REQUIRED),
    (Reason::NotServed, StatusCode::NOT_IMPLEMENTED),
];

/// How fields that every service of ours knows are called in this API.
const FIELD_NAMES: &[(&str, &str)] = &[
    ("page.size", "page_size"),
    ("page.cursor", "cursor"),
    ("expected_version", "If-Match"),
    ("owner.address", "address"),
    ("owner.script_hex", "address"),
    ("outpoint.txid", "txid"),
    ("from_year", "from"),
    ("to_year", "to"),
];

/// A request that was refused, or that we failed.
#[derive(Debug, Clone)]
pub struct Failure {
    reason: Reason,
    problem: Box<Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A refusal that the gateway itself decides.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
struct Refusal {
    kind: ErrorKind,
    reason: Reason,
    detail: String,
    violations: Vec<Violation>,
}

impl ServiceError for Refusal {
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

impl Failure {
    /// A refusal with its violations, if there are any.
    pub fn refuse(
        kind: ErrorKind,
        reason: Reason,
        detail: impl Into<String>,
        violations: Vec<Violation>,
    ) -> Self {
        Self::of(&Refusal {
            kind,
            reason,
            detail: detail.into(),
            violations,
        })
    }

    /// A malformed request.
    pub fn invalid(violation: Violation) -> Self {
        let detail = violation.to_string();
        Self::refuse(
            ErrorKind::Invalid,
            Reason::InvalidRequest,
            detail,
            vec![violation],
        )
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::refuse(ErrorKind::NotFound, Reason::NotFound, detail, Vec::new())
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::refuse(
            ErrorKind::Unavailable,
            Reason::Unavailable,
            detail,
            Vec::new(),
        )
    }

    /// Our fault; what happened is in the log.
    pub fn internal() -> Self {
        Self::refuse(
            ErrorKind::Internal,
            Reason::Internal,
            "internal error",
            Vec::new(),
        )
    }

    pub fn body_too_large(limit: usize) -> Self {
        let violation = Violation::new(
            "body",
            "too large",
            format!("a body has at most {limit} bytes"),
            "send less; large content belongs into an image or a volume",
        );
        let detail = format!("the body is larger than {limit} bytes");
        Self::refuse(
            ErrorKind::Invalid,
            Reason::BodyTooLarge,
            detail,
            vec![violation],
        )
    }

    /// For a path that exists, called with a method it does not know.
    pub fn method_not_allowed(method: &str, allowed: &[&str]) -> Self {
        let allowed = allowed.join(", ");
        let violation = Violation::new(
            "method",
            method,
            format!("this path knows {allowed}"),
            "see /docs for the operations",
        );
        let detail = format!("{method} is not possible here");
        let failure = Self::refuse(
            ErrorKind::Invalid,
            Reason::MethodNotAllowed,
            detail,
            vec![violation],
        );
        match HeaderValue::from_str(&allowed) {
            Ok(allowed) => failure.with_header(header::ALLOW, allowed),
            Err(_) => failure,
        }
    }

    /// Any error of ours. Internal ones are logged here, once, and leave without detail.
    pub fn of<E: ServiceError>(err: &E) -> Self {
        match err.kind() {
            ErrorKind::Internal => tracing::error!(error = chain(err), "request failed"),
            ErrorKind::Unavailable => tracing::warn!(error = chain(err), "request failed for now"),
            ErrorKind::Invalid
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::Conflict
            | ErrorKind::Stale
            | ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::Exhausted
            | ErrorKind::PaymentRequired => {}
        }
        let reason = err.reason();
        let mut problem = Problem::new(err);
        if let Some((_, status)) = FINER_STATUS.iter().find(|(finer, _)| *finer == reason) {
            problem = problem.with_status(*status);
        }
        let mut headers = Vec::new();
        if problem.status == StatusCode::UNAUTHORIZED.as_u16() {
            headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        Self {
            reason,
            problem: Box::new(problem),
            headers,
        }
    }

    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Seconds after which the request may succeed.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.problem.retry_after = Some(seconds);
        self
    }

    /// Names fields as this request does, which has them inside of `parent`.
    #[must_use]
    pub fn inside(mut self, parent: &str, fields: &[&str]) -> Self {
        for violation in &mut self.problem.violations {
            let head = violation.field.split(['.', '[']).next().unwrap_or_default();
            if fields.contains(&head) {
                violation.field = format!("{parent}.{}", violation.field);
            }
        }
        self
    }

    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The document as this request sees it.
    pub fn problem(&self, request_id: &str) -> Problem {
        (*self.problem).clone().with_request_id(request_id)
    }
}

impl From<app::Error> for Failure {
    fn from(err: app::Error) -> Self {
        Self::of(&err)
    }
}

impl From<Remote> for Failure {
    fn from(mut remote: Remote) -> Self {
        for violation in &mut remote.violations {
            violation.field = own_name(&violation.field);
        }
        if remote.reason == Reason::Unavailable {
            // Which host did not answer is for our logs, not for the world.
            tracing::warn!(error = remote.message, "a service is away");
            "a part of the plane is away, try again".clone_into(&mut remote.message);
        }
        Self::of(&remote)
    }
}

impl IntoResponse for Failure {
    /// The head of the answer; the document waits in the extensions.
    fn into_response(mut self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in std::mem::take(&mut self.headers) {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self);
        response
    }
}

fn own_name(field: &str) -> String {
    let known = FIELD_NAMES.iter().find(|(theirs, _)| *theirs == field);
    known.map_or(field, |(_, ours)| *ours).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(failure: &Failure) -> Vec<String> {
        failure
            .problem("r")
            .violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn fields_get_the_names_of_this_api() {
        let violations = [
            "page.cursor",
            "spec.compose[0].cpu",
            "spec",
            "signature",
            "specific",
        ]
        .map(|field| Violation::new(field, "v", "r", "m"));
        let remote = Remote {
            kind: ErrorKind::Invalid,
            reason: Reason::InvalidRequest,
            message: "wrong".to_owned(),
            violations: violations.to_vec(),
        };
        let failure = Failure::from(remote).inside("registration", &["spec", "signature"]);
        assert_eq!(
            fields(&failure),
            [
                "cursor",
                "registration.spec.compose[0].cpu",
                "registration.spec",
                "registration.signature",
                "specific",
            ]
        );
    }

    #[test]
    fn reasons_with_a_finer_status_get_it() {
        let status = |reason| {
            Failure::refuse(ErrorKind::Invalid, reason, "x", Vec::new())
                .problem("r")
                .status
        };
        assert_eq!(status(Reason::InvalidRequest), 400);
        assert_eq!(status(Reason::BodyTooLarge), 413);
        assert_eq!(status(Reason::IfMatchMissing), 428);
        assert_eq!(status(Reason::IdempotencyKeyReused), 422);
    }

    #[test]
    fn an_internal_failure_tells_nothing() {
        let remote = Remote {
            kind: ErrorKind::Internal,
            reason: Reason::Internal,
            message: "password is hunter2".to_owned(),
            violations: Vec::new(),
        };
        let problem = Failure::from(remote).problem("r1");
        assert!(!problem.detail.contains("hunter2"), "{problem:?}");
        assert_eq!(problem.request_id, "r1");
    }
}
