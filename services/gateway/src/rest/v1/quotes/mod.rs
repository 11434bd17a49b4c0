//! Firm prices.

pub mod create_quote;
pub mod get_quote;
mod quote;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use quote::{Quote, own_quote, quote_to_pay};

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(create_quote::create_quote))
        .routes(routes!(get_quote::get_quote))
}
