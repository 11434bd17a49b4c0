//! `GET /v1/chain/addresses/{address}/unspent`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::{self as wire, ListUnspentRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::owner::OwnerPath;
use crate::rest::{
    Failure, Gateway,
    amount::Amount,
    extract::{PathParams, QueryParams},
    page::{Page, PageQuery},
    v1::nodes::OutPoint,
    wire::Malformed,
};

/// An output that can still be spent.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnspentOutput {
    pub outpoint: OutPoint,
    pub amount: Amount,
    /// Block that made it.
    pub height: u32,
    /// Outputs of a coinbase may be spent 100 blocks after their own.
    pub coinbase: bool,
}

impl TryFrom<wire::UnspentOutput> for UnspentOutput {
    type Error = Malformed;

    fn try_from(output: wire::UnspentOutput) -> Result<Self, Malformed> {
        Ok(Self {
            outpoint: OutPoint::from_wire("outpoint", output.outpoint)?,
            amount: Amount::flux(output.value_sat),
            height: output.height,
            coinbase: output.coinbase,
        })
    }
}

/// A page of the unspent outputs of an address.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnspentOutputPage {
    pub items: Vec<UnspentOutput>,
    /// Leads to the next page; null on the last.
    pub next_cursor: Option<String>,
    /// The list is the one after this block.
    pub height: u32,
}

/// List the unspent outputs of an address
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/v1/chain/addresses/{address}/unspent",
    tag = "chain",
    params(OwnerPath, PageQuery),
    responses((status = 200, description = "A page of the outputs", body = UnspentOutputPage)),
)]
pub async fn list_unspent(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<OwnerPath>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<UnspentOutputPage>, Failure> {
    let request = ListUnspentRequest {
        owner: Some(path.into_wire()),
        page: Some(page.wish()?),
    };
    let answer = gateway.peers.ledger.list_unspent(request).await?;
    let items = answer
        .outputs
        .into_iter()
        .map(UnspentOutput::try_from)
        .collect::<Result<Vec<_>, Malformed>>()?;
    let Page { items, next_cursor } = Page::new(items, answer.page);
    Ok(Json(UnspentOutputPage {
        items,
        next_cursor,
        height: answer.height,
    }))
}
