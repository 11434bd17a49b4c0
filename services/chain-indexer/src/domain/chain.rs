//! The chain as it stands: its tip, the fluxnode lists, and the payments that are not final. Blocks go in, effects come out.
//!
//! This is the only copy of the rules; the database holds what they gave, and a state is always restored from there after a
//! failure, so the two cannot drift apart.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use fluxplane_core::Tier;
use fluxplane_flux_chain::{
    Block, Hash256, OutPoint,
    fluxnode::{BlockView, Collateral, FluxnodeState, Mode, NodeEntry, Rejection, Undo, UndoError},
};

use crate::domain::{
    BlockEffects, ChainEvent, CheckedBlock, IndexMode, NoteRecord, OpenNotes, OpenPayments,
    PaymentRecord, Rules, Tip,
    effects::{ListChanges, MinedTransaction, UndoEffects},
    event::PaymentChange,
    ledger::{BlockFlows, keep},
    note::{self, Note},
    payment::{self, AmountOverflow, Place},
    turnover::{self, Turnover},
};

/// Outputs of possible collateral, by name.
pub type Collaterals = HashMap<OutPoint, Collateral>;

/// Why a block was not applied. The state is unchanged then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The daemon moved to another branch in the meantime.
    #[error("block {hash} follows {previous}, the tip is {tip}")]
    Detached {
        hash: Hash256,
        previous: Hash256,
        tip: Hash256,
    },
    #[error("the first block is {found}, the network begins with {expected}")]
    Genesis { expected: Hash256, found: Hash256 },
    #[error("block {hash} says that its height is {claimed:?}, it follows block {previous}")]
    Height {
        hash: Hash256,
        claimed: Option<u32>,
        previous: u32,
    },
    #[error("the fluxnode list refuses block {hash}: {rejection}")]
    List { hash: Hash256, rejection: Rejection },
    #[error("block {hash}: {problem}")]
    Amount {
        hash: Hash256,
        problem: AmountOverflow,
    },
}

/// The chain after the block at the tip.
#[derive(Debug, Clone)]
pub struct ChainState {
    rules: Rules,
    tip: Option<Tip>,
    peak: u32,
    lists: FluxnodeState,
    open: OpenPayments,
    notes: OpenNotes,
}

/// The lists' part of a block.
struct ListEffects {
    changes: ListChanges,
    undo: Option<Undo>,
    turnover: BTreeMap<Tier, Turnover>,
    events: Vec<ChainEvent>,
}

/// The outcome of applying several blocks.
#[derive(Debug)]
pub struct Applied {
    pub state: ChainState,
    /// Of the blocks that were applied, in order.
    pub effects: Vec<BlockEffects>,
    /// Why the next one was not.
    pub refusal: Option<Refusal>,
}

impl ChainState {
    /// Before the first block.
    pub fn new(rules: Rules) -> Self {
        let lists = FluxnodeState::genesis(Arc::clone(&rules.params));
        Self {
            rules,
            tip: None,
            peak: 0,
            lists,
            open: OpenPayments::default(),
            notes: OpenNotes::default(),
        }
    }

    /// As it was stored. `peak` is the highest block ever applied; `open` are the payments that are not final.
    pub fn restore(
        rules: Rules,
        tip: Tip,
        peak: u32,
        lists: FluxnodeState,
        open: Vec<PaymentRecord>,
    ) -> Self {
        Self {
            rules,
            tip: Some(tip),
            peak,
            lists,
            open: OpenPayments::new(open),
            notes: OpenNotes::default(),
        }
    }

    /// Adds the notes that are not final.
    #[must_use]
    pub fn with_notes(mut self, open: Vec<NoteRecord>) -> Self {
        self.notes = OpenNotes::new(open);
        self
    }

    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    pub const fn tip(&self) -> Option<Tip> {
        self.tip
    }

    /// The highest block ever applied.
    pub const fn peak(&self) -> u32 {
        self.peak
    }

    pub const fn lists(&self) -> &FluxnodeState {
        &self.lists
    }

    /// The height of the next block.
    pub fn next_height(&self) -> u32 {
        self.tip.map_or(0, |tip| tip.height.saturating_add(1))
    }

    /// Payments that are not final.
    pub const fn open(&self) -> &OpenPayments {
        &self.open
    }

    /// Notes that are not final.
    pub const fn notes(&self) -> &OpenNotes {
        &self.notes
    }

    /// Takes in what the mempool changed.
    pub fn note_payments(&mut self, records: &[PaymentRecord]) {
        self.open.note(records);
    }

    /// Takes in what the mempool changed.
    pub fn note_notes(&mut self, records: &[NoteRecord]) {
        self.notes.note(records);
    }

    /// Applies blocks in order until one is refused. `collaterals` are the stored outputs that their starts name.
    pub fn apply_all(mut self, blocks: &[CheckedBlock], mut collaterals: Collaterals) -> Applied {
        let mut effects = Vec::with_capacity(blocks.len());
        let mut refusal = None;
        for block in blocks {
            match self.apply(block, &collaterals) {
                Ok(applied) => {
                    collaterals.extend(applied.collaterals.iter().cloned());
                    effects.push(applied);
                }
                Err(refused) => {
                    refusal = Some(refused);
                    break;
                }
            }
        }
        Applied {
            state: self,
            effects,
            refusal,
        }
    }

    /// Applies the next block, or changes nothing and says why not.
    pub fn apply(
        &mut self,
        checked: &CheckedBlock,
        collaterals: &Collaterals,
    ) -> Result<BlockEffects, Refusal> {
        let block = checked.parse();
        let tip = self.check_place(checked, &block)?;
        let time = timestamp(block.header.time);
        let found = self.payments_in(checked, &block, tip, time)?;
        let flows =
            BlockFlows::read(&block, checked.txids(), self.rules.mode).map_err(|problem| {
                Refusal::Amount {
                    hash: tip.hash,
                    problem,
                }
            })?;
        let transactions = self.kept(checked, &block, &found);
        let said = self.notes_in(checked, &block, collaterals, time);
        let lists = self.apply_lists(checked, &block, tip, collaterals)?;
        self.tip = Some(tip);
        self.peak = self.peak.max(tip.height);
        let mut events = lists.events;
        let thresholds = &self.rules.thresholds;
        let mut payments = self.open.mine(found, tip, thresholds, &mut events);
        payments.extend(self.open.lose(&block, checked.txids(), tip, &mut events));
        let notes = self.notes.mine(said, tip, thresholds.last(), &mut events);
        let connected = ChainEvent::BlockConnected {
            block: tip,
            previous: checked.previous(),
            time,
        };
        events.insert(0, connected);
        Ok(BlockEffects {
            block: tip,
            previous: checked.previous(),
            time,
            size_bytes: u32::try_from(checked.size()).unwrap_or(u32::MAX),
            txids: checked.txids().to_vec(),
            transactions,
            flows,
            collaterals: self.collaterals_in(checked, &block, tip.height),
            lists: lists.changes,
            undo: lists.undo,
            payments,
            notes,
            turnover: lists.turnover,
            events: self.announced(tip.height, events),
        })
    }

    /// Undoes the last block. `undo`, `payments` and `notes` are what was stored for it.
    pub fn undo(
        &mut self,
        undone: Tip,
        parent: Tip,
        undo: &Undo,
        mut payments: Vec<PaymentRecord>,
        mut notes: Vec<NoteRecord>,
    ) -> Result<UndoEffects, UndoError> {
        let height = undone.height;
        let before: BTreeMap<OutPoint, Option<NodeEntry>> = undo
            .nodes
            .iter()
            .map(|change| change.collateral)
            .map(|collateral| (collateral, self.lists.node(&collateral).cloned()))
            .collect();
        self.lists.undo_block(undo)?;
        let mut lists = ListChanges::default();
        let mut events = Vec::new();
        for record in payments.iter_mut().rev() {
            record.place = Place::Mempool;
            record.announced = 0;
            let change = PaymentChange::Reorganised;
            events.push(ChainEvent::payment(change, record, parent.height));
        }
        self.open.note(&payments);
        self.notes.undo(&mut notes, parent.height, &mut events);
        for (collateral, undone) in before.into_iter().rev() {
            let restored = self.lists.node(&collateral);
            events.extend(ChainEvent::fluxnode_undone(
                collateral,
                undone.as_ref(),
                restored,
                height,
            ));
            lists.nodes.insert(collateral, restored.cloned());
        }
        for change in &undo.delegates {
            let keys = self.lists.delegates(&change.collateral).to_vec();
            lists.delegates.insert(change.collateral, keys);
        }
        events.push(ChainEvent::BlockDisconnected { block: undone });
        self.tip = Some(parent);
        Ok(UndoEffects {
            undone,
            parent,
            lists,
            payments,
            notes,
            events: self.announced(height, events),
        })
    }

    /// Whether the block is the one after the tip, and what the tip becomes.
    fn check_place(&self, checked: &CheckedBlock, block: &Block<'_>) -> Result<Tip, Refusal> {
        let hash = checked.hash();
        let Some(tip) = self.tip else {
            let expected = self.rules.params.genesis.hash;
            return if hash == expected {
                Ok(Tip { height: 0, hash })
            } else {
                Err(Refusal::Genesis {
                    expected,
                    found: hash,
                })
            };
        };
        if checked.previous() != tip.hash {
            return Err(Refusal::Detached {
                hash,
                previous: checked.previous(),
                tip: tip.hash,
            });
        }
        let height = self.next_height();
        let claimed = block.claimed_height();
        if claimed != Some(height) {
            return Err(Refusal::Height {
                hash,
                claimed,
                previous: tip.height,
            });
        }
        Ok(Tip { height, hash })
    }

    /// Lets the lists judge and take the block. The genesis block is not theirs: they begin empty after it.
    fn apply_lists(
        &mut self,
        checked: &CheckedBlock,
        block: &Block<'_>,
        tip: Tip,
        collaterals: &Collaterals,
    ) -> Result<ListEffects, Refusal> {
        if tip.height == 0 {
            return Ok(ListEffects {
                changes: ListChanges::default(),
                undo: None,
                turnover: BTreeMap::new(),
                events: Vec::new(),
            });
        }
        let view = BlockView::new(tip.height, block).with_txids(checked.txids());
        let delta = self
            .lists
            .apply_block(&view, collaterals, Mode::Follow)
            .map_err(|rejection| Refusal::List {
                hash: tip.hash,
                rejection,
            })?;
        let mut lists = ListChanges::default();
        for change in &delta.undo.nodes {
            let entry = self.lists.node(&change.collateral).cloned();
            lists.nodes.insert(change.collateral, entry);
        }
        for change in &delta.undo.delegates {
            let keys = self.lists.delegates(&change.collateral).to_vec();
            lists.delegates.insert(change.collateral, keys);
        }
        let events = delta
            .events
            .iter()
            .filter_map(|event| ChainEvent::fluxnode(event, &self.lists))
            .collect();
        Ok(ListEffects {
            changes: lists,
            turnover: turnover::count(&delta.events, &self.lists, &delta.undo),
            undo: Some(delta.undo),
            events,
        })
    }

    fn notes_in(
        &self,
        checked: &CheckedBlock,
        block: &Block<'_>,
        outputs: &Collaterals,
        time: DateTime<Utc>,
    ) -> Vec<Note> {
        let (foundation, space) = (&self.rules.foundation, self.rules.params.addresses);
        let transactions = checked.txids().iter().zip(&block.transactions);
        transactions
            .flat_map(|(txid, transaction)| {
                let anchor = note::anchor_in(transaction, *txid, space, time);
                let price = note::price_in(transaction, *txid, foundation, outputs, time);
                anchor.into_iter().chain(price)
            })
            .collect()
    }

    fn payments_in(
        &self,
        checked: &CheckedBlock,
        block: &Block<'_>,
        tip: Tip,
        time: DateTime<Utc>,
    ) -> Result<Vec<payment::Payment>, Refusal> {
        let mut found = Vec::new();
        for (txid, transaction) in checked.txids().iter().zip(&block.transactions) {
            let payment = payment::find(&self.rules.watch, transaction, *txid, tip.height, time)
                .map_err(|problem| Refusal::Amount {
                    hash: tip.hash,
                    problem,
                })?;
            found.extend(payment);
        }
        Ok(found)
    }

    fn collaterals_in(
        &self,
        checked: &CheckedBlock,
        block: &Block<'_>,
        height: u32,
    ) -> Vec<(OutPoint, Collateral)> {
        let mut collaterals = Vec::new();
        for (txid, transaction) in checked.txids().iter().zip(&block.transactions) {
            for (n, output) in (0..).zip(transaction.outputs()) {
                if self.rules.kept_output(output) {
                    let collateral = Collateral {
                        value: output.value,
                        height,
                        script: output.script.to_owned(),
                    };
                    collaterals.push((OutPoint::new(*txid, n), collateral));
                }
            }
        }
        collaterals
    }

    /// The transactions the index keeps: all of them in mode full.
    fn kept(
        &self,
        checked: &CheckedBlock,
        block: &Block<'_>,
        payments: &[payment::Payment],
    ) -> Vec<MinedTransaction> {
        let full = self.rules.mode == IndexMode::Full;
        let pays = |txid: &Hash256| payments.iter().any(|payment| payment.txid == *txid);
        (0..)
            .zip(checked.txids())
            .zip(&block.transactions)
            .filter(|((_, txid), transaction)| {
                full || pays(txid) || keep::carries_data(transaction)
            })
            .map(|((position, txid), transaction)| MinedTransaction {
                position,
                txid: *txid,
                raw: transaction.raw().to_vec(),
            })
            .collect()
    }

    fn announced(&self, height: u32, events: Vec<ChainEvent>) -> Vec<ChainEvent> {
        if height >= self.rules.announce_from {
            events
        } else {
            Vec::new()
        }
    }
}

fn timestamp(seconds: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(seconds), 0)
        .expect("32 bits of seconds are far from the end of time")
}
