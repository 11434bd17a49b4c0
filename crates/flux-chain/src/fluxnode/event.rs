//! What a block did to the list, and what it takes to take it back.

use fluxplane_core::{Sat, Tier};
use serde::{Deserialize, Serialize};

use crate::{
    fluxnode::{Ip, NodeEntry},
    hash::Hash256,
    key::PublicKey,
    outpoint::OutPoint,
};

/// Something that happened to a node, in the order of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Event {
    /// The coinbase paid the node that was first in the queue of its tier.
    Paid {
        collateral: OutPoint,
        tier: Tier,
        amount: Sat,
    },
    /// Announced.
    Started {
        collateral: OutPoint,
        txid: Hash256,
        tier: Tier,
        amount: Sat,
    },
    /// A start set or removed the keys that may start this node for its owner.
    DelegatesChanged {
        collateral: OutPoint,
        keys: Vec<PublicKey>,
    },
    /// Confirmed for the first time; now in the payment queue.
    Confirmed {
        collateral: OutPoint,
        txid: Hash256,
        ip: Ip,
    },
    /// Confirmed again. `moved_from` is the address it had when it gave another.
    Updated {
        collateral: OutPoint,
        txid: Hash256,
        ip: Ip,
        moved_from: Option<Ip>,
    },
    /// Free to start again.
    DosLeft { collateral: OutPoint },
    /// Left the list of confirmed nodes.
    Expired {
        collateral: OutPoint,
        reason: ExpiryReason,
    },
    /// Not confirmed in time.
    DosEntered { collateral: OutPoint },
}

impl Event {
    /// The node the event is about.
    pub const fn collateral(&self) -> OutPoint {
        match self {
            Self::Paid { collateral, .. }
            | Self::Started { collateral, .. }
            | Self::DelegatesChanged { collateral, .. }
            | Self::Confirmed { collateral, .. }
            | Self::Updated { collateral, .. }
            | Self::DosLeft { collateral }
            | Self::Expired { collateral, .. }
            | Self::DosEntered { collateral } => *collateral,
        }
    }
}

/// Why a confirmed node left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryReason {
    /// No update confirm in time.
    NotConfirmed,
    /// A transaction of the block spent the collateral.
    CollateralSpent { txid: Hash256 },
    /// The amount of the collateral no longer counts.
    AmountOutlawed,
}

/// What one block did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDelta {
    pub height: u32,
    pub events: Vec<Event>,
    pub undo: Undo,
}

/// Restores the state of the parent. Holds the entries as they were before the block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// The block that is taken back.
    pub height: u32,
    pub nodes: Vec<NodeChange>,
    pub delegates: Vec<DelegateChange>,
}

/// A node the block touched: how its entry was before, if it had one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeChange {
    pub collateral: OutPoint,
    pub before: Option<NodeEntry>,
}

/// Delegates the block touched: the keys as they were before, none when there were none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegateChange {
    pub collateral: OutPoint,
    pub before: Vec<PublicKey>,
}
