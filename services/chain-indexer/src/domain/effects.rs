//! What applying or undoing a block changes, as data: the database carries it out, the outbox announces it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::Tier;
use fluxplane_flux_chain::{
    Hash256, OutPoint, PublicKey,
    fluxnode::{Collateral, NodeEntry, Undo},
};

use crate::domain::{
    ChainEvent, NoteRecord, PaymentRecord, Tip, ledger::BlockFlows, turnover::Turnover,
};

/// A transaction of a block that the index keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinedTransaction {
    /// Place in its block.
    pub position: u32,
    pub txid: Hash256,
    pub raw: Vec<u8>,
}

/// What one applied block adds and changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockEffects {
    pub block: Tip,
    pub previous: Hash256,
    pub time: DateTime<Utc>,
    pub size_bytes: u32,
    /// Ids of all transactions, in the order of the block.
    pub txids: Vec<Hash256>,
    /// Those that are kept, in the order of the block.
    pub transactions: Vec<MinedTransaction>,
    pub flows: BlockFlows,
    /// Outputs that a start may name later.
    pub collaterals: Vec<(OutPoint, Collateral)>,
    pub lists: ListChanges,
    /// Takes the lists back; none for the genesis block.
    pub undo: Option<Undo>,
    /// Payments that were found, mined or announced, as they stand after the block.
    pub payments: Vec<PaymentRecord>,
    /// The same of notes.
    pub notes: Vec<NoteRecord>,
    /// Nodes that came and went; nothing for tiers where none did.
    pub turnover: BTreeMap<Tier, Turnover>,
    pub events: Vec<ChainEvent>,
}

/// What one undone block gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoEffects {
    pub undone: Tip,
    pub parent: Tip,
    pub lists: ListChanges,
    /// The payments of the block, which are in the mempool again as far as anyone knows.
    pub payments: Vec<PaymentRecord>,
    /// The same of notes.
    pub notes: Vec<NoteRecord>,
    pub events: Vec<ChainEvent>,
}

/// Rows of the fluxnode lists as they stand afterwards; what is `None` or empty is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListChanges {
    pub nodes: BTreeMap<OutPoint, Option<NodeEntry>>,
    pub delegates: BTreeMap<OutPoint, Vec<PublicKey>>,
}

impl ListChanges {
    /// Adds what a later block changed.
    pub fn extend(&mut self, later: &Self) {
        self.nodes.extend(
            later
                .nodes
                .iter()
                .map(|(collateral, entry)| (*collateral, entry.clone())),
        );
        self.delegates.extend(
            later
                .delegates
                .iter()
                .map(|(collateral, keys)| (*collateral, keys.clone())),
        );
    }
}
