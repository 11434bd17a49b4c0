//! What a customer has with the plane.

pub mod get_account;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(get_account::get_account))
}
