//! The state of the fleet and the indexes that make a decision cheap.
//!
//! The engine changes piece by piece: a node joins, a reservation is made, a node is lost. Every change updates the
//! indexes it touches, so a decision never passes over all nodes:
//!
//! * nodes of one country and tier form a class (`class`), and rules about continents and countries are judged once
//!   per class,
//! * inside a class nodes are kept in order of free [`volume`], in blocks that know their extremes (`blocks`),
//! * operators, networks and addresses know their members (`intern`), ports their users (`ports`).
//!
//! That makes the exact numbers of nodes removed by each filter affordable in every decision: continents and countries
//! cost one step per class; capacity and static addresses one step per block of up to 64 nodes, plus a comparison per
//! node of blocks that are neither wholly short nor wholly sufficient; filters by name, copy, limit or port one step per
//! node they remove. Only rules about regions, and requests that find no node, look at single nodes throughout.

pub(crate) mod blocks;
pub(crate) mod class;
mod index;
pub(crate) mod intern;
pub(crate) mod ports;
mod reserve;
mod snapshot;
mod view;

use std::{collections::HashMap, net::IpAddr};

use fluxplane_core::{
    Resources,
    id::{AppId, InstanceId, NodeId},
    place::Network,
};

pub(crate) use self::index::{Hot, amounts};
use self::{
    class::Classes,
    intern::{Groups, at, index},
    ports::Ports,
};
pub use self::{
    reserve::{Reservation, ReserveError, UnknownInstance},
    snapshot::{Snapshot, SnapshotError},
};
use crate::{
    digest::{Digest, SetDigest},
    node::{Node, NodeState},
};

/// Free resources as one number: each dimension in shares of what the smallest Cumulus machine offers applications
/// (3,000 milli cpu, 5,000 MiB, 129 GiB; FluxOS `hwRequirements.js`), so that such a machine, empty, has three equal
/// parts of 645,000.
///
/// The measure is linear: what a node has left after a placement is its volume less the volume of the request. So the
/// node with the least left over is the one with the least volume that fits, whatever the request, and one order of
/// the nodes serves all requests. It also keeps small applications off large machines.
pub fn volume(free: Resources) -> u64 {
    let parts = [
        free.cpu_milli.saturating_mul(215),
        free.ram_mib.saturating_mul(129),
        free.disk_gib.saturating_mul(5_000),
    ];
    parts.into_iter().fold(0, u64::saturating_add)
}

/// The state of the fleet. See the [module](self).
#[derive(Debug, Clone, Default)]
pub struct Engine {
    by_id: HashMap<NodeId, u32>,
    by_outpoint: HashMap<String, Vec<u32>>,
    /// What searches touch, by slot.
    hot: Vec<Hot>,
    /// What they do not; `None` for a vacant slot.
    cold: Vec<Option<Cold>>,
    vacant: Vec<u32>,
    operators: Groups<String>,
    networks: Groups<Network>,
    addresses: Groups<IpAddr>,
    classes: Classes,
    ports: Ports,
    instances: HashMap<InstanceId, Reservation>,
    apps: HashMap<AppId, Vec<(u32, InstanceId)>>,
    digest: SetDigest,
    /// Nodes that take new work.
    open: u32,
    version: u64,
}

#[derive(Debug, Clone)]
struct Cold {
    node: Node,
    digest: Digest,
    used: Resources,
    instances: Vec<InstanceId>,
}

/// A node and what of it is in use.
#[derive(Debug, Clone, Copy)]
pub struct NodeView<'a> {
    pub node: &'a Node,
    /// The sum of its reservations. More than the capacity only after [`Engine::adopt`] or a smaller capacity.
    pub used: Resources,
    /// What new work may take.
    pub free: Resources,
    pub instances: &'a [InstanceId],
}

/// A node that cannot be represented.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "node {node}: capacity {dimension} is {value}, but must be below 4294967295; report it in the unit of the field"
)]
pub struct CapacityTooLarge {
    pub node: NodeId,
    pub dimension: &'static str,
    pub value: u64,
}

/// No node has this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no node {0} is known; add it with upsert_node first")]
pub struct UnknownNode(pub NodeId);

impl Engine {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node, or replaces what is known about it. Its reservations stay, even where a smaller capacity no longer
    /// carries them; such a node takes no new work until enough of them are released.
    pub fn upsert_node(&mut self, node: Node) -> Result<(), CapacityTooLarge> {
        check_capacity(&node)?;
        let slot = if let Some(slot) = self.by_id.get(&node.id).copied() {
            self.detach(slot);
            let cold = self.cold_mut(slot);
            cold.digest = node.digest();
            cold.node = node;
            slot
        } else {
            let slot = self.vacant.pop().unwrap_or_else(|| {
                self.hot.push(Hot::default());
                self.cold.push(None);
                index(self.cold.len() - 1)
            });
            self.by_id.insert(node.id, slot);
            self.cold[at(slot)] = Some(Cold {
                digest: node.digest(),
                node,
                used: Resources::ZERO,
                instances: Vec::new(),
            });
            slot
        };
        self.attach(slot);
        self.version += 1;
        Ok(())
    }

    /// Takes a node away for good, and with it its reservations, which are returned.
    pub fn remove_node(&mut self, id: NodeId) -> Result<(Node, Vec<Reservation>), UnknownNode> {
        let slot = self.slot(id).ok_or(UnknownNode(id))?;
        let instances = self.cold(slot).instances.clone();
        let released = instances
            .into_iter()
            .filter_map(|instance| self.release(instance).ok())
            .collect();
        self.detach(slot);
        self.by_id.remove(&id);
        self.vacant.push(slot);
        self.version += 1;
        let cold = self.cold[at(slot)]
            .take()
            .expect("a slot found by id is occupied");
        Ok((cold.node, released))
    }

    /// Opens a node for new work, or closes it. What runs there is not touched.
    pub fn set_state(&mut self, id: NodeId, state: NodeState) -> Result<(), UnknownNode> {
        let slot = self.slot(id).ok_or(UnknownNode(id))?;
        if self.cold(slot).node.state == state {
            return Ok(());
        }
        self.detach(slot);
        let cold = self.cold_mut(slot);
        cold.node.state = state;
        cold.digest = cold.node.digest();
        self.attach(slot);
        self.version += 1;
        Ok(())
    }

    pub fn node(&self, id: NodeId) -> Option<NodeView<'_>> {
        self.slot(id).map(|slot| self.view(slot))
    }

    /// All nodes, in no particular order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeView<'_>> {
        self.by_id.values().map(|slot| self.view(*slot))
    }

    pub fn node_count(&self) -> usize {
        self.by_id.len()
    }

    pub fn reservation(&self, instance: InstanceId) -> Option<&Reservation> {
        self.instances.get(&instance)
    }

    /// The reservations of an application, in no particular order.
    pub fn copies(&self, app: AppId) -> impl Iterator<Item = &Reservation> {
        let copies = self.apps.get(&app).into_iter().flatten();
        copies.filter_map(|(_, instance)| self.instances.get(instance))
    }

    /// The fingerprint of all nodes and reservations, independent of how the state came about.
    pub fn state_digest(&self) -> Digest {
        self.digest.finish()
    }

    /// How many changes this engine has seen. Two engines of equal state may differ in it.
    pub fn version(&self) -> u64 {
        self.version
    }

    fn view(&self, slot: u32) -> NodeView<'_> {
        let cold = self.cold(slot);
        NodeView {
            node: &cold.node,
            used: cold.used,
            free: cold.node.capacity.saturating_sub(cold.used),
            instances: &cold.instances,
        }
    }

    pub(crate) fn slot(&self, id: NodeId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    fn cold(&self, slot: u32) -> &Cold {
        self.cold[at(slot)]
            .as_ref()
            .expect("slots in the indexes are occupied")
    }

    fn cold_mut(&mut self, slot: u32) -> &mut Cold {
        self.cold[at(slot)]
            .as_mut()
            .expect("slots in the indexes are occupied")
    }
}

fn check_capacity(node: &Node) -> Result<(), CapacityTooLarge> {
    let Resources {
        cpu_milli,
        ram_mib,
        disk_gib,
    } = node.capacity;
    let dimensions = [
        ("cpu_milli", cpu_milli),
        ("ram_mib", ram_mib),
        ("disk_gib", disk_gib),
    ];
    for (dimension, value) in dimensions {
        if value >= u64::from(u32::MAX) {
            return Err(CapacityTooLarge {
                node: node.id,
                dimension,
                value,
            });
        }
    }
    Ok(())
}
