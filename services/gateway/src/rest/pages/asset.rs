//! Documents that do not change while the process runs, with an entity tag each.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest as _, Sha256};

use crate::rest::{Failure, Gateway, etag, extract::PathParams};

/// Clients ask each time whether their copy is still right, which costs them one round trip and no bytes.
const CACHING: HeaderValue = HeaderValue::from_static("no-cache");

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json";

/// What pages load from `/docs/`.
static NAMED: LazyLock<[(&str, Asset); 5]> = LazyLock::new(|| {
    [
        (
            "style.css",
            Asset::new(CSS, include_str!("../../../assets/style.css")),
        ),
        (
            "docs.js",
            Asset::new(SCRIPT, include_str!("../../../assets/docs.js")),
        ),
        (
            "schema.js",
            Asset::new(SCRIPT, include_str!("../../../assets/schema.js")),
        ),
        (
            "landing.js",
            Asset::new(SCRIPT, include_str!("../../../assets/landing.js")),
        ),
        (
            "mark.svg",
            Asset::new(SVG, include_str!("../../../assets/mark.svg")),
        ),
    ]
});

/// A document and its headers.
#[derive(Debug, Clone)]
pub(super) struct Asset {
    media_type: &'static str,
    body: Bytes,
    etag: HeaderValue,
}

impl Asset {
    fn new(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let digest = hex::encode(Sha256::digest(&body));
        let short = digest.get(..16).unwrap_or_default();
        let etag = HeaderValue::try_from(format!("\"{short}\""));
        Self {
            media_type,
            body,
            etag: etag.expect("hex digits in quotes are visible ASCII"),
        }
    }

    pub(super) fn html(body: impl Into<Bytes>) -> Self {
        Self::new(HTML, body)
    }

    pub(super) fn json(body: impl Into<Bytes>) -> Self {
        Self::new(JSON, body)
    }

    /// A route that serves this.
    pub(super) fn at(self, path: &str) -> Router<Gateway> {
        let asset = Arc::new(self);
        let serve = move |headers: HeaderMap| {
            let answer = asset.answer(&headers);
            async { answer }
        };
        Router::new().route(path, get(serve))
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let common = [
            (header::ETAG, self.etag.clone()),
            (header::CACHE_CONTROL, CACHING),
        ];
        if etag::is_known(headers, &self.etag) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let media_type = [(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.media_type),
        )];
        (common, media_type, self.body.clone()).into_response()
    }
}

/// `GET /docs/{asset}`
pub(super) async fn named(
    PathParams(name): PathParams<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    NAMED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, asset)| asset.answer(&headers))
        .ok_or_else(|| Failure::not_found(format!("the pages have no part `{name}`")))
}
