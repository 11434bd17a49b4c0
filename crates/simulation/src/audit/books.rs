//! Who takes what room, kept in the plainest way: one list of nodes, sums that are checked whenever they change.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use fluxplane_core::{
    Resources,
    id::{AppId, InstanceId, NodeId},
};
use fluxplane_placement::{Node, Reservation};

use super::rule::{Rule, Violation};
use crate::journal::short;

/// A node and what is taken of it.
#[derive(Debug, Clone)]
pub(super) struct Booked {
    pub(super) node: Node,
    pub(super) used: Resources,
    /// The capacity; more while a node that was measured smaller still carries what it had.
    allowed: Resources,
}

/// All nodes and rooms that the engine was told of.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) nodes: Vec<Booked>,
    places: BTreeMap<NodeId, usize>,
    rooms: BTreeMap<AppId, BTreeMap<InstanceId, Reservation>>,
    ports: BTreeMap<(IpAddr, u16), u32>,
}

impl Books {
    pub(super) fn put_node(&mut self, node: Node) {
        if let Some(place) = self.places.get(&node.id) {
            let booked = &mut self.nodes[*place];
            booked.allowed = largest(node.capacity, booked.used);
            booked.node = node;
            return;
        }
        self.places.insert(node.id, self.nodes.len());
        self.nodes.push(Booked {
            used: Resources::ZERO,
            allowed: node.capacity,
            node,
        });
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Booked> {
        self.places.get(&id).map(|place| &self.nodes[*place])
    }

    pub(super) fn rooms(&self, app: AppId) -> impl Iterator<Item = &Reservation> {
        self.rooms.get(&app).into_iter().flat_map(BTreeMap::values)
    }

    pub(super) fn port_taken(&self, ip: IpAddr, port: u16) -> bool {
        self.ports.contains_key(&(ip, port))
    }

    /// Makes the rooms of an application these, and checks every node that is touched.
    pub(super) fn set_rooms(&mut self, app: AppId, rooms: &[Reservation]) -> Vec<Violation> {
        let after: BTreeMap<InstanceId, Reservation> = rooms
            .iter()
            .map(|room| (room.instance, room.clone()))
            .collect();
        let before = self.rooms.remove(&app).unwrap_or_default();
        if before == after {
            self.rooms.insert(app, after);
            return Vec::new();
        }
        let gone = |room: &&Reservation| after.get(&room.instance) != Some(room);
        let new = |room: &&Reservation| before.get(&room.instance) != Some(room);
        let mut touched = BTreeSet::new();
        for room in before.values().filter(gone) {
            self.take_away(room);
            touched.insert(room.node);
        }
        for room in after.values().filter(new) {
            self.add(room);
            touched.insert(room.node);
        }
        let mut found = one_per_node(app, &after);
        found.extend(touched.into_iter().filter_map(|node| self.check(node)));
        let ports = after.values().filter(new).flat_map(|room| {
            let ip = self.node(room.node).map(|booked| booked.node.ip);
            room.ports.iter().filter_map(move |port| Some((ip?, *port)))
        });
        for (ip, port) in ports {
            let users = self.ports.get(&(ip, port)).copied().unwrap_or(0);
            if users > 1 {
                found.push(Violation {
                    rule: Rule::Ports,
                    text: format!("port {port} of {ip} has {users} users"),
                });
            }
        }
        self.rooms.insert(app, after);
        found
    }

    /// Takes a room away for a moment, as when an instance is to be placed where it is.
    pub(super) fn lift(&mut self, app: AppId, instance: InstanceId) -> Option<Reservation> {
        let room = self.rooms.get_mut(&app)?.remove(&instance)?;
        self.take_away(&room);
        Some(room)
    }

    /// Gives back what was lifted.
    pub(super) fn put_back(&mut self, room: Reservation) {
        self.add(&room);
        self.rooms
            .entry(room.app)
            .or_default()
            .insert(room.instance, room);
    }

    fn add(&mut self, room: &Reservation) {
        let Some(place) = self.places.get(&room.node) else {
            return;
        };
        let booked = &mut self.nodes[*place];
        booked.used = booked
            .used
            .checked_add(room.resources)
            .expect("sums of what applications ask for fit 64 bits");
        for port in &room.ports {
            *self.ports.entry((booked.node.ip, *port)).or_default() += 1;
        }
    }

    fn take_away(&mut self, room: &Reservation) {
        let Some(place) = self.places.get(&room.node) else {
            return;
        };
        let booked = &mut self.nodes[*place];
        booked.used = booked.used.saturating_sub(room.resources);
        for port in &room.ports {
            let key = (booked.node.ip, *port);
            let left = self.ports.get(&key).map_or(0, |users| users - 1);
            if left == 0 {
                self.ports.remove(&key);
            } else {
                self.ports.insert(key, left);
            }
        }
    }

    /// Checks a node. What was too much before may stay, and never comes back once it is gone.
    fn check(&mut self, id: NodeId) -> Option<Violation> {
        let place = *self.places.get(&id)?;
        let booked = &mut self.nodes[place];
        let (used, allowed) = (booked.used, booked.allowed);
        booked.allowed = largest(booked.node.capacity, smallest(allowed, used));
        (!allowed.covers(used)).then(|| Violation {
            rule: Rule::Capacity,
            text: format!("node {} has {allowed}, {used} is taken", short(id)),
        })
    }
}

fn one_per_node(app: AppId, rooms: &BTreeMap<InstanceId, Reservation>) -> Vec<Violation> {
    let mut nodes = BTreeSet::new();
    let twice = rooms.values().filter(|room| !nodes.insert(room.node));
    twice
        .map(|room| Violation {
            rule: Rule::OneCopyPerNode,
            text: format!("app {} twice on node {}", short(app), short(room.node)),
        })
        .collect()
}

fn by_dimension(a: Resources, b: Resources, choose: impl Fn(u64, u64) -> u64) -> Resources {
    Resources {
        cpu_milli: choose(a.cpu_milli, b.cpu_milli),
        ram_mib: choose(a.ram_mib, b.ram_mib),
        disk_gib: choose(a.disk_gib, b.disk_gib),
    }
}

fn largest(a: Resources, b: Resources) -> Resources {
    by_dimension(a, b, u64::max)
}

fn smallest(a: Resources, b: Resources) -> Resources {
    by_dimension(a, b, u64::min)
}
