//! The state as plain data, to store and to restore.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    fluxnode::{FluxnodeState, NodeEntry, Status},
    key::PublicKey,
    outpoint::OutPoint,
    params::ChainParams,
};

/// Everything a state holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub height: u32,
    pub nodes: Vec<NodeEntry>,
    pub delegates: Vec<DelegateEntry>,
}

/// The keys that may start a node for its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegateEntry {
    pub collateral: OutPoint,
    pub keys: Vec<PublicKey>,
}

/// Why data is no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("node {0} is listed twice")]
    Twice(OutPoint),
    #[error("node {collateral} has height {height}, beyond the snapshot's {limit}")]
    Future {
        collateral: OutPoint,
        height: u32,
        limit: u32,
    },
    #[error("node {0} is confirmed but has no confirm height")]
    NeverConfirmed(OutPoint),
}

impl FluxnodeState {
    /// Everything the state holds, nodes by outpoint.
    pub fn export(&self) -> Snapshot {
        Snapshot {
            height: self.height,
            nodes: self.nodes().cloned().collect(),
            delegates: self
                .delegates
                .iter()
                .map(|(collateral, keys)| DelegateEntry {
                    collateral: *collateral,
                    keys: keys.clone(),
                })
                .collect(),
        }
    }

    /// Restores a state.
    pub fn import(params: Arc<ChainParams>, snapshot: Snapshot) -> Result<Self, ImportError> {
        let limit = snapshot.height;
        let mut state = Self::empty_at(params, limit);
        for node in snapshot.nodes {
            let collateral = node.collateral;
            let height = node
                .added_height
                .max(node.confirmed_height)
                .max(node.last_confirmed_height)
                .max(node.last_paid_height);
            if height > limit {
                return Err(ImportError::Future {
                    collateral,
                    height,
                    limit,
                });
            }
            if node.status == Status::Confirmed
                && (node.confirmed_height == 0 || node.last_confirmed_height == 0)
            {
                return Err(ImportError::NeverConfirmed(collateral));
            }
            if state.index.set(collateral, Some(node)).is_some() {
                return Err(ImportError::Twice(collateral));
            }
        }
        for entry in snapshot.delegates {
            let before = state.set_delegates(entry.collateral, entry.keys);
            if !before.is_empty() {
                return Err(ImportError::Twice(entry.collateral));
            }
        }
        Ok(state)
    }
}
