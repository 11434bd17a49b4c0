//! Transactions that wait for a block, first come first served.
//!
//! A coin is spent by one waiting transaction, a node is named by one; whoever comes later is refused, except that a fluxnode
//! transaction with a newer signature time takes the place of an older one.

mod accept;
mod maintain;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{Hash256, OutPoint, Transaction, tx::Fluxnode};

pub(crate) use accept::Refusal;

use crate::chain::{Coin, CoinSet};

/// The height the daemon gives coins of waiting transactions (fluxd `MEMPOOL_HEIGHT`).
pub(crate) const MEMPOOL_HEIGHT: u32 = 0x7fff_ffff;

/// A waiting transaction.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) txid: Hash256,
    pub(crate) raw: Arc<[u8]>,
    pub(crate) fee: Sat,
    /// When it came, in Unix seconds.
    pub(crate) time: u32,
    /// Height of the chain when it came.
    pub(crate) height: u32,
    /// Value times age of what it spends, when it came; a figure of the daemon's answers.
    pub(crate) coin_age: i128,
    /// Place in the order of arrival.
    sequence: u64,
}

impl Entry {
    pub(crate) fn parse(&self) -> Transaction<'_> {
        Transaction::parse(&self.raw).expect("only transactions that parse are accepted")
    }

    pub(crate) fn size(&self) -> usize {
        self.raw.len()
    }
}

/// All waiting transactions.
#[derive(Debug, Default)]
pub(crate) struct Mempool {
    entries: HashMap<Hash256, Entry>,
    order: BTreeMap<u64, Hash256>,
    /// Which transaction spends a coin, with which input.
    spends: HashMap<OutPoint, (Hash256, usize)>,
    /// Which transaction starts or confirms a node.
    nodes: HashMap<OutPoint, Hash256>,
    next_sequence: u64,
    bytes: usize,
}

impl Mempool {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn get(&self, txid: &Hash256) -> Option<&Entry> {
        self.entries.get(txid)
    }

    pub(crate) fn contains(&self, txid: &Hash256) -> bool {
        self.entries.contains_key(txid)
    }

    /// Entries in the order they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.order
            .values()
            .filter_map(|txid| self.entries.get(txid))
    }

    /// The transaction and input that spend a coin.
    pub(crate) fn spender(&self, outpoint: &OutPoint) -> Option<(Hash256, usize)> {
        self.spends.get(outpoint).copied()
    }

    /// The transaction that waits for a node.
    pub(crate) fn of_node(&self, collateral: &OutPoint) -> Option<&Entry> {
        self.entries.get(self.nodes.get(collateral)?)
    }

    /// Whether a transaction is known whose outputs may be spent: waiting, or with unspent outputs on the chain.
    pub(crate) fn knows_transaction(&self, txid: &Hash256, coins: &CoinSet) -> bool {
        let waiting = self
            .get(txid)
            .is_some_and(|entry| !entry.parse().outputs().is_empty());
        waiting || coins.has_any_of(txid)
    }

    /// A coin as a waiting transaction sees it, spent or not.
    pub(crate) fn coin(&self, outpoint: &OutPoint, coins: &CoinSet) -> Option<Coin> {
        if let Some(entry) = self.get(&outpoint.txid) {
            return output_of(&entry.parse(), outpoint.n);
        }
        coins.get(outpoint).cloned()
    }

    fn insert(&mut self, mut entry: Entry) {
        entry.sequence = self.next_sequence;
        self.next_sequence += 1;
        let transaction = entry.parse();
        for (n, input) in transaction.inputs().iter().enumerate() {
            self.spends.insert(input.previous, (entry.txid, n));
        }
        if let Some(collateral) = collateral_of(&transaction) {
            self.nodes.insert(collateral, entry.txid);
        }
        drop(transaction);
        self.bytes += entry.size();
        self.order.insert(entry.sequence, entry.txid);
        self.entries.insert(entry.txid, entry);
    }

    /// Takes out one transaction and leaves those that spend its outputs.
    fn remove_one(&mut self, txid: &Hash256) -> Option<Entry> {
        let entry = self.entries.remove(txid)?;
        self.order.remove(&entry.sequence);
        self.bytes -= entry.size();
        let transaction = entry.parse();
        for input in transaction.inputs() {
            self.spends.remove(&input.previous);
        }
        if let Some(collateral) = collateral_of(&transaction) {
            self.nodes.remove(&collateral);
        }
        drop(transaction);
        Some(entry)
    }

    /// Takes out a transaction and everything that spends its outputs.
    fn remove_with_children(&mut self, txid: &Hash256) {
        let mut doomed = vec![*txid];
        while let Some(txid) = doomed.pop() {
            let Some(entry) = self.remove_one(&txid) else {
                continue;
            };
            let outputs = entry.parse().outputs().len();
            let outputs = u32::try_from(outputs).unwrap_or(u32::MAX);
            doomed.extend((0..outputs).filter_map(|n| {
                let spender = self.spends.get(&OutPoint::new(txid, n))?;
                Some(spender.0)
            }));
        }
    }
}

/// The node a transaction is about.
pub(crate) fn collateral_of(transaction: &Transaction<'_>) -> Option<OutPoint> {
    transaction.as_fluxnode().and_then(Fluxnode::collateral)
}

fn output_of(transaction: &Transaction<'_>, n: u32) -> Option<Coin> {
    let output = transaction.outputs().get(usize::try_from(n).ok()?)?;
    let coin = Coin {
        value: output.value,
        script: output.script.to_owned(),
        height: MEMPOOL_HEIGHT,
        coinbase: false,
        version: transaction.version(),
    };
    (!crate::chain::is_unspendable(output.script)).then_some(coin)
}
