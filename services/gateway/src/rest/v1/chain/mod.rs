//! What the chain says.

mod fluxnode;
pub mod get_block;
pub mod get_fluxnode;
pub mod get_status;
pub mod get_transaction;
pub mod list_fluxnodes;
pub mod list_payments;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(get_status::get_status))
        .routes(routes!(get_block::get_block))
        .routes(routes!(get_transaction::get_transaction))
        .routes(routes!(list_fluxnodes::list_fluxnodes))
        .routes(routes!(get_fluxnode::get_fluxnode))
        .routes(routes!(list_payments::list_payments))
}
