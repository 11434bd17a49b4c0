//! `GET /v1/chain/addresses/{address}/transactions`

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use fluxplane_proto::chain_indexer::v1::{self as wire, ListAddressTransactionsRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::owner::OwnerPath;
use crate::rest::{
    Failure, Gateway,
    amount::Amount,
    extract::{PathParams, QueryParams},
    page::{Page, PageQuery},
    wire::{Malformed, time},
};

/// What one transaction did to an address.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddressTransaction {
    pub txid: String,
    pub height: u32,
    /// Place in its block, from 0, which is the coinbase.
    pub position: u32,
    pub block_time: DateTime<Utc>,
    /// Sum of its outputs to the address.
    pub received: Amount,
    /// Sum of the address's outputs that it spends.
    pub sent: Amount,
}

impl TryFrom<wire::AddressTransaction> for AddressTransaction {
    type Error = Malformed;

    fn try_from(one: wire::AddressTransaction) -> Result<Self, Malformed> {
        Ok(Self {
            txid: one.txid,
            height: one.height,
            position: one.position,
            block_time: time("block_time", one.block_time)?,
            received: Amount::flux(one.received_sat),
            sent: Amount::flux(one.sent_sat),
        })
    }
}

/// A page of the history of an address.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddressTransactionPage {
    pub items: Vec<AddressTransaction>,
    /// Leads to the next page; null on the last.
    pub next_cursor: Option<String>,
    /// The list is the one after this block.
    pub height: u32,
}

/// List the transactions of an address
///
/// Newest first. An address that never received anything has none.
#[utoipa::path(
    get,
    path = "/v1/chain/addresses/{address}/transactions",
    tag = "chain",
    params(OwnerPath, PageQuery),
    responses((status = 200, description = "A page of the history", body = AddressTransactionPage)),
)]
pub async fn list_address_transactions(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<OwnerPath>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<AddressTransactionPage>, Failure> {
    let request = ListAddressTransactionsRequest {
        owner: Some(path.into_wire()),
        page: Some(page.wish()?),
    };
    let answer = gateway
        .peers
        .ledger
        .list_address_transactions(request)
        .await?;
    let items = answer
        .transactions
        .into_iter()
        .map(AddressTransaction::try_from)
        .collect::<Result<Vec<_>, Malformed>>()?;
    let Page { items, next_cursor } = Page::new(items, answer.page);
    Ok(Json(AddressTransactionPage {
        items,
        next_cursor,
        height: answer.height,
    }))
}
