//! The outermost layer: every request gets an id, a span and a measurement, and every answer the same dress.

use std::{any::Any, panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::propagation;
use futures::FutureExt as _;
use prometheus_client::metrics::gauge::Gauge;
use tracing::Instrument as _;

use crate::{
    metrics::HttpLabels,
    rest::{Failure, Gateway, access::Verb, extract::RequestId, fluxos},
};

/// Header that identifies a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What pages and answers may do in a browser: nothing but load their own assets and talk to this API.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub async fn observe(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let id = request_id(&gateway, request.headers());
    let method = Verb::of(request.method()).map_or("other", Verb::name);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        url.path = request.uri().path(),
        http.response.status_code = tracing::field::Empty,
        request.id = id.0,
    );
    propagation::set_parent(&span, &propagation::HttpHeaders(request.headers()));
    request.extensions_mut().insert(id.clone());
    let (asked, uri) = (request.method().clone(), request.uri().clone());

    let started = Instant::now();
    let in_flight = InFlight::new(&gateway.metrics.in_flight);
    let answer = guarded(&gateway, next.run(request));
    let mut response = answer.instrument(span.clone()).await;
    drop(in_flight);

    let _entered = span.enter();
    response = explain(&gateway, response, &id, &asked, &uri);
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        tracing::warn!(
            http.response.status_code = status.as_u16(),
            "request failed"
        );
    } else {
        tracing::debug!(
            http.response.status_code = status.as_u16(),
            "request answered"
        );
    }
    let labels = HttpLabels {
        method,
        route,
        status: status.as_u16(),
    };
    let seconds = started.elapsed().as_secs_f64();
    gateway
        .metrics
        .http_seconds
        .get_or_create(&labels)
        .observe(seconds);
    dress(&gateway, &id, response.headers_mut());
    response
}

/// Runs a handler; a panic becomes an answer.
pub(super) async fn guarded(gateway: &Gateway, work: impl Future<Output = Response>) -> Response {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| {
            gateway.metrics.panics.inc();
            tracing::error!(panic = panic_text(panic.as_ref()), "a handler panicked");
            Failure::internal().into_response()
        })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}

/// The client's id when it is sane, else a new one.
fn request_id(gateway: &Gateway, headers: &HeaderMap) -> RequestId {
    const CHARS: std::ops::RangeInclusive<usize> = 8..=128;
    let sane = |text: &&str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        CHARS.contains(&text.len()) && text.bytes().all(plain)
    };
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(sane);
    RequestId(given.map_or_else(|| gateway.ctx.ids.next().to_string(), str::to_owned))
}

/// Writes the problem document of a failed request.
fn explain(
    gateway: &Gateway,
    mut response: Response,
    id: &RequestId,
    method: &Method,
    uri: &Uri,
) -> Response {
    let failure = response.extensions_mut().remove::<Failure>().or_else(|| {
        let status = response.status();
        let failed = status.is_client_error() || status.is_server_error();
        failed.then(|| by_status(status, method, uri))
    });
    let Some(failure) = failure else {
        return response;
    };
    gateway.platform_metrics.reject(failure.reason().code());
    let mut written = if fluxos::speaks(uri.path()) {
        fluxos::envelope::explain(&mut response, &failure)
    } else {
        failure.problem(&id.0).into_response()
    };
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            written.headers_mut().insert(name, value.clone());
        }
    }
    written
}

/// For answers that no code of ours made: the router's own.
fn by_status(status: StatusCode, method: &Method, uri: &Uri) -> Failure {
    match status {
        StatusCode::NOT_FOUND => no_such_path(uri),
        StatusCode::METHOD_NOT_ALLOWED => Failure::method_not_allowed(method.as_str(), &[]),
        status if status.is_client_error() => Failure::refuse(
            ErrorKind::Invalid,
            Reason::InvalidRequest,
            format!("the request was refused with {status}"),
            Vec::new(),
        ),
        _ => Failure::internal(),
    }
}

pub fn no_such_path(uri: &Uri) -> Failure {
    let rule = "a path of this API";
    let violation = Violation::new("path", uri.path(), rule, "see /docs for the operations");
    Failure::refuse(
        ErrorKind::NotFound,
        Reason::NotFound,
        "there is nothing at this path",
        vec![violation],
    )
}

/// Headers that every answer has.
fn dress(gateway: &Gateway, id: &RequestId, headers: &mut HeaderMap) {
    const FIXED: [(HeaderName, &str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "interest-cohort=()",
        ),
    ];
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if gateway.config.tls.is_some() {
        const TWO_YEARS: &str = "max-age=63072000";
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(TWO_YEARS),
        );
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert_with(|| HeaderValue::from_static("no-store"));
    let id = HeaderValue::from_str(&id.0).expect("a request id is visible ASCII");
    headers.insert(REQUEST_ID, id);
}

/// Counts a request while it is answered, also when its client leaves.
struct InFlight(Gauge);

impl InFlight {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
