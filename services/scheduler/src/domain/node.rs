//! A machine of an operator, as the node registry announces it.

use std::{collections::BTreeSet, net::IpAddr};

use fluxplane_core::{NodeState, Place, Resources, Tier, id::NodeId, place::Network};
use fluxplane_placement as placement;

use super::Standing;

/// A machine of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub id: NodeId,
    pub operator: String,
    /// Collateral, as `txid:output`.
    pub outpoint: String,
    pub tier: Tier,
    pub state: NodeState,
    pub capacity: Resources,
    pub place: Place,
    /// Address at which instances are reached.
    pub ip: IpAddr,
    pub static_ip: bool,
    /// Grows with every change of the registry's record.
    pub version: u64,
}

impl Node {
    /// As the placement engine sees it.
    pub fn to_placement(&self) -> placement::Node {
        placement::Node {
            id: self.id,
            operator: self.operator.clone(),
            network: Network::from(self.ip),
            place: self.place.clone(),
            tier: self.tier,
            capacity: self.capacity,
            static_ip: self.static_ip,
            state: match Standing::from(self.state) {
                Standing::Ready => placement::NodeState::Schedulable,
                Standing::Unsure => placement::NodeState::Cordoned,
                Standing::Gone => placement::NodeState::Gone,
            },
            ip: self.ip,
            outpoint: self.outpoint.clone(),
            ports_in_use: BTreeSet::new(),
        }
    }
}
