//! The chain: every block, which of them count, and the state after the last one.
//!
//! A block is accepted in two steps, as in the daemon. [`Chain::accept`] judges what can be judged wherever its parent stands and
//! puts it into the tree; [`Chain::activate_best`] moves the tip to the best branch and judges the rest on the way. A block that
//! fails there makes its whole branch invalid, and the chain goes back to the best branch that is left.

mod accept;
mod activate;
mod books;
mod coins;
mod connect;
mod genesis;
mod index;
mod reject;
mod scripts;
mod transaction;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use fluxplane_flux_chain::{
    Block, ChainParams, Hash256, OutPoint,
    fluxnode::{FluxnodeState, NodeEntry},
    pon::next_bits,
};

pub(crate) use accept::AcceptError;
pub(crate) use activate::{Activation, NodeListChange, TipChange};
pub(crate) use books::{AddressDelta, Books, indexed_owner};
pub(crate) use coins::{Coin, CoinSet, CoinView, is_unspendable};
pub(crate) use index::{BlockEntry, BlockIndex, BlockStatus};
pub use reject::{Reject, RejectCode};
pub(crate) use scripts::{check_scripts, check_values, redeem_signature_operations, script_error};
pub(crate) use transaction::{
    EXPIRY_THRESHOLD, check_alone, check_at_height, is_final, legacy_signature_operations,
};

use connect::BlockUndo;
use genesis::genesis_block;

/// Signature operations a block may hold (fluxd `MAX_BLOCK_SIGOPS`).
pub(crate) const MAX_BLOCK_SIGNATURE_OPERATIONS: u32 = 20_000;

/// Blocks whose median time judges lock times in the memory pool (fluxd `nMedianTimeSpan`).
const MEDIAN_BLOCKS: usize = 11;

/// Blocks that can be taken back. A branch may fork off deeper than the limit of reorganisations when it grew while the chain did;
/// this is far beyond what comes up.
const UNDO_KEPT: usize = 1_000;

/// Root of the empty Sapling commitment tree. No note can enter the tree on these chains, so every block has this root.
pub(crate) const EMPTY_SAPLING_ROOT: [u8; 32] = [
    0xfb, 0xc2, 0xf4, 0x30, 0x0c, 0x01, 0xf0, 0xb7, 0x82, 0x0d, 0x00, 0xe3, 0x34, 0x7c, 0x8d, 0xa4,
    0xee, 0x61, 0x46, 0x74, 0x37, 0x6c, 0xbc, 0x45, 0x35, 0x9d, 0xaa, 0x54, 0xf9, 0xb5, 0x49, 0x3e,
];

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checks {
    /// Every rule.
    Full,
    /// The blocks were validated before, by this program or by a daemon: signatures, distances and the clock are taken on trust.
    Trusted,
}

/// A block by hash and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef {
    pub hash: Hash256,
    pub height: u32,
}

/// The chain and its state.
#[derive(Debug)]
pub(crate) struct Chain {
    params: Arc<ChainParams>,
    index: BlockIndex,
    /// The best chain by height.
    active: Vec<Hash256>,
    coins: CoinSet,
    nodes: FluxnodeState,
    books: Books,
    /// How to take back the last blocks, the newest at the end.
    undo: VecDeque<BlockUndo>,
    /// Nodes touched since the last announcement, as they were then.
    touched: BTreeMap<OutPoint, Option<NodeEntry>>,
}

impl Chain {
    /// A chain that has its genesis block.
    pub(crate) fn new(params: Arc<ChainParams>) -> Self {
        let raw = genesis_block();
        let mut index = BlockIndex::default();
        let txids = Block::parse(&raw)
            .expect("the genesis block is well-formed")
            .txids();
        let hash = index.insert(&params, &raw, 0, txids, BlockStatus::Validated);
        Self {
            nodes: FluxnodeState::genesis(Arc::clone(&params)),
            index,
            active: vec![hash],
            coins: CoinSet::default(),
            books: Books::default(),
            undo: VecDeque::new(),
            touched: BTreeMap::new(),
            params,
        }
    }

    pub(crate) fn params(&self) -> &ChainParams {
        &self.params
    }

    pub(crate) fn shared_params(&self) -> Arc<ChainParams> {
        Arc::clone(&self.params)
    }

    pub(crate) const fn index(&self) -> &BlockIndex {
        &self.index
    }

    pub(crate) const fn coins(&self) -> &CoinSet {
        &self.coins
    }

    pub(crate) const fn nodes(&self) -> &FluxnodeState {
        &self.nodes
    }

    pub(crate) const fn books(&self) -> &Books {
        &self.books
    }

    /// The last block of the best chain.
    pub(crate) fn tip(&self) -> &BlockEntry {
        let hash = self
            .active
            .last()
            .expect("the genesis block is always there");
        self.index.known(hash)
    }

    pub(crate) fn tip_ref(&self) -> BlockRef {
        let tip = self.tip();
        BlockRef {
            hash: tip.hash,
            height: tip.height,
        }
    }

    pub(crate) fn height(&self) -> u32 {
        self.tip().height
    }

    /// The block at a height of the best chain.
    pub(crate) fn at(&self, height: u32) -> Option<&BlockEntry> {
        let hash = self.active.get(usize::try_from(height).ok()?)?;
        Some(self.index.known(hash))
    }

    pub(crate) fn is_active(&self, entry: &BlockEntry) -> bool {
        self.at(entry.height)
            .is_some_and(|active| active.hash == entry.hash)
    }

    /// Blocks from this one to the tip, both counted; -1 beside the best chain, as the daemon prints it.
    pub(crate) fn confirmations(&self, entry: &BlockEntry) -> i64 {
        if self.is_active(entry) {
            i64::from(self.height()) - i64::from(entry.height) + 1
        } else {
            -1
        }
    }

    /// Blocks from the best chain up to this one; 0 on it.
    pub(crate) fn branch_length(&self, entry: &BlockEntry) -> u32 {
        let mut at = entry;
        while !self.is_active(at) {
            at = self.index.known(&at.previous);
        }
        entry.height - at.height
    }

    /// The block after this one on the best chain.
    pub(crate) fn next(&self, entry: &BlockEntry) -> Option<&BlockEntry> {
        if self.is_active(entry) {
            self.at(entry.height.checked_add(1)?)
        } else {
            None
        }
    }

    /// Median of the times of a block and the ten before it.
    pub(crate) fn median_time(&self, entry: &BlockEntry) -> u32 {
        let mut times = Vec::with_capacity(MEDIAN_BLOCKS);
        let mut at = Some(entry);
        while let Some(block) = at.filter(|_| times.len() < MEDIAN_BLOCKS) {
            times.push(block.time);
            at = self.index.get(&block.previous);
        }
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }

    /// The bits the block after `parent` must have.
    pub(crate) fn bits_after(&self, parent: &BlockEntry) -> u32 {
        let height = parent.height + 1;
        let time_of = |height| Some(self.ancestor(parent, height).time);
        next_bits(&self.params, height, parent.bits, time_of)
            .expect("every block after the first is a proof-of-node block, and all times are known")
    }

    /// A second chain that stands at an earlier block of this one and knows nothing beside the blocks up to there. Its books are
    /// empty; it serves to build a branch.
    pub(crate) fn twin_at(&self, height: u32) -> Self {
        let mut twin = Self {
            params: Arc::clone(&self.params),
            index: self.index.clone(),
            active: self.active.clone(),
            coins: self.coins.clone(),
            nodes: self.nodes.clone(),
            books: Books::default(),
            undo: self.undo.clone(),
            touched: BTreeMap::new(),
        };
        while twin.height() > height {
            twin.disconnect();
        }
        twin.index = twin.index.restricted_to(&twin.active);
        twin
    }

    /// The block at a height on the branch that ends in `entry`.
    fn ancestor<'c>(&'c self, entry: &'c BlockEntry, height: u32) -> &'c BlockEntry {
        let mut at = entry;
        while at.height > height {
            if self.is_active(at)
                && let Some(active) = self.at(height)
            {
                return active;
            }
            at = self.index.known(&at.previous);
        }
        at
    }
}
