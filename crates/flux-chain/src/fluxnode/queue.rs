//! The payment queue of a tier. One block pays the first node of each queue, which then goes to the back.

use std::cmp::Ordering;

use crate::{fluxnode::NodeEntry, outpoint::OutPoint};

/// The place of a node in its queue: by last payment, or by first confirm when never paid. At equal heights a node that was
/// never paid goes first; then the outpoint decides (fluxd `src/fluxnode/fluxnode.h`, `FluxnodeListData::operator<`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QueueKey {
    height: u32,
    paid: bool,
    collateral: OutPoint,
}

impl QueueKey {
    pub(super) const fn of(entry: &NodeEntry) -> Self {
        let paid = entry.last_paid_height > 0;
        Self {
            height: if paid {
                entry.last_paid_height
            } else {
                entry.confirmed_height
            },
            paid,
            collateral: entry.collateral,
        }
    }

    pub(super) const fn collateral(&self) -> OutPoint {
        self.collateral
    }
}

impl Ord for QueueKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.height
            .cmp(&other.height)
            .then_with(|| self.paid.cmp(&other.paid))
            .then_with(|| self.collateral.cmp(&other.collateral))
    }
}

impl PartialOrd for QueueKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A confirmed node with its place in the queue of its tier, 0 being paid next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked<'a> {
    pub rank: usize,
    pub node: &'a NodeEntry,
}
