//! The placement engine, kept in step with the database.
//!
//! The database is the truth. The engine learns of it piece by piece: a node that changed, the room that one application
//! takes. Both are taken as a whole and compared, so that whatever was missed is made good by the next look.

use std::collections::HashMap;

use fluxplane_core::id::{AppId, InstanceId, NodeId};
use fluxplane_placement::{
    Decision, Engine, Pin, Request, Reservation,
    engine::{CapacityTooLarge, ReserveError},
};

use super::Node;

/// What cannot be represented, and is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeftOut {
    #[error("node is left out of placement")]
    Node(#[source] CapacityTooLarge),
    #[error("room of an instance is left out of placement")]
    Room(#[source] ReserveError),
}

/// All nodes and what is taken of them.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    engine: Engine,
}

impl Fleet {
    /// The fleet as the database has it, and what could not be represented.
    pub fn new(nodes: &[Node], rooms: Vec<Reservation>) -> (Self, Vec<LeftOut>) {
        let mut fleet = Self::default();
        let mut left_out = Vec::new();
        for node in nodes {
            left_out.extend(fleet.put_node(node).err());
        }
        for room in rooms {
            left_out.extend(fleet.engine.adopt(room).err().map(LeftOut::Room));
        }
        (fleet, left_out)
    }

    /// Takes a node as it is now.
    pub fn put_node(&mut self, node: &Node) -> Result<(), LeftOut> {
        self.engine
            .upsert_node(node.to_placement())
            .map_err(LeftOut::Node)
    }

    /// Makes the room that an application takes what it is.
    pub fn set_rooms(&mut self, app: AppId, rooms: Vec<Reservation>) -> Result<(), LeftOut> {
        let mut wanted: HashMap<InstanceId, Reservation> = rooms
            .into_iter()
            .map(|room| (room.instance, room))
            .collect();
        let outdated: Vec<InstanceId> = self
            .engine
            .copies(app)
            .filter(|held| {
                let same = wanted.get(&held.instance) == Some(held);
                if same {
                    wanted.remove(&held.instance);
                }
                !same
            })
            .map(|held| held.instance)
            .collect();
        for instance in outdated {
            // It was found a moment ago.
            self.engine.release(instance).ok();
        }
        let mut result = Ok(());
        for room in wanted.into_values() {
            result = result.and(self.engine.adopt(room).map_err(LeftOut::Room));
        }
        result
    }

    /// Takes room if it is there and no rule is broken.
    pub fn take(&mut self, room: Reservation) -> Result<(), ReserveError> {
        self.engine.reserve(room)
    }

    /// Decides where further copies go. Changes nothing.
    pub fn plan(&self, request: &Request, seed: u64) -> Decision {
        self.engine.plan(request, seed)
    }

    /// Decides whether an instance can take on another request where it is, as if it had left its room there. Changes
    /// nothing in the end.
    pub fn plan_in_place(
        &mut self,
        instance: InstanceId,
        request: &Request,
        seed: u64,
    ) -> Decision {
        let held = self.engine.release(instance).ok();
        let pinned = held.iter().map(|room| Pin::Node(room.node)).collect();
        let here = Request {
            pinned,
            count: u32::from(held.is_some()),
            ..request.clone()
        };
        let decision = self.engine.plan(&here, seed);
        if let Some(room) = held {
            // It held it a moment ago.
            self.engine.adopt(room).ok();
        }
        decision
    }

    /// A node as the engine knows it.
    pub fn node(&self, id: NodeId) -> Option<&fluxplane_placement::Node> {
        self.engine.node(id).map(|view| view.node)
    }

    pub fn nodes(&self) -> usize {
        self.engine.node_count()
    }

    /// Everything as plain data, for comparison.
    pub fn snapshot(&self) -> fluxplane_placement::Snapshot {
        self.engine.snapshot()
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_core::{Place, Resources, Tier};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use fluxplane_core::NodeState;

    fn node(n: u8) -> Node {
        Node {
            id: Uuid::from_u128(n.into()).into(),
            operator: format!("operator {n}"),
            outpoint: format!("{n}:0"),
            tier: Tier::Cumulus,
            state: NodeState::Ready,
            capacity: Resources {
                cpu_milli: 3_000,
                ram_mib: 5_000,
                disk_gib: 129,
            },
            place: Place::default(),
            ip: [10, n, 0, 1].into(),
            static_ip: true,
            version: 1,
        }
    }

    fn room(app: u8, instance: u8, node: u8, cpu_milli: u64) -> Reservation {
        let id = |n: u8| Uuid::from_u128(n.into());
        Reservation {
            instance: id(instance).into(),
            app: id(app).into(),
            node: id(node).into(),
            resources: Resources {
                cpu_milli,
                ram_mib: 100,
                disk_gib: 1,
            },
            ports: [u16::from(app) + 31_000].into(),
        }
    }

    fn fleet() -> Fleet {
        let nodes: Vec<Node> = (1..=4).map(node).collect();
        let (fleet, left_out) = Fleet::new(&nodes, Vec::new());
        assert_eq!(left_out, []);
        fleet
    }

    proptest! {
        /// Telling the engine of one application after another gives the same state as reading everything anew.
        #[test]
        fn piece_by_piece_is_the_same_as_at_once(
            history in proptest::collection::vec(
                (1_u8..4, proptest::collection::btree_map(1_u8..5, (1_u8..9, 1_u64..4), 0..4)), 0..20),
        ) {
            let mut now = std::collections::BTreeMap::<u8, Vec<Reservation>>::new();
            let mut fleet = fleet();
            for (app, copies) in history {
                // Instance ids are unique to the application.
                let rooms: Vec<Reservation> = copies
                    .into_iter()
                    .map(|(node, (instance, cpu))| room(app, app * 40 + instance * 4 + node, node, cpu))
                    .collect();
                fleet.set_rooms(rooms.first().map_or(Uuid::from_u128(app.into()).into(), |r| r.app), rooms.clone()).unwrap();
                now.insert(app, rooms);
            }
            let nodes: Vec<Node> = (1..=4).map(node).collect();
            let (anew, _) = Fleet::new(&nodes, now.into_values().flatten().collect());
            prop_assert_eq!(fleet.snapshot(), anew.snapshot());
        }
    }

    #[test]
    fn in_place_an_instance_may_use_its_own_room_and_ports() {
        let mut fleet = fleet();
        let app: AppId = Uuid::from_u128(1).into();
        let held = room(1, 1, 2, 2_900);
        fleet.set_rooms(app, vec![held.clone()]).unwrap();
        let before = fleet.snapshot();
        let mut request = Request::new(app, held.resources, 1);
        request.ports = vec![31_001];
        request.resources.cpu_milli = 3_000;
        let decision = fleet.plan_in_place(held.instance, &request, 1);
        assert_eq!(decision.placements, [held.node]);
        request.resources.cpu_milli = 3_001;
        let decision = fleet.plan_in_place(held.instance, &request, 1);
        assert!(decision.placements.is_empty() && decision.record.pending.is_some());
        assert_eq!(fleet.snapshot(), before);
    }
}
