//! Notes that are not final: in the mempool, or in a block that is not deep enough yet.

use std::collections::BTreeMap;

use fluxplane_flux_chain::Hash256;

use crate::domain::{
    ChainEvent, Tip,
    event::NoteChange,
    note::{Kind, Note, NoteKey, NoteRecord},
    payment::Place,
};

/// The open notes.
#[derive(Debug, Clone, Default)]
pub struct OpenNotes(BTreeMap<NoteKey, NoteRecord>);

impl OpenNotes {
    pub fn new(records: Vec<NoteRecord>) -> Self {
        Self(
            records
                .into_iter()
                .map(|record| (record.key(), record))
                .collect(),
        )
    }

    /// Whether an anchor is known.
    pub fn knows_anchor(&self, txid: Hash256) -> bool {
        self.0.contains_key(&(txid, Kind::Anchor))
    }

    pub fn iter(&self) -> impl Iterator<Item = &NoteRecord> {
        self.0.values()
    }

    /// Takes in notes that came, moved or went outside of a block.
    pub fn note(&mut self, records: &[NoteRecord]) {
        for record in records {
            match record.place {
                Place::Mempool | Place::Mined(_) => self.0.insert(record.key(), record.clone()),
                Place::Dropped(_) => self.0.remove(&record.key()),
            };
        }
    }

    /// Puts the notes of a block into it, and calls those final that have `last` confirmations with it. Returns the records that
    /// changed; those that became final are no longer open.
    pub fn mine(
        &mut self,
        found: Vec<Note>,
        block: Tip,
        last: u32,
        events: &mut Vec<ChainEvent>,
    ) -> Vec<NoteRecord> {
        let mut changed: BTreeMap<NoteKey, NoteRecord> = BTreeMap::new();
        for note in found {
            let fresh = NoteRecord::waiting(note);
            let key = fresh.key();
            let known = self.0.contains_key(&key);
            let record = self.0.entry(key).or_insert(fresh);
            record.mined_in(block);
            if !known {
                events.extend(ChainEvent::note(NoteChange::Seen, record, block.height));
            }
            events.extend(ChainEvent::note(NoteChange::Mined, record, block.height));
            changed.insert(key, record.clone());
        }
        for (key, record) in &mut self.0 {
            if record.place.confirmations(block.height) >= last {
                record.announced = last;
                events.extend(ChainEvent::note(NoteChange::Final, record, block.height));
                changed.insert(*key, record.clone());
            }
        }
        self.0.retain(|_, record| record.announced < last);
        changed.into_values().collect()
    }

    /// Puts the notes of an undone block back into the mempool, as far as anyone knows.
    pub fn undo(
        &mut self,
        records: &mut [NoteRecord],
        parent_height: u32,
        events: &mut Vec<ChainEvent>,
    ) {
        for record in records.iter_mut().rev() {
            record.place = Place::Mempool;
            record.announced = 0;
            events.extend(ChainEvent::note(
                NoteChange::Reorganised,
                record,
                parent_height,
            ));
        }
        self.note(records);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::note::Content;

    fn note(content: Content) -> Note {
        Note {
            txid: Hash256::from_wire([1; 32]),
            content,
            senders: Vec::new(),
            first_seen_at: DateTime::UNIX_EPOCH,
        }
    }

    fn at(height: u32) -> Tip {
        Tip {
            height,
            hash: Hash256::from_wire([9; 32]),
        }
    }

    fn changes(events: &[ChainEvent]) -> Vec<(NoteChange, u32)> {
        events
            .iter()
            .map(|event| match event {
                ChainEvent::Note {
                    change,
                    confirmations,
                    ..
                } => (*change, *confirmations),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn an_anchor_is_seen_mined_and_final_each_once() {
        let (mut open, mut events) = (OpenNotes::default(), Vec::new());
        let anchor = note(Content::anchor(b"FXP1"));
        let changed = open.mine(vec![anchor], at(5), 3, &mut events);
        assert_eq!(changed.len(), 1);
        assert!(open.mine(Vec::new(), at(6), 3, &mut events).is_empty());
        assert_eq!(open.mine(Vec::new(), at(7), 3, &mut events)[0].announced, 3);
        assert!(open.mine(Vec::new(), at(8), 3, &mut events).is_empty());
        assert_eq!(
            changes(&events),
            [
                (NoteChange::Seen, 1),
                (NoteChange::Mined, 1),
                (NoteChange::Final, 3)
            ]
        );
        assert_eq!(open.iter().count(), 0);
    }

    #[test]
    fn an_undone_anchor_is_mined_again_and_not_seen_again() {
        let (mut open, mut events) = (OpenNotes::default(), Vec::new());
        let anchor = note(Content::anchor(b"FXP1"));
        let mut stored = open.mine(vec![anchor.clone()], at(5), 3, &mut events);
        open.undo(&mut stored, 4, &mut events);
        open.mine(vec![anchor], at(6), 3, &mut events);
        assert_eq!(
            changes(&events),
            [
                (NoteChange::Seen, 1),
                (NoteChange::Mined, 1),
                (NoteChange::Reorganised, 0),
                (NoteChange::Mined, 1)
            ]
        );
    }

    #[test]
    fn a_price_message_is_announced_from_its_block_on() {
        let (mut open, mut events) = (OpenNotes::default(), Vec::new());
        let price = note(Content::price("p_1_2_3_4".to_owned(), true));
        open.mine(vec![price], at(5), 2, &mut events);
        open.mine(Vec::new(), at(6), 2, &mut events);
        assert_eq!(
            changes(&events),
            [(NoteChange::Mined, 1), (NoteChange::Final, 2)]
        );
    }
}
