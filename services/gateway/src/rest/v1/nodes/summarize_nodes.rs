//! `GET /v1/nodes/summary`

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::{Failure, Gateway};

/// Nodes, counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeSummary {
    /// All but retired ones.
    #[schema(example = 5)]
    pub total: u64,
    #[schema(example = json!({"ready": 4, "lost": 1}))]
    pub by_state: BTreeMap<&'static str, u64>,
    #[schema(example = json!({"cumulus": 2, "nimbus": 2, "stratus": 1}))]
    pub by_tier: BTreeMap<&'static str, u64>,
    /// When they were counted.
    pub counted_at: DateTime<Utc>,
}

/// Count nodes
///
/// By state and tier, a few seconds old. Retired nodes are not counted by tier.
#[utoipa::path(
    get,
    path = "/v1/nodes/summary",
    tag = "nodes",
    responses((status = 200, description = "The counts", body = NodeSummary)),
)]
pub async fn summarize_nodes(State(gateway): State<Gateway>) -> Result<Json<NodeSummary>, Failure> {
    let count = gateway.node_count.borrow().clone();
    let count = count.ok_or_else(|| Failure::unavailable("the nodes were not counted yet"))?;
    Ok(Json(NodeSummary {
        total: count.by_tier.values().sum(),
        by_state: count.by_state,
        by_tier: count.by_tier,
        counted_at: count.counted_at,
    }))
}
