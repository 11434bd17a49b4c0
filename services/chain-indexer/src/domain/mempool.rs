//! What changed in the mempool between two looks, and when a payment that is gone counts as dropped.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_flux_chain::Hash256;

use crate::domain::{PaymentRecord, payment::Place};

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
    /// Transactions that cannot be read; not asked for again.
    unreadable: BTreeSet<Hash256>,
    /// Payments that are in neither a block nor the mempool, and since when.
    missing: BTreeMap<Hash256, DateTime<Utc>>,
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
    pub fn new(stored: impl IntoIterator<Item = Hash256>) -> Self {
        Self {
            stored: stored.into_iter().collect(),
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

    /// Takes in what was stored and forgotten.
    pub fn changed(&mut self, stored: impl IntoIterator<Item = Hash256>, gone: &[Hash256]) {
        self.stored.extend(stored);
        for txid in gone {
            self.stored.remove(txid);
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

    /// Open payments outside the chain that have been missing from the mempool for `patience`.
    pub fn dropped<'r>(
        &mut self,
        open: impl IntoIterator<Item = &'r PaymentRecord>,
        listed: &BTreeSet<Hash256>,
        now: DateTime<Utc>,
        patience: Duration,
    ) -> Vec<PaymentRecord> {
        let patience = TimeDelta::from_std(patience).unwrap_or(TimeDelta::MAX);
        let absent: Vec<&PaymentRecord> = open
            .into_iter()
            .filter(|record| record.place == Place::Mempool)
            .filter(|record| !listed.contains(&record.payment.txid))
            .collect();
        let before = std::mem::take(&mut self.missing);
        let mut dropped = Vec::new();
        for record in absent {
            let txid = record.payment.txid;
            let since = before.get(&txid).copied().unwrap_or(now);
            if now - since >= patience {
                let mut record = record.clone();
                record.place = Place::Dropped;
                dropped.push(record);
            } else {
                self.missing.insert(txid, since);
            }
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_core::Sat;

    use super::*;
    use crate::domain::Payment;

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
                message: None,
                memo_problem: "none".to_owned(),
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
        let mut mempool = Mempool::new([id(1), id(2)]);
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
            mempool
                .dropped(&records, &ids(listed), at(seconds), patience)
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
}
