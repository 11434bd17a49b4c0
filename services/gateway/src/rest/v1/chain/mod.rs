//! What the chain says.

mod at_height;
pub mod evm;
mod fluxnode;
pub mod get_address;
pub mod get_block;
pub mod get_capacity;
pub mod get_emission;
pub mod get_fluxnode;
pub mod get_output;
pub mod get_payment;
pub mod get_status;
pub mod get_supply;
pub mod get_tiers;
pub mod get_transaction;
pub mod list_address_transactions;
pub mod list_anchors;
mod list_block;
pub mod list_fluxnodes;
pub mod list_next_payees;
pub mod list_payments;
pub mod list_price_messages;
pub mod list_rich;
pub mod list_unmatched_payments;
pub mod list_unspent;
mod owner;
mod payment;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(get_status::get_status))
        .routes(routes!(get_block::get_block))
        .routes(routes!(get_transaction::get_transaction))
        .merge(money())
        .merge(fluxnodes())
        .merge(payments())
        .merge(other_chains())
}

fn money() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(get_address::get_address))
        .routes(routes!(
            list_address_transactions::list_address_transactions
        ))
        .routes(routes!(list_unspent::list_unspent))
        .routes(routes!(get_output::get_output))
        .routes(routes!(list_rich::list_rich))
        .routes(routes!(get_supply::get_supply))
        .routes(routes!(get_emission::get_emission))
}

fn fluxnodes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(list_fluxnodes::list_fluxnodes))
        .routes(routes!(get_fluxnode::get_fluxnode))
        .routes(routes!(list_next_payees::list_next_payees))
        .routes(routes!(get_tiers::get_tiers))
        .routes(routes!(get_capacity::get_capacity))
}

fn payments() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(list_payments::list_payments))
        .routes(routes!(list_unmatched_payments::list_unmatched_payments))
        .routes(routes!(get_payment::get_payment))
        .routes(routes!(list_anchors::list_anchors))
        .routes(routes!(list_price_messages::list_price_messages))
}

fn other_chains() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(evm::list_assets::list_assets))
        .routes(routes!(evm::get_asset::get_asset))
        .routes(routes!(evm::list_transfers::list_transfers))
}
