//! A machine as placement sees it: who runs it, where it stands, what it can carry.

use std::{collections::BTreeSet, net::IpAddr};

use fluxplane_core::{Place, Resources, Tier, id::NodeId, place::Network};
use serde::{Deserialize, Serialize};

use crate::{canonical::Canonical, digest::Digest};

/// A machine of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub id: NodeId,
    /// Who runs it. Nodes with the same text count as one operator.
    pub operator: String,
    /// The provider's network, usually `Network::from(ip)`.
    pub network: Network,
    pub place: Place,
    pub tier: Tier,
    /// What applications may use in total, as measured; below 4,294,967,295 in each dimension.
    pub capacity: Resources,
    /// Whether the address stays when the machine restarts.
    pub static_ip: bool,
    pub state: NodeState,
    /// The public address. Nodes behind one address share its ports.
    pub ip: IpAddr,
    /// The collateral of the node, as `txid:output`.
    pub outpoint: String,
    /// Ports of the address that are taken by something other than a reservation.
    pub ports_in_use: BTreeSet<u16>,
}

/// Whether a node takes new work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Takes new work.
    Schedulable,
    /// Takes no new work; what runs there counts as running. A suspect or draining node.
    Cordoned,
    /// Lost. What ran there no longer counts as a copy, but holds its reservation until it is released.
    Gone,
}

impl Node {
    /// The fingerprint of everything about the node that a decision may rest on.
    pub(crate) fn digest(&self) -> Digest {
        let mut form = Canonical::of("fluxplane/placement/node/v1");
        form.wide(self.id.uuid().as_u128())
            .text(&self.operator)
            .network(self.network)
            .place(&self.place)
            .tag(self.tier.number())
            .resources(self.capacity)
            .flag(self.static_ip)
            .tag(match self.state {
                NodeState::Schedulable => 1,
                NodeState::Cordoned => 2,
                NodeState::Gone => 3,
            })
            .address(self.ip)
            .text(&self.outpoint)
            .length(self.ports_in_use.len());
        for port in &self.ports_in_use {
            form.number(*port);
        }
        Digest::of(form)
    }
}
