//! Reservations: what an instance takes of a node, from the decision until the instance is gone.

use std::collections::BTreeSet;

use fluxplane_core::{
    Resources,
    id::{AppId, InstanceId, NodeId},
};
use serde::{Deserialize, Serialize};

use super::{Engine, intern::at};
use crate::{canonical::Canonical, digest::Digest, node::NodeState};

/// One copy of an application on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    pub instance: InstanceId,
    pub app: AppId,
    pub node: NodeId,
    pub resources: Resources,
    /// Ports on the address of the node.
    #[serde(default)]
    pub ports: BTreeSet<u16>,
}

impl Reservation {
    fn digest(&self) -> Digest {
        let mut form = Canonical::of("fluxplane/placement/reservation/v1");
        form.wide(self.instance.uuid().as_u128())
            .wide(self.app.uuid().as_u128())
            .wide(self.node.uuid().as_u128())
            .resources(self.resources)
            .length(self.ports.len());
        for port in &self.ports {
            form.number(*port);
        }
        Digest::of(form)
    }
}

/// Why a reservation was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    #[error("instance {0} holds a reservation already; release it first")]
    InstanceTaken(InstanceId),
    #[error("no node {0} is known; add it with upsert_node first")]
    UnknownNode(NodeId),
    #[error("node {node} is {state:?} and takes no new work; plan again")]
    NotSchedulable { node: NodeId, state: NodeState },
    #[error("node {node} runs a copy of application {app} already; one copy per node, plan again")]
    SecondCopy { node: NodeId, app: AppId },
    #[error("port {port} is taken behind the address of node {node}; plan again")]
    PortTaken { node: NodeId, port: u16 },
    #[error("node {node} has {free} free, the instance needs {needed}; plan again")]
    NoRoom {
        node: NodeId,
        free: Resources,
        needed: Resources,
    },
    #[error(
        "{needed} is more than any number of nodes can have; correct the resources of the instance"
    )]
    Absurd { needed: Resources },
}

/// No reservation belongs to this instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("instance {0} holds no reservation; it was released, or never reserved")]
pub struct UnknownInstance(pub InstanceId);

impl Engine {
    /// Takes room for new work: the node must take new work, have the room and the ports, and carry no other copy of
    /// the application.
    pub fn reserve(&mut self, reservation: Reservation) -> Result<(), ReserveError> {
        let node = reservation.node;
        let slot = self.slot(node).ok_or(ReserveError::UnknownNode(node))?;
        let view = self.view(slot);
        if view.node.state != NodeState::Schedulable {
            return Err(ReserveError::NotSchedulable {
                node,
                state: view.node.state,
            });
        }
        if !view.free.covers(reservation.resources) {
            return Err(ReserveError::NoRoom {
                node,
                free: view.free,
                needed: reservation.resources,
            });
        }
        let app = reservation.app;
        if self.copy_slots(app).any(|other| other == slot) {
            return Err(ReserveError::SecondCopy { node, app });
        }
        let address = self.hot(slot).address;
        let taken = |port: &&u16| self.ports.taken(address, **port);
        if let Some(port) = reservation.ports.iter().find(taken) {
            return Err(ReserveError::PortTaken { node, port: *port });
        }
        self.adopt(reservation)
    }

    /// Records an instance that runs whether it fits or not: when the engine is filled from storage, or a node reports
    /// what it runs. Such a node may end over its capacity and takes no new work until it is below again.
    pub fn adopt(&mut self, reservation: Reservation) -> Result<(), ReserveError> {
        let Reservation {
            instance,
            app,
            node,
            resources,
            ..
        } = reservation;
        if self.instances.contains_key(&instance) {
            return Err(ReserveError::InstanceTaken(instance));
        }
        let slot = self.slot(node).ok_or(ReserveError::UnknownNode(node))?;
        let used = self.cold(slot).used.checked_add(resources);
        let used = used.ok_or(ReserveError::Absurd { needed: resources })?;
        let cold = self.cold_mut(slot);
        cold.used = used;
        cold.instances.push(instance);
        let address = self.hot[at(slot)].address;
        for port in &reservation.ports {
            self.ports.take(address, *port);
        }
        self.digest.add(reservation.digest());
        self.apps.entry(app).or_default().push((slot, instance));
        self.instances.insert(instance, reservation);
        self.reposition(slot);
        self.version += 1;
        Ok(())
    }

    /// Gives back what an instance took.
    pub fn release(&mut self, instance: InstanceId) -> Result<Reservation, UnknownInstance> {
        let reservation = self
            .instances
            .remove(&instance)
            .ok_or(UnknownInstance(instance))?;
        let slot = self
            .slot(reservation.node)
            .expect("a node is removed together with its reservations");
        let cold = self.cold_mut(slot);
        cold.used = cold
            .used
            .checked_sub(reservation.resources)
            .expect("the use of a node is the sum of its reservations");
        cold.instances.retain(|other| *other != instance);
        let address = self.hot[at(slot)].address;
        for port in &reservation.ports {
            self.ports.give_back(address, *port);
        }
        if let Some(copies) = self.apps.get_mut(&reservation.app) {
            copies.retain(|(_, other)| *other != instance);
            if copies.is_empty() {
                self.apps.remove(&reservation.app);
            }
        }
        self.digest.subtract(reservation.digest());
        self.reposition(slot);
        self.version += 1;
        Ok(reservation)
    }
}
