//! A whole state as plain data, to be stored beside the decisions made on it and loaded to replay them.

use serde::{Deserialize, Serialize};

use super::{CapacityTooLarge, Engine, Reservation, ReserveError};
use crate::node::Node;

/// All nodes and reservations, each sorted by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub nodes: Vec<Node>,
    pub reservations: Vec<Reservation>,
}

/// A snapshot that describes no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("the snapshot holds a node that cannot be represented")]
    Node(#[source] CapacityTooLarge),
    #[error("the snapshot holds a reservation that cannot be represented")]
    Reservation(#[source] ReserveError),
}

impl Engine {
    pub fn snapshot(&self) -> Snapshot {
        let mut nodes: Vec<Node> = self.nodes().map(|view| view.node.clone()).collect();
        nodes.sort_unstable_by_key(|node| node.id);
        let mut reservations: Vec<Reservation> = self.instances.values().cloned().collect();
        reservations.sort_unstable_by_key(|reservation| reservation.instance);
        Snapshot {
            nodes,
            reservations,
        }
    }

    /// The engine in the state of the snapshot. Facts are taken as they are, even where a node is over its capacity.
    pub fn from_snapshot(snapshot: Snapshot) -> Result<Self, SnapshotError> {
        let mut engine = Self::new();
        for node in snapshot.nodes {
            engine.upsert_node(node).map_err(SnapshotError::Node)?;
        }
        for reservation in snapshot.reservations {
            engine
                .adopt(reservation)
                .map_err(SnapshotError::Reservation)?;
        }
        Ok(engine)
    }
}
