//! Counting nodes, page by page.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    common::v1::{PageRequest, Tier},
    node_registry::v1::{ListNodesRequest, NodeState},
};

use super::Registry;

/// Entries asked for at once, the most there may be.
const PAGE: u32 = 200;

/// Nodes by state and, but for retired ones, by tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCount {
    pub by_state: BTreeMap<&'static str, u64>,
    pub by_tier: BTreeMap<&'static str, u64>,
    pub counted_at: DateTime<Utc>,
}

pub async fn count_nodes(registry: &Registry, now: DateTime<Utc>) -> Result<NodeCount, Remote> {
    let (mut by_state, mut by_tier) = (BTreeMap::new(), BTreeMap::new());
    let mut cursor = String::new();
    loop {
        let request = ListNodesRequest {
            page: Some(PageRequest { size: PAGE, cursor }),
            operator: String::new(),
            state: NodeState::Unspecified.into(),
        };
        let answer = registry.list_nodes(request).await?;
        for node in &answer.nodes {
            *by_state.entry(state_name(node.state())).or_default() += 1;
            if node.state() != NodeState::Retired {
                *by_tier.entry(tier_name(node.tier())).or_default() += 1;
            }
        }
        cursor = answer.page.map(|page| page.next_cursor).unwrap_or_default();
        if cursor.is_empty() {
            return Ok(NodeCount {
                by_state,
                by_tier,
                counted_at: now,
            });
        }
    }
}

const fn state_name(state: NodeState) -> &'static str {
    match state {
        NodeState::Unspecified => "unknown",
        NodeState::Joined => "joined",
        NodeState::Ready => "ready",
        NodeState::Suspect => "suspect",
        NodeState::Lost => "lost",
        NodeState::Ineligible => "ineligible",
        NodeState::Retired => "retired",
    }
}

const fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Unspecified => "unknown",
        Tier::Cumulus => "cumulus",
        Tier::Nimbus => "nimbus",
        Tier::Stratus => "stratus",
    }
}
