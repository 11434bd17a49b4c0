//! Specifications, before anything is asked or paid: what FluxOS and this plane say of them, and one kind from the other.

pub mod check_spec;
pub mod convert_spec;
mod document;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use document::height;

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(check_spec::check_spec))
        .routes(routes!(convert_spec::convert_spec))
}
