//! Keeping the indexes true: every node is in exactly the indexes that its slot says.

use std::collections::HashMap;

use fluxplane_core::{
    Resources,
    id::{InstanceId, NodeId},
};

use super::{
    Cold, Engine, Reservation,
    blocks::{Amounts, Entry},
    intern::at,
    volume,
};
use crate::node::NodeState;

/// The numbers of a node that a search looks at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hot {
    pub class: u32,
    pub region: u32,
    pub operator: u32,
    pub network: u32,
    pub address: u32,
    pub free: Amounts,
    pub static_ip: bool,
    pub open: bool,
    pub gone: bool,
    pub volume: u64,
    pub salt: u128,
}

impl Engine {
    /// Enters a node into every index by what its slot says.
    pub(super) fn attach(&mut self, slot: u32) {
        let cold = self.cold[at(slot)]
            .as_ref()
            .expect("only occupied slots are attached");
        let node = &cold.node;
        let open = node.state == NodeState::Schedulable;
        let free = node.capacity.saturating_sub(cold.used);
        let (class, region) = self.classes.of(node);
        let hot = Hot {
            class,
            region,
            static_ip: node.static_ip,
            operator: self.operators.join(&node.operator, slot, open),
            network: self.networks.join(&node.network, slot, open),
            address: self.addresses.join(&node.ip, slot, open),
            free: amounts(free),
            open,
            gone: node.state == NodeState::Gone,
            volume: volume(free),
            salt: salt(node.id),
        };
        for port in held_ports(cold, &self.instances) {
            self.ports.take(hot.address, port);
        }
        self.by_outpoint
            .entry(node.outpoint.clone())
            .or_default()
            .push(slot);
        self.digest.add(cold.digest);
        self.hot[at(slot)] = hot;
        if open {
            self.open += 1;
            self.classes
                .open_mut(hot.class)
                .insert(hot.entry(slot), hot.free);
        }
    }

    /// Takes a node out of every index; the exact reverse of [`Self::attach`].
    pub(super) fn detach(&mut self, slot: u32) {
        let hot = self.hot[at(slot)];
        let cold = self.cold[at(slot)]
            .as_ref()
            .expect("only occupied slots are detached");
        self.operators.leave(hot.operator, slot, hot.open);
        self.networks.leave(hot.network, slot, hot.open);
        for port in held_ports(cold, &self.instances) {
            self.ports.give_back(hot.address, port);
        }
        self.addresses.leave(hot.address, slot, hot.open);
        if let Some(slots) = self.by_outpoint.get_mut(&cold.node.outpoint) {
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                self.by_outpoint.remove(&cold.node.outpoint);
            }
        }
        self.digest.subtract(cold.digest);
        if hot.open {
            self.open -= 1;
            self.classes
                .open_mut(hot.class)
                .remove(hot.volume, hot.salt);
        }
    }

    /// Moves a node to where its changed use puts it.
    pub(super) fn reposition(&mut self, slot: u32) {
        let cold = self.cold(slot);
        let free = cold.node.capacity.saturating_sub(cold.used);
        let before = self.hot[at(slot)];
        let hot = &mut self.hot[at(slot)];
        hot.free = amounts(free);
        hot.volume = volume(free);
        if hot.open {
            let (entry, free) = (hot.entry(slot), hot.free);
            let open = self.classes.open_mut(before.class);
            open.remove(before.volume, before.salt);
            open.insert(entry, free);
        }
    }
}

impl Hot {
    fn entry(&self, slot: u32) -> Entry {
        Entry {
            volume: self.volume,
            salt: self.salt,
            node: slot,
            operator: self.operator,
            network: self.network,
            region: self.region,
            static_ip: self.static_ip,
        }
    }
}

fn held_ports<'a>(
    cold: &'a Cold,
    instances: &'a HashMap<InstanceId, Reservation>,
) -> impl Iterator<Item = u16> + 'a {
    let reserved = cold.instances.iter().filter_map(|id| instances.get(id));
    let reserved = reserved.flat_map(|reservation| reservation.ports.iter().copied());
    cold.node.ports_in_use.iter().copied().chain(reserved)
}

/// Resources in the narrow form of the index. What no node can have becomes an amount that no node has.
pub(crate) fn amounts(resources: Resources) -> Amounts {
    let narrow = |amount: u64| u32::try_from(amount).unwrap_or(u32::MAX);
    [
        narrow(resources.cpu_milli),
        narrow(resources.ram_mib),
        narrow(resources.disk_gib),
    ]
}

/// A fixed random-looking number per node. Every step can be undone, so different nodes never share one.
fn salt(id: NodeId) -> u128 {
    let mut bits = id.uuid().as_u128();
    for factor in [
        0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835,
        0xd6e8_feb8_6659_fd93_a076_1d64_78bd_642f,
    ] {
        bits ^= bits >> 64;
        bits = bits.wrapping_mul(factor);
    }
    bits ^ (bits >> 64)
}
