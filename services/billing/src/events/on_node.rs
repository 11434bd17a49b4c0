//! Nodes and whose they are.

use anyhow::Context as _;
use fluxplane_core::Tier;
use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{
    Event as _,
    common::v1 as common,
    node_registry::v1::{NodeChanged, NodeState},
};
use prost::Message as _;
use sqlx::PgConnection;

use super::{id, time};
use crate::db::nodes::{self, Announced};

/// Remembers operator, tier and standing of nodes.
#[derive(Debug)]
pub struct OnNode;

impl Handler for OnNode {
    const CONSUMER: &'static str = "billing-nodes";
    const PRODUCER: &'static str = "node-registry";
    const SUBJECT: &'static str = NodeChanged::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event = NodeChanged::decode(payload).map_err(HandlerError::poison)?;
        let node = event
            .node
            .context("node is missing")
            .map_err(HandlerError::poison)?;
        let tier = match node.tier() {
            common::Tier::Cumulus => Ok(Tier::Cumulus),
            common::Tier::Nimbus => Ok(Tier::Nimbus),
            common::Tier::Stratus => Ok(Tier::Stratus),
            common::Tier::Unspecified => Err(anyhow::anyhow!("node.tier is missing")),
        };
        let eligible = match node.state() {
            NodeState::Joined | NodeState::Ready | NodeState::Suspect | NodeState::Lost => true,
            NodeState::Ineligible | NodeState::Retired | NodeState::Unspecified => false,
        };
        let announced = Announced {
            id: id("node.node_id", &node.node_id)?,
            tier: tier.map_err(HandlerError::poison)?,
            eligible,
            joined_at: time("node.joined_at", node.joined_at)?,
            version: node.version,
            operator: node.operator,
        };
        Ok(nodes::put(conn, &announced).await?)
    }
}
