//! Bills, and the proof of each line.

pub mod get_invoice;
pub mod get_line_proof;
mod invoice;
pub mod list_invoices;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(list_invoices::list_invoices))
        .routes(routes!(get_invoice::get_invoice))
        .routes(routes!(get_line_proof::get_line_proof))
}
