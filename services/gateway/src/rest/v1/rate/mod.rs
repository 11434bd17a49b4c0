//! What a FLUX is worth.

pub mod get_rate;
pub mod override_rate;
#[expect(
    clippy::module_inception,
    reason = "the document is named as the resource"
)]
mod rate;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use rate::Rate;

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(get_rate::get_rate))
        .routes(routes!(override_rate::override_rate))
}
