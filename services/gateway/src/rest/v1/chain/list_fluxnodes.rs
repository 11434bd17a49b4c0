//! `GET /v1/chain/fluxnodes`

use axum::{Json, extract::State};
use fluxplane_proto::{chain_indexer::v1::ListFluxnodesRequest, common::v1 as common};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fluxnode::Fluxnode;
use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    page::{Page, wish},
    v1::nodes::Tier,
    wire::Malformed,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FluxnodesQuery {
    /// Most entries wanted.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub page_size: Option<u32>,
    /// `next_cursor` of the previous page; leave it out for the first.
    pub cursor: Option<String>,
    /// Only this tier.
    #[param(inline)]
    pub tier: Option<Tier>,
}

/// A page of the fluxnode list.
#[derive(Debug, Serialize, ToSchema)]
pub struct FluxnodePage {
    pub items: Vec<Fluxnode>,
    /// Leads to the next page; null on the last.
    pub next_cursor: Option<String>,
    /// The list is the one after this block.
    pub height: u32,
}

/// List fluxnodes
///
/// The deterministic list in payment order: tier, then rank.
#[utoipa::path(
    get,
    path = "/v1/chain/fluxnodes",
    tag = "chain",
    params(FluxnodesQuery),
    responses((status = 200, description = "A page of the list", body = FluxnodePage)),
)]
pub async fn list_fluxnodes(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<FluxnodesQuery>,
) -> Result<Json<FluxnodePage>, Failure> {
    let tier = query.tier.map_or(common::Tier::Unspecified, Tier::to_wire);
    let page = wish(query.page_size, query.cursor)?;
    let request = ListFluxnodesRequest {
        page: Some(page),
        tier: tier.into(),
    };
    let answer = gateway.peers.chain.list_fluxnodes(request).await?;
    let nodes = answer.fluxnodes.into_iter().map(Fluxnode::try_from);
    let nodes = nodes.collect::<Result<Vec<_>, Malformed>>()?;
    let Page { items, next_cursor } = Page::new(nodes, answer.page);
    Ok(Json(FluxnodePage {
        items,
        next_cursor,
        height: answer.height,
    }))
}
