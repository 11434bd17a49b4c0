//! What a search sees of the fleet.

use std::net::IpAddr;

use fluxplane_core::{id::AppId, place::Network};

use super::{
    Engine, Hot,
    class::Classes,
    intern::{Groups, at},
    ports::Ports,
};
use crate::node::Node;

impl Engine {
    pub(crate) fn hot(&self, slot: u32) -> &Hot {
        &self.hot[at(slot)]
    }

    pub(crate) fn node_at(&self, slot: u32) -> &Node {
        &self.cold(slot).node
    }

    pub(crate) fn occupied_slots(&self) -> impl Iterator<Item = u32> + '_ {
        let slots = (0..).zip(&self.cold);
        slots.filter_map(|(slot, cold)| cold.is_some().then_some(slot))
    }

    pub(crate) fn slots_by_outpoint(&self, outpoint: &str) -> &[u32] {
        self.by_outpoint.get(outpoint).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn slots_by_address(&self, ip: &IpAddr) -> &[u32] {
        self.addresses
            .get(ip)
            .map_or(&[], |number| self.addresses.members(number))
    }

    /// Slots that carry a copy of the application, as far as the engine holds reservations.
    pub(crate) fn copy_slots(&self, app: AppId) -> impl Iterator<Item = u32> + '_ {
        self.apps
            .get(&app)
            .into_iter()
            .flatten()
            .map(|(slot, _)| *slot)
    }

    pub(crate) fn operators(&self) -> &Groups<String> {
        &self.operators
    }

    pub(crate) fn networks(&self) -> &Groups<Network> {
        &self.networks
    }

    pub(crate) fn addresses(&self) -> &Groups<IpAddr> {
        &self.addresses
    }

    pub(crate) fn classes(&self) -> &Classes {
        &self.classes
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// How many nodes take new work.
    pub(crate) fn open_nodes(&self) -> u32 {
        self.open
    }
}
