//! What changed in the mempool between two looks, and when a payment or an anchor that is gone counts as dropped: at once when
//! another transaction spends what it spent, after a while when nobody knows why.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_flux_chain::{Hash256, OutPoint, Transaction};

use crate::domain::{
    NoteRecord, PaymentRecord,
    payment::{Departure, Place},
};

/// Most transactions fetched per look; what is left comes at the next.
pub const FETCH_LIMIT: usize = 500;

/// Most transactions of the mempool that are kept. A flood beyond it costs the view of some transactions before their block,
/// not the payment: blocks are read whole.
pub const KEEP_LIMIT: usize = 50_000;

/// The mempool as of the last look.
#[derive(Debug, Clone, Default)]
pub struct Mempool {
    /// Transactions that are stored.
    stored: BTreeSet<Hash256>,
    /// Which of them spends an output, and what each of them spends.
    spenders: Spenders,
    /// Transactions that cannot be read; not asked for again.
    unreadable: BTreeSet<Hash256>,
    /// Payments and anchors that are in neither a block nor the mempool, and since when.
    missing_payments: Missing,
    missing_notes: Missing,
}

/// Who spends what.
#[derive(Debug, Clone, Default)]
pub struct Spenders {
    by_output: HashMap<OutPoint, Hash256>,
    by_transaction: HashMap<Hash256, Vec<OutPoint>>,
}

impl Spenders {
    /// Reads what transactions spend. One that cannot be read spends nothing.
    pub fn of<'r>(transactions: impl IntoIterator<Item = (&'r Hash256, &'r [u8])>) -> Self {
        let mut spenders = Self::default();
        for (txid, raw) in transactions {
            if let Ok(transaction) = Transaction::parse(raw) {
                let inputs = transaction.inputs().iter().map(|input| input.previous);
                spenders.add(*txid, inputs.collect());
            }
        }
        spenders
    }

    fn add(&mut self, txid: Hash256, inputs: Vec<OutPoint>) {
        for input in &inputs {
            self.by_output.insert(*input, txid);
        }
        self.by_transaction.insert(txid, inputs);
    }

    fn extend(&mut self, other: Self) {
        for (txid, inputs) in other.by_transaction {
            self.add(txid, inputs);
        }
    }

    fn remove(&mut self, txid: &Hash256) {
        for input in self.by_transaction.remove(txid).unwrap_or_default() {
            if self.by_output.get(&input) == Some(txid) {
                self.by_output.remove(&input);
            }
        }
    }

    fn spender(&self, output: &OutPoint) -> Option<Hash256> {
        self.by_output.get(output).copied()
    }
}

/// Transactions that are nowhere, and since when.
#[derive(Debug, Clone, Default)]
struct Missing(BTreeMap<Hash256, DateTime<Utc>>);

impl Missing {
    /// Which of the absent have been so for `patience`. Those that are not absent any more are forgotten.
    fn gone(
        &mut self,
        absent: impl IntoIterator<Item = Hash256>,
        now: DateTime<Utc>,
        patience: Duration,
    ) -> BTreeSet<Hash256> {
        let patience = TimeDelta::from_std(patience).unwrap_or(TimeDelta::MAX);
        let before = std::mem::take(&mut self.0);
        let mut gone = BTreeSet::new();
        for txid in absent {
            let since = before.get(&txid).copied().unwrap_or(now);
            if now - since >= patience {
                gone.insert(txid);
            } else {
                self.0.insert(txid, since);
            }
        }
        gone
    }
}

/// What a look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// To be fetched.
    pub added: Vec<Hash256>,
    /// To be forgotten.
    pub gone: Vec<Hash256>,
}

impl Mempool {
    /// As it was stored.
    pub fn new(stored: &[(Hash256, Vec<u8>)]) -> Self {
        Self {
            stored: stored.iter().map(|(txid, _)| *txid).collect(),
            spenders: Spenders::of(stored.iter().map(|(txid, raw)| (txid, raw.as_slice()))),
            ..Self::default()
        }
    }

    /// Compares with what the daemon lists now.
    pub fn compare(&self, listed: &BTreeSet<Hash256>) -> Difference {
        let room = KEEP_LIMIT.saturating_sub(self.stored.len());
        Difference {
            added: listed
                .difference(&self.stored)
                .filter(|txid| !self.unreadable.contains(txid))
                .take(FETCH_LIMIT.min(room))
                .copied()
                .collect(),
            gone: self.stored.difference(listed).copied().collect(),
        }
    }

    /// Takes in what stored transactions spend.
    pub fn learn(&mut self, spenders: Spenders) {
        self.spenders.extend(spenders);
    }

    /// Takes in what was stored and forgotten.
    pub fn changed(&mut self, stored: impl IntoIterator<Item = Hash256>, gone: &[Hash256]) {
        self.stored.extend(stored);
        for txid in gone {
            self.stored.remove(txid);
            self.spenders.remove(txid);
        }
    }

    /// Remembers that a transaction cannot be read, as long as it is listed.
    pub fn unreadable(&mut self, txid: Hash256, listed: &BTreeSet<Hash256>) {
        self.unreadable.retain(|known| listed.contains(known));
        self.unreadable.insert(txid);
    }

    /// Which of a block's transactions are stored.
    pub fn mined<'t>(&self, txids: impl IntoIterator<Item = &'t Hash256>) -> Vec<Hash256> {
        txids
            .into_iter()
            .filter(|txid| self.stored.contains(txid))
            .copied()
            .collect()
    }

    /// Open payments outside the chain that left the mempool for another transaction, or have been missing for `patience`.
    /// `incoming` are the transactions that are new in this look.
    pub fn dropped<'r>(
        &mut self,
        open: impl IntoIterator<Item = &'r PaymentRecord>,
        listed: &BTreeSet<Hash256>,
        incoming: &Spenders,
        now: DateTime<Utc>,
        patience: Duration,
    ) -> Vec<PaymentRecord> {
        let absent: Vec<&PaymentRecord> = open
            .into_iter()
            .filter(|record| record.place == Place::Mempool)
            .filter(|record| !listed.contains(&record.payment.txid))
            .collect();
        let replaced = |record: &PaymentRecord| {
            let mut inputs = record.payment.inputs.iter();
            inputs.find_map(|input| {
                let spender = incoming.spender(input);
                spender
                    .or_else(|| self.spenders.spender(input))
                    .filter(|spender| listed.contains(spender))
            })
        };
        let replaced: BTreeMap<Hash256, Hash256> = absent
            .iter()
            .filter_map(|record| Some((record.payment.txid, replaced(record)?)))
            .collect();
        let unexplained = absent.iter().map(|record| record.payment.txid);
        let unexplained = unexplained.filter(|txid| !replaced.contains_key(txid));
        let gone = self.missing_payments.gone(unexplained, now, patience);
        let departed = absent.into_iter().filter_map(|record| {
            let txid = &record.payment.txid;
            let departure = match replaced.get(txid) {
                Some(spender) => Departure::Replaced(*spender),
                None if gone.contains(txid) => Departure::Missing,
                None => return None,
            };
            let place = Place::Dropped(departure);
            Some(PaymentRecord {
                place,
                ..record.clone()
            })
        });
        departed.collect()
    }

    /// Open notes outside the chain that have been missing from the mempool for `patience`.
    pub fn dropped_notes<'r>(
        &mut self,
        open: impl IntoIterator<Item = &'r NoteRecord>,
        listed: &BTreeSet<Hash256>,
        now: DateTime<Utc>,
        patience: Duration,
    ) -> Vec<NoteRecord> {
        let absent: Vec<&NoteRecord> = open
            .into_iter()
            .filter(|record| record.place == Place::Mempool)
            .filter(|record| !listed.contains(&record.note.txid))
            .collect();
        let txids = absent.iter().map(|record| record.note.txid);
        let gone = self.missing_notes.gone(txids, now, patience);
        let dropped = absent.into_iter();
        dropped
            .filter(|record| gone.contains(&record.note.txid))
            .map(|record| NoteRecord {
                place: Place::Dropped(Departure::Missing),
                ..record.clone()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_core::Sat;

    use super::*;
    use crate::domain::{Payment, memo};

    fn id(n: u8) -> Hash256 {
        Hash256::from_wire([n; 32])
    }

    fn ids(numbers: &[u8]) -> BTreeSet<Hash256> {
        numbers.iter().copied().map(id).collect()
    }

    fn waiting(n: u8) -> PaymentRecord {
        PaymentRecord {
            payment: Payment {
                txid: id(n),
                memo: memo::read(&[]),
                inputs: vec![OutPoint::new(id(n), 7)],
                outputs: Vec::new(),
                total: Sat::ZERO,
                first_seen_at: DateTime::UNIX_EPOCH,
            },
            place: Place::Mempool,
            announced: 0,
        }
    }

    #[test]
    fn a_look_finds_what_came_and_what_went() {
        let mut mempool = Mempool::new(&[(id(1), Vec::new()), (id(2), Vec::new())]);
        let found = mempool.compare(&ids(&[2, 3]));
        assert_eq!((found.added, found.gone), (vec![id(3)], vec![id(1)]));
        mempool.changed([id(3)], &[id(1)]);
        assert_eq!(mempool.compare(&ids(&[2, 3])), Difference::default());
        assert_eq!(mempool.mined(&[id(9), id(3)]), [id(3)]);
    }

    #[test]
    fn what_cannot_be_read_is_not_asked_for_twice() {
        let mut mempool = Mempool::default();
        mempool.unreadable(id(1), &ids(&[1]));
        assert_eq!(mempool.compare(&ids(&[1])), Difference::default());
        // It left and came back.
        mempool.unreadable(id(2), &ids(&[2]));
        assert_eq!(mempool.compare(&ids(&[1, 2])).added, [id(1)]);
    }

    #[test]
    fn a_payment_is_dropped_after_its_patience_and_not_when_it_comes_back() {
        let patience = Duration::from_mins(1);
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let records = [waiting(1)];
        let mut mempool = Mempool::default();
        let mut look = |listed: &[u8], seconds| {
            let nothing = Spenders::default();
            mempool
                .dropped(&records, &ids(listed), &nothing, at(seconds), patience)
                .len()
        };
        assert_eq!(look(&[], 0), 0);
        assert_eq!(look(&[], 59), 0);
        assert_eq!(look(&[1], 60), 0, "it is back");
        assert_eq!(look(&[], 61), 0);
        assert_eq!(look(&[], 120), 0);
        assert_eq!(look(&[], 121), 1);
        assert_eq!(look(&[], 122), 0, "told once");
    }

    #[test]
    fn a_payment_whose_input_another_one_spends_is_replaced_at_once() {
        let patience = Duration::from_mins(1);
        let now = DateTime::UNIX_EPOCH;
        let records = [waiting(1), waiting(2)];
        let mut incoming = Spenders::default();
        incoming.add(
            id(5),
            vec![OutPoint::new(id(9), 0), OutPoint::new(id(1), 7)],
        );
        let mut mempool = Mempool::default();
        let departures = |mempool: &mut Mempool, listed: &[u8], incoming: &Spenders| {
            let found = mempool.dropped(&records, &ids(listed), incoming, now, patience);
            let places = found.into_iter().map(|it| (it.payment.txid, it.place));
            places.collect::<Vec<_>>()
        };
        let replaced = vec![(id(1), Place::Dropped(Departure::Replaced(id(5))))];
        assert_eq!(departures(&mut mempool, &[5, 1, 2], &incoming), []);
        assert_eq!(departures(&mut mempool, &[5], &incoming), replaced);
        // The same when the other one is known from an earlier look, and not when it left in the meantime.
        mempool.learn(incoming);
        let nothing = Spenders::default();
        assert_eq!(departures(&mut mempool, &[5], &nothing), replaced);
        assert_eq!(departures(&mut mempool, &[], &nothing), []);
        mempool.changed([], &[id(5)]);
        assert_eq!(departures(&mut mempool, &[5], &nothing), []);
    }
}
