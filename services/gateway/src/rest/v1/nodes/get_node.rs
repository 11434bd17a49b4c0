//! `GET /v1/nodes/{node_id}`

use axum::{Json, extract::State};
use fluxplane_proto::node_registry::v1::GetNodeRequest;
use serde::Deserialize;
use uuid::Uuid;

use super::node::Node;
use crate::rest::{Failure, Gateway, extract::PathParams, wire::required};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct NodePath {
    /// Id of the node.
    pub node_id: Uuid,
}

/// Read a node
#[utoipa::path(
    get,
    path = "/v1/nodes/{node_id}",
    tag = "nodes",
    params(NodePath),
    responses((status = 200, description = "The node", body = Node)),
)]
pub async fn get_node(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<NodePath>,
) -> Result<Json<Node>, Failure> {
    let request = GetNodeRequest {
        node_id: path.node_id.to_string(),
    };
    let answer = gateway.peers.registry.get_node(request).await?;
    Ok(Json(Node::try_from(required("node", answer.node)?)?))
}
