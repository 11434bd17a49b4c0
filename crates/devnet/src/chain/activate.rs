//! Moves the tip to the best branch, step by step as the daemon does (fluxd `ActivateBestChain`): a step takes blocks back to the
//! fork and connects until the chain is better than before, and every step is announced once.

use std::collections::BTreeSet;

use fluxplane_flux_chain::{
    Hash256, OutPoint,
    fluxnode::{NodeEntry, Status},
};

use crate::chain::{BlockEntry, BlockRef, BlockStatus, Chain, Checks, Reject};

/// One step of the tip.
#[derive(Debug, Clone)]
pub(crate) struct TipChange {
    pub(crate) old: BlockRef,
    pub(crate) new: BlockRef,
    /// The last block both have, when blocks were taken back.
    pub(crate) fork: Option<BlockRef>,
    /// Blocks taken back, the old tip first.
    pub(crate) disconnected: Vec<Hash256>,
    pub(crate) connected: Vec<Hash256>,
    /// What changed in the list of confirmed nodes. `None` when the new tip is not announced, as when an invalidated block is taken
    /// back by hand; the next announcement then tells it.
    pub(crate) nodes: Option<NodeListChange>,
}

/// What became of an attempt to move to the best branch.
#[derive(Debug, Default)]
pub(crate) struct Activation {
    pub(crate) changes: Vec<TipChange>,
    /// Blocks that turned out to be invalid.
    pub(crate) failures: Vec<(Hash256, Reject)>,
}

/// What changed in the list of confirmed nodes since the last announcement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NodeListChange {
    pub(crate) added: Vec<NodeEntry>,
    pub(crate) removed: Vec<OutPoint>,
    pub(crate) updated: Vec<NodeEntry>,
}

impl Chain {
    /// Moves to the best branch of the tree.
    pub(crate) fn activate_best(&mut self, checks: Checks) -> Activation {
        let mut activation = Activation::default();
        loop {
            let best = self.index.best().hash;
            if best == self.tip().hash {
                return activation;
            }
            self.step(best, checks, &mut activation);
        }
    }

    fn step(&mut self, best: Hash256, checks: Checks, activation: &mut Activation) {
        let old = self.tip().clone();
        let fork = self.fork_with(self.index.known(&best));
        let depth = usize::try_from(old.height - fork.height).unwrap_or(usize::MAX);
        if depth > self.undoable() {
            let detail = format!("{depth} blocks would have to be taken back");
            let reject = Reject::invalid("bad-fork-prior-to-maxreorgdepth", detail);
            return self.fail(best, reject, activation);
        }
        let disconnected: Vec<Hash256> = (0..depth).map(|_| self.disconnect()).collect();
        let mut connected = Vec::new();
        let mut path = self.index.path_down_to(best, fork.height);
        while let Some(hash) = path.pop() {
            if let Err(reject) = self.connect(&hash, checks) {
                self.fail(hash, reject, activation);
                break;
            }
            connected.push(hash);
            if self.tip().chain_work() > old.chain_work() {
                break;
            }
        }
        if disconnected.is_empty() && connected.is_empty() {
            return;
        }
        activation.changes.push(TipChange {
            old: reference(&old),
            new: self.tip_ref(),
            fork: (!disconnected.is_empty()).then_some(fork),
            disconnected,
            connected,
            nodes: Some(self.take_node_changes()),
        });
    }

    fn fail(&mut self, hash: Hash256, reject: Reject, activation: &mut Activation) {
        let root = self.index.known(&hash).clone();
        tracing::info!(
            block.hash = %hash,
            block.height = root.height,
            reason = %reject.reason,
            detail = %reject.detail,
            "block is invalid"
        );
        for member in self.index.with_descendants(&root) {
            self.index.set_status(&member, BlockStatus::Invalid);
        }
        activation.failures.push((hash, reject));
    }

    /// The last block of the best chain below a block.
    fn fork_with(&self, entry: &BlockEntry) -> BlockRef {
        let mut at = entry;
        while !self.is_active(at) {
            at = self.index.known(&at.previous);
        }
        reference(at)
    }

    /// Marks a block and what is built on it as invalid, and takes it back when it counts (fluxd `InvalidateBlock`). `None` when it
    /// is deeper than blocks can be taken back.
    pub(crate) fn invalidate(&mut self, hash: &Hash256, checks: Checks) -> Option<Activation> {
        let root = self.index.get(hash)?.clone();
        let mut activation = Activation::default();
        if self.is_active(&root) {
            let depth = usize::try_from(self.height() - root.height).ok()? + 1;
            if depth > self.undoable() {
                return None;
            }
            let old = self.tip_ref();
            let disconnected = (0..depth).map(|_| self.disconnect()).collect();
            let new = self.tip_ref();
            activation.changes.push(TipChange {
                old,
                new,
                fork: Some(new),
                disconnected,
                connected: Vec::new(),
                nodes: None,
            });
        }
        for member in self.index.with_descendants(&root) {
            self.index.set_status(&member, BlockStatus::Invalid);
        }
        let rest = self.activate_best(checks);
        activation.changes.extend(rest.changes);
        activation.failures.extend(rest.failures);
        Some(activation)
    }

    /// Takes the mark of invalidity off a block, what is built on it and what it is built on (fluxd `ReconsiderBlock`).
    pub(crate) fn reconsider(&mut self, hash: &Hash256, checks: Checks) -> Option<Activation> {
        let root = self.index.get(hash)?.clone();
        let mut family = self.index.with_descendants(&root);
        family.extend(self.index.path_down_to(root.hash, 0));
        for member in family {
            if self.index.known(&member).status == BlockStatus::Invalid {
                self.index.set_status(&member, BlockStatus::Stored);
            }
        }
        Some(self.activate_best(checks))
    }

    /// The change of the node list since this was last asked, by outpoint.
    fn take_node_changes(&mut self) -> NodeListChange {
        let touched = std::mem::take(&mut self.touched);
        let touched = touched.iter();
        self.changes_since(touched.map(|(at, before)| (*at, before.as_ref())))
    }

    /// The difference of the node list to that of another chain.
    pub(crate) fn node_changes_from(&self, other: &Self) -> NodeListChange {
        let ours = self.nodes.nodes();
        let theirs = other.nodes.nodes();
        let all: BTreeSet<OutPoint> = ours.chain(theirs).map(|node| node.collateral).collect();
        self.changes_since(all.into_iter().map(|at| (at, other.nodes.node(&at))))
    }

    fn changes_since<'n>(
        &self,
        touched: impl Iterator<Item = (OutPoint, Option<&'n NodeEntry>)>,
    ) -> NodeListChange {
        let confirmed = |node: &&NodeEntry| node.status == Status::Confirmed;
        let mut change = NodeListChange::default();
        for (collateral, before) in touched {
            let before = before.filter(confirmed);
            let now = self.nodes.node(&collateral).filter(confirmed);
            match (before, now) {
                (None, Some(node)) => change.added.push(node.clone()),
                (Some(_), None) => change.removed.push(collateral),
                (Some(before), Some(node)) if before != node => change.updated.push(node.clone()),
                (None, None) | (Some(_), Some(_)) => {}
            }
        }
        change
    }
}

const fn reference(entry: &BlockEntry) -> BlockRef {
    BlockRef {
        hash: entry.hash,
        height: entry.height,
    }
}
