//! One trace over HTTP, gRPC, NATS and the outbox: W3C `traceparent` in whatever carries headers.

use std::collections::BTreeMap;

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector},
    trace::TraceContextExt as _,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Header that carries the trace.
pub const TRACEPARENT: &str = "traceparent";

/// Writes the current trace into `carrier`.
pub fn inject_current(carrier: &mut dyn Injector) {
    let context = Span::current().context();
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, carrier);
    });
}

/// The current trace as a `traceparent` value; empty outside of any trace.
pub fn current_traceparent() -> String {
    let mut headers = Headers::default();
    inject_current(&mut headers);
    headers.0.remove(TRACEPARENT).unwrap_or_default()
}

/// Makes `span` a child of the trace in `carrier`, if it carries one.
pub fn set_parent(span: &Span, carrier: &dyn Extractor) {
    let context =
        opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(carrier));
    adopt(span, context);
}

/// Makes `span` a child of a stored `traceparent`; an empty one is ignored.
pub fn set_parent_text(span: &Span, traceparent: &str) {
    if !traceparent.is_empty() {
        let headers = Headers(BTreeMap::from([(
            TRACEPARENT.to_owned(),
            traceparent.to_owned(),
        )]));
        set_parent(span, &headers);
    }
}

fn adopt(span: &Span, parent: Context) {
    if parent.span().span_context().is_valid() && span.set_parent(parent).is_err() {
        tracing::debug!("span is not recorded, its parent is not set");
    }
}

/// Headers as stored with an outbox row.
#[derive(Debug, Clone, Default)]
pub struct Headers(pub BTreeMap<String, String>);

impl Injector for Headers {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// Headers of an HTTP or gRPC request.
#[derive(Debug)]
pub struct HttpHeaders<'a>(pub &'a axum::http::HeaderMap);

impl Extractor for HttpHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

/// Headers of a NATS message.
#[derive(Debug)]
pub struct NatsHeaders<'a>(pub &'a async_nats::HeaderMap);

impl Extractor for NatsHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(async_nats::HeaderValue::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_ref()).collect()
    }
}

/// Metadata of an outgoing gRPC call.
#[derive(Debug)]
pub struct GrpcMetadata<'a>(pub &'a mut tonic::metadata::MetadataMap);

impl Injector for GrpcMetadata<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (
            tonic::metadata::MetadataKey::from_bytes(key.as_bytes()),
            tonic::metadata::MetadataValue::try_from(&value),
        ) {
            self.0.insert(name, value);
        }
    }
}
