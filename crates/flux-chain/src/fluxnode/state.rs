//! The state after some block, the questions it answers, and the way to the next state and back.

use std::{collections::BTreeMap, sync::Arc};

use fluxplane_core::Tier;

use crate::{
    block::Block,
    fluxnode::{
        BlockDelta, CollateralSource, Mode, NodeEntry, Payee, Ranked, Rejection, Status, Undo,
        index::NodeIndex,
    },
    hash::Hash256,
    key::PublicKey,
    outpoint::OutPoint,
    params::ChainParams,
    subsidy::tier_reward,
    tx::{Fluxnode, Transaction},
};

/// The node lists after the block at [`height`](Self::height).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FluxnodeState {
    params: Arc<ChainParams>,
    pub(super) height: u32,
    pub(super) index: NodeIndex,
    /// Keys that may start a node for its owner. They outlive the node.
    pub(super) delegates: BTreeMap<OutPoint, Vec<PublicKey>>,
}

/// A block as the state machine needs it.
#[derive(Debug, Clone, Copy)]
pub struct BlockView<'b> {
    pub height: u32,
    pub transactions: &'b [Transaction<'b>],
    /// Ids in order, when the caller has them; computed where needed otherwise.
    pub txids: Option<&'b [Hash256]>,
}

impl<'b> BlockView<'b> {
    pub fn new(height: u32, block: &'b Block<'b>) -> Self {
        Self {
            height,
            transactions: &block.transactions,
            txids: None,
        }
    }

    /// Passes ids that are known, such as from checking the merkle root.
    #[must_use]
    pub const fn with_txids(mut self, txids: &'b [Hash256]) -> Self {
        self.txids = Some(txids);
        self
    }

    /// The outputs a [`CollateralSource`] will be asked for: those that starts name, and when validating those of confirms too.
    pub fn collaterals(&self, mode: Mode) -> impl Iterator<Item = OutPoint> {
        self.transactions
            .iter()
            .filter_map(move |transaction| match transaction.as_fluxnode()? {
                Fluxnode::Start(start) => start.collateral(),
                Fluxnode::Confirm(confirm) => {
                    (mode == Mode::Validate).then_some(confirm.collateral)
                }
                Fluxnode::Unknown(_) => None,
            })
    }

    pub(super) fn txid(&self, index: usize) -> Hash256 {
        self.txids
            .and_then(|txids| txids.get(index).copied())
            .or_else(|| self.transactions.get(index).map(Transaction::txid))
            .unwrap_or_default()
    }
}

/// Why a block cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the record takes back block {record}, the tip is block {tip}; take blocks back from the tip"
)]
pub struct UndoError {
    pub record: u32,
    pub tip: u32,
}

impl FluxnodeState {
    /// The empty lists after the genesis block.
    pub fn genesis(params: Arc<ChainParams>) -> Self {
        Self::empty_at(params, 0)
    }

    pub(super) fn empty_at(params: Arc<ChainParams>, height: u32) -> Self {
        Self {
            params,
            height,
            index: NodeIndex::default(),
            delegates: BTreeMap::new(),
        }
    }

    pub fn params(&self) -> &ChainParams {
        &self.params
    }

    /// The last block that counts.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// A node on any list.
    pub fn node(&self, collateral: &OutPoint) -> Option<&NodeEntry> {
        self.index.get(collateral)
    }

    /// All nodes on all lists, by outpoint.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &NodeEntry> {
        self.index.iter()
    }

    pub fn count(&self, status: Status) -> usize {
        self.index.count(status)
    }

    /// The confirmed nodes of a tier in payment order; the first is paid by the next block.
    pub fn queue(&self, tier: Tier) -> impl ExactSizeIterator<Item = &NodeEntry> {
        self.index.queue(tier)
    }

    /// All confirmed nodes, tier by tier in payment order, with their ranks. The order of the daemon's list.
    pub fn ranked(&self) -> impl Iterator<Item = Ranked<'_>> {
        Tier::ALL.into_iter().flat_map(|tier| {
            self.queue(tier)
                .enumerate()
                .map(|(rank, node)| Ranked { rank, node })
        })
    }

    /// The keys that may start a node for its owner.
    pub fn delegates(&self, collateral: &OutPoint) -> &[PublicKey] {
        self.delegates.get(collateral).map_or(&[], Vec::as_slice)
    }

    /// Who the next block must pay, one per tier that has nodes. Empty before payments begin.
    pub fn next_payees(&self) -> Vec<Payee> {
        let height = self.height.saturating_add(1);
        if height < self.params.nodes.payments_from {
            return Vec::new();
        }
        Tier::ALL
            .into_iter()
            .filter_map(|tier| {
                let node = self.queue(tier).next()?;
                Some(Payee {
                    tier,
                    collateral: node.collateral,
                    script: node.payment_script.clone(),
                    amount: tier_reward(&self.params, height, tier),
                })
            })
            .collect()
    }

    /// Judges the next block without applying it.
    pub fn check_block(
        &self,
        block: &BlockView<'_>,
        source: &impl CollateralSource,
        mode: Mode,
    ) -> Result<(), Rejection> {
        self.plan(block, source, mode).map(drop)
    }

    /// Applies the next block, or changes nothing and says why not.
    pub fn apply_block(
        &mut self,
        block: &BlockView<'_>,
        source: &impl CollateralSource,
        mode: Mode,
    ) -> Result<BlockDelta, Rejection> {
        let plan = self.plan(block, source, mode)?;
        Ok(self.carry_out(plan))
    }

    /// Takes the last block back. The state is then exactly that of its parent.
    pub fn undo_block(&mut self, undo: &Undo) -> Result<(), UndoError> {
        if undo.height != self.height || undo.height == 0 {
            return Err(UndoError {
                record: undo.height,
                tip: self.height,
            });
        }
        for change in undo.nodes.iter().rev() {
            self.index.set(change.collateral, change.before.clone());
        }
        for change in undo.delegates.iter().rev() {
            self.set_delegates(change.collateral, change.before.clone());
        }
        self.height -= 1;
        Ok(())
    }

    /// Sets the keys of a node; none removes the record. Gives back the keys before.
    pub(super) fn set_delegates(
        &mut self,
        collateral: OutPoint,
        keys: Vec<PublicKey>,
    ) -> Vec<PublicKey> {
        if keys.is_empty() {
            self.delegates.remove(&collateral).unwrap_or_default()
        } else {
            self.delegates.insert(collateral, keys).unwrap_or_default()
        }
    }
}
