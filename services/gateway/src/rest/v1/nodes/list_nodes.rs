//! `GET /v1/nodes`

use axum::{Json, extract::State};
use fluxplane_proto::node_registry::v1::{self as wire, ListNodesRequest};
use serde::Deserialize;

use super::node::{Node, NodeState};
use crate::{
    domain::WalletAddress,
    rest::{
        Failure, Gateway,
        extract::QueryParams,
        page::{Page, wish},
        wire::Malformed,
    },
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NodesQuery {
    /// Most entries wanted.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub page_size: Option<u32>,
    /// `next_cursor` of the previous page; leave it out for the first.
    pub cursor: Option<String>,
    /// Only nodes of this wallet address.
    pub operator: Option<String>,
    /// Only nodes in this state.
    #[param(inline)]
    pub state: Option<NodeState>,
}

/// A page of the list.
pub type NodePage = Page<Node>;

/// List nodes
#[utoipa::path(
    get,
    path = "/v1/nodes",
    tag = "nodes",
    params(NodesQuery),
    responses((status = 200, description = "A page of nodes", body = NodePage)),
)]
pub async fn list_nodes(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<NodesQuery>,
) -> Result<Json<NodePage>, Failure> {
    let operator = query
        .operator
        .map(|text| WalletAddress::parse("operator", &text))
        .transpose()
        .map_err(Failure::invalid)?;
    let state = query
        .state
        .map_or(wire::NodeState::Unspecified, NodeState::to_wire);
    let request = ListNodesRequest {
        page: Some(wish(query.page_size, query.cursor)?),
        operator: operator.map(WalletAddress::into_string).unwrap_or_default(),
        state: state.into(),
    };
    let answer = gateway.peers.registry.list_nodes(request).await?;
    let nodes = answer.nodes.into_iter().map(Node::try_from);
    let nodes = nodes.collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Json(Page::new(nodes, answer.page)))
}
