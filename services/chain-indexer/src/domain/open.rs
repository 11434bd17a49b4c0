//! Payments that are not final: in the mempool, or in a block that is not deep enough yet.

use std::collections::{BTreeMap, HashMap};

use fluxplane_flux_chain::{Block, Hash256, OutPoint};

use crate::domain::{
    ChainEvent, Payment, PaymentRecord, Thresholds, Tip,
    event::PaymentChange,
    payment::{Departure, Place},
};

/// The open payments, by transaction.
#[derive(Debug, Clone, Default)]
pub struct OpenPayments(BTreeMap<Hash256, PaymentRecord>);

impl OpenPayments {
    pub fn new(records: Vec<PaymentRecord>) -> Self {
        Self(
            records
                .into_iter()
                .map(|record| (record.payment.txid, record))
                .collect(),
        )
    }

    pub fn contains(&self, txid: &Hash256) -> bool {
        self.0.contains_key(txid)
    }

    pub fn iter(&self) -> impl Iterator<Item = &PaymentRecord> {
        self.0.values()
    }

    /// Takes in payments that came, moved or went outside of a block.
    pub fn note(&mut self, records: &[PaymentRecord]) {
        for record in records {
            let txid = record.payment.txid;
            match record.place {
                Place::Mempool | Place::Mined(_) => self.0.insert(txid, record.clone()),
                Place::Dropped(_) => self.0.remove(&txid),
            };
        }
    }

    /// Puts the payments of a block into it, then announces every threshold that some payment reached with it. Returns the records
    /// that changed, as they stand now; those that became final are no longer open.
    pub fn mine(
        &mut self,
        found: Vec<Payment>,
        block: Tip,
        thresholds: &Thresholds,
        events: &mut Vec<ChainEvent>,
    ) -> Vec<PaymentRecord> {
        let mut changed: BTreeMap<Hash256, PaymentRecord> = BTreeMap::new();
        for payment in found {
            let txid = payment.txid;
            let known = self.contains(&txid);
            let record = self.0.entry(txid).or_insert(PaymentRecord {
                payment,
                place: Place::Mempool,
                announced: 0,
            });
            record.place = Place::Mined(block);
            record.announced = 0;
            if !known {
                events.push(ChainEvent::payment(
                    PaymentChange::Seen,
                    record,
                    block.height,
                ));
            }
            changed.insert(txid, record.clone());
        }
        let last = thresholds.last();
        for (txid, record) in &mut self.0 {
            let confirmations = record.place.confirmations(block.height);
            for threshold in thresholds.due(record.announced, confirmations) {
                record.announced = threshold;
                let change = if threshold == last {
                    PaymentChange::Final
                } else {
                    PaymentChange::Confirmed
                };
                events.push(ChainEvent::payment(change, record, block.height));
                changed.insert(*txid, record.clone());
            }
        }
        self.0.retain(|_, record| record.announced < last);
        changed.into_values().collect()
    }

    /// Takes away the waiting payments of which another transaction of the block spends an input. To be called when the payments
    /// of the block are in it. Returns them.
    pub fn lose(
        &mut self,
        block: &Block<'_>,
        txids: &[Hash256],
        tip: Tip,
        events: &mut Vec<ChainEvent>,
    ) -> Vec<PaymentRecord> {
        let mut waiting: HashMap<OutPoint, Vec<Hash256>> = HashMap::new();
        for record in self.0.values().filter(|it| it.place == Place::Mempool) {
            for input in &record.payment.inputs {
                waiting.entry(*input).or_default().push(record.payment.txid);
            }
        }
        if waiting.is_empty() {
            return Vec::new();
        }
        let mut lost = Vec::new();
        for (spender, transaction) in txids.iter().zip(&block.transactions) {
            let inputs = transaction.inputs().iter();
            for loser in inputs
                .filter_map(|input| waiting.get(&input.previous))
                .flatten()
            {
                let Some(mut record) = self.0.remove(loser) else {
                    continue;
                };
                record.place = Place::Dropped(Departure::DoubleSpent(*spender));
                let change = PaymentChange::Dropped;
                events.push(ChainEvent::payment(change, &record, tip.height));
                lost.push(record);
            }
        }
        lost
    }
}
