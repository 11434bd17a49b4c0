//! `GET /v1/chain/rich-list`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::{self as wire, ListRichRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::owner::AddressSummary;
use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    page::{Page, PageQuery},
    wire::Malformed,
};

/// An owner and its place.
#[derive(Debug, Serialize, ToSchema)]
pub struct RichOwner {
    /// Place in the whole list, from 1.
    pub rank: u64,
    pub summary: AddressSummary,
}

impl TryFrom<wire::RichOwner> for RichOwner {
    type Error = Malformed;

    fn try_from(owner: wire::RichOwner) -> Result<Self, Malformed> {
        Ok(Self {
            rank: owner.rank,
            summary: AddressSummary::from_wire(owner.summary)?,
        })
    }
}

/// A page of the rich list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RichPage {
    pub items: Vec<RichOwner>,
    /// Leads to the next page; null on the last.
    pub next_cursor: Option<String>,
    /// Balances are those after this block.
    pub height: u32,
}

/// List owners by balance
///
/// Richest first. An owner whose balance changes between two pages may be met twice or missed.
#[utoipa::path(
    get,
    path = "/v1/chain/rich-list",
    tag = "chain",
    params(PageQuery),
    responses((status = 200, description = "A page of the list", body = RichPage)),
)]
pub async fn list_rich(
    State(gateway): State<Gateway>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<RichPage>, Failure> {
    let page = Some(page.wish()?);
    let answer = gateway
        .peers
        .ledger
        .list_rich(ListRichRequest { page })
        .await?;
    let items = answer
        .owners
        .into_iter()
        .map(RichOwner::try_from)
        .collect::<Result<Vec<_>, Malformed>>()?;
    let Page { items, next_cursor } = Page::new(items, answer.page);
    Ok(Json(RichPage {
        items,
        next_cursor,
        height: answer.height,
    }))
}
