//! What an operator's nodes earned.

pub mod list_earnings;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(list_earnings::list_earnings))
}
