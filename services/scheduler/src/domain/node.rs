//! A machine of an operator, as the node registry announces it.

use std::{collections::BTreeSet, net::IpAddr};

use fluxplane_core::{Place, Resources, Tier, id::NodeId, place::Network};
use fluxplane_placement as placement;

use super::Standing;

/// States of a node; what each means is the registry's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// Has a certificate, never connected.
    Joined,
    /// Beats; may get work.
    Ready,
    /// Missed beats; gets no new work, keeps what it runs.
    Suspect,
    /// Silent and unreachable.
    Lost,
    /// Its collateral left the fluxnode list.
    Ineligible,
    /// Another machine joined in its place.
    Retired,
}

impl NodeState {
    pub const ALL: [Self; 6] = [
        Self::Joined,
        Self::Ready,
        Self::Suspect,
        Self::Lost,
        Self::Ineligible,
        Self::Retired,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Ready => "ready",
            Self::Suspect => "suspect",
            Self::Lost => "lost",
            Self::Ineligible => "ineligible",
            Self::Retired => "retired",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for state in NodeState::ALL {
            assert_eq!(NodeState::from_name(state.name()), Some(state));
        }
    }
}
