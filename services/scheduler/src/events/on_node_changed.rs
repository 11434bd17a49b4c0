//! A node joined, or its record changed.

use anyhow::Context as _;
use fluxplane_core::{NodeState, Place, Resources, Tier};
use fluxplane_platform::{
    bus::{Handler, HandlerError},
    reconciler::Nudge,
};
use fluxplane_proto::{
    Event as _,
    common::v1 as common,
    node_registry::v1::{self as wire, NodeChanged},
};
use sqlx::PgConnection;

use super::read::{decode, given, id};
use crate::{
    app::{Context, node_changed},
    domain::Node,
};

/// Keeps the copy of the registry's nodes, and sends the applications on them to the leader.
#[derive(Debug)]
pub struct OnNodeChanged {
    pub ctx: Context,
    pub nudge: Nudge,
}

impl Handler for OnNodeChanged {
    const CONSUMER: &'static str = "scheduler-nodes";
    const PRODUCER: &'static str = "node-registry";
    const SUBJECT: &'static str = NodeChanged::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event: NodeChanged = decode(payload)?;
        let node = read(given("node", event.node)?)?;
        node_changed::node_changed(conn, &self.ctx, &node)
            .await
            .map_err(HandlerError::retry)
    }

    fn applied(&self) {
        self.nudge.nudge();
    }
}

fn read(wire: wire::Node) -> Result<Node, HandlerError> {
    let state = match wire.state() {
        wire::NodeState::Joined => Some(NodeState::Joined),
        wire::NodeState::Ready => Some(NodeState::Ready),
        wire::NodeState::Suspect => Some(NodeState::Suspect),
        wire::NodeState::Lost => Some(NodeState::Lost),
        wire::NodeState::Ineligible => Some(NodeState::Ineligible),
        wire::NodeState::Retired => Some(NodeState::Retired),
        wire::NodeState::Unspecified => None,
    };
    let tier = match wire.tier() {
        common::Tier::Cumulus => Some(Tier::Cumulus),
        common::Tier::Nimbus => Some(Tier::Nimbus),
        common::Tier::Stratus => Some(Tier::Stratus),
        common::Tier::Unspecified => None,
    };
    let collateral = given("node.collateral", wire.collateral)?;
    let capacity = given("node.capacity", wire.capacity)?;
    let place = wire.place.unwrap_or_default();
    Ok(Node {
        id: id("node.node_id", &wire.node_id)?,
        operator: wire.operator,
        outpoint: format!("{}:{}", collateral.txid, collateral.vout),
        tier: given("node.tier", tier)?,
        state: given("node.state", state)?,
        capacity: Resources {
            cpu_milli: capacity.cpu_milli,
            ram_mib: capacity.ram_mib,
            disk_gib: capacity.disk_gib,
        },
        place: Place {
            continent: place.continent,
            country: place.country,
            region: place.region,
        },
        ip: wire
            .ip
            .parse()
            .with_context(|| format!("node.ip `{}`", wire.ip))
            .map_err(HandlerError::poison)?,
        static_ip: wire.static_ip,
        version: wire.version,
    })
}
