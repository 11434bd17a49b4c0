//! Pages for people. Everything they load is in the binary; they talk to this API and nothing else.

mod asset;
mod errors;

use axum::{Router, routing::get};
use utoipa::openapi::OpenApi;

use asset::Asset;

use super::Gateway;

/// Routes of the pages and of the document itself.
pub fn routes(document: &OpenApi) -> Router<Gateway> {
    let json = document
        .to_pretty_json()
        .expect("the document is data without loops");
    Router::new()
        .merge(Asset::html(include_str!("../../../assets/landing.html")).at("/"))
        .merge(Asset::html(include_str!("../../../assets/docs.html")).at("/docs"))
        .merge(Asset::html(errors::page()).at("/docs/errors"))
        .merge(Asset::json(json).at("/openapi.json"))
        .route("/docs/{asset}", get(asset::named))
}
