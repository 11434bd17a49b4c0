//! All routes, and the layers around them.

use std::time::Duration;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::from_fn_with_state,
};
use tower_http::cors::CorsLayer;

use super::{
    Gateway, fluxos,
    layers::{
        admit::admit,
        gate::gate,
        observe::{REQUEST_ID, observe},
    },
    openapi, pages, v1,
};

/// How long a browser may remember what another origin's pages may do.
const PREFLIGHT_AGE: Duration = Duration::from_mins(10);

/// Everything the REST listener serves.
pub fn build(gateway: Gateway) -> Router {
    let (routes, document) = v1::routes().split_for_parts();
    let document = openapi::complete(document);
    let routes = routes
        .merge(pages::routes(&document))
        .merge(fluxos::routes());
    // Each layer is put around those before it, so the last one sees a request first.
    let routes = routes
        .layer(from_fn_with_state(gateway.clone(), gate))
        .layer(from_fn_with_state(gateway.clone(), admit));
    let routes = match cors(&gateway.config.cors_origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes
        .layer(from_fn_with_state(gateway.clone(), observe))
        .with_state(gateway)
}

/// What pages of other origins may do; nothing unless the configuration names them.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok())
        .collect();
    if origins.is_empty() {
        return None;
    }
    let requested = [
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        header::IF_MATCH,
        header::IF_NONE_MATCH,
        HeaderName::from_static("idempotency-key"),
        HeaderName::from_static("last-event-id"),
        HeaderName::from_static("traceparent"),
        HeaderName::from_static("zelidauth"),
        REQUEST_ID,
    ];
    let exposed = [
        header::ETAG,
        header::LOCATION,
        header::RETRY_AFTER,
        HeaderName::from_static("ratelimit-limit"),
        HeaderName::from_static("ratelimit-remaining"),
        HeaderName::from_static("ratelimit-reset"),
        REQUEST_ID,
    ];
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers(requested)
            .expose_headers(exposed)
            .max_age(PREFLIGHT_AGE),
    )
}
