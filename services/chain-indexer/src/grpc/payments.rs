//! Between wire and domain: payments nobody can assign, anchors, price messages.

use fluxplane_proto::chain_indexer::v1 as wire;

use super::convert;
use crate::{
    app::Error,
    domain::{
        NoteRecord, PaymentRecord,
        memo::{Memo, ProblemKind},
        note::{Content, Note},
        payment::{Departure, Place},
    },
};

/// Where something is, as of an answer or an event.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    pub place: Place,
    pub confirmations: u32,
    /// Never taken back.
    pub last: bool,
}

impl Standing {
    /// A stored note as of a tip. `last` confirmations are final.
    pub(super) const fn of(record: &NoteRecord, tip_height: u32, last: u32) -> Self {
        Self {
            place: record.place,
            confirmations: record.place.confirmations(tip_height),
            last: record.announced >= last,
        }
    }

    fn block(&self) -> (u32, String) {
        match self.place {
            Place::Mined(block) => (block.height, block.hash.to_string()),
            Place::Mempool | Place::Dropped(_) => (0, String::new()),
        }
    }
}

pub fn problem_text(memo: &Memo) -> String {
    memo.problem()
        .map_or_else(String::new, |problem| problem.text.clone())
}

pub fn problem_to_wire(memo: &Memo) -> wire::MemoProblem {
    match memo.problem().map(|problem| problem.kind) {
        None => wire::MemoProblem::Unspecified,
        Some(ProblemKind::Missing) => wire::MemoProblem::Missing,
        Some(ProblemKind::Ambiguous) => wire::MemoProblem::Ambiguous,
        Some(ProblemKind::Length) => wire::MemoProblem::Length,
        Some(ProblemKind::Alphabet) => wire::MemoProblem::Alphabet,
    }
}

/// `None` for all kinds.
pub(super) fn problem_from_wire(problem: i32) -> Result<Option<ProblemKind>, Error> {
    let known = wire::MemoProblem::try_from(problem).map_err(|_| {
        Error::invalid(
            "problem",
            problem,
            "a problem is 1 (missing), 2 (ambiguous), 3 (length) or 4 (alphabet)",
            "leave it out for all problems",
        )
    })?;
    Ok(match known {
        wire::MemoProblem::Unspecified => None,
        wire::MemoProblem::Missing => Some(ProblemKind::Missing),
        wire::MemoProblem::Ambiguous => Some(ProblemKind::Ambiguous),
        wire::MemoProblem::Length => Some(ProblemKind::Length),
        wire::MemoProblem::Alphabet => Some(ProblemKind::Alphabet),
    })
}

pub const fn departure_to_wire(place: &Place) -> wire::Departure {
    match place {
        Place::Mempool | Place::Mined(_) => wire::Departure::Unspecified,
        Place::Dropped(Departure::Missing) => wire::Departure::Missing,
        Place::Dropped(Departure::Replaced(_)) => wire::Departure::Replaced,
        Place::Dropped(Departure::DoubleSpent(_)) => wire::Departure::DoubleSpent,
    }
}

/// The transaction that took a payment's place; empty when none did.
pub fn conflicting(place: &Place) -> String {
    let conflicting = match place {
        Place::Dropped(departure) => departure.conflicting(),
        Place::Mempool | Place::Mined(_) => None,
    };
    conflicting.map_or_else(String::new, |txid| txid.to_string())
}

pub(super) fn recorded_to_wire(record: &PaymentRecord, tip_height: u32) -> wire::RecordedPayment {
    let (payment, place) = (&record.payment, &record.place);
    let state = match place {
        Place::Mempool => wire::PaymentState::Mempool,
        Place::Mined(_) => wire::PaymentState::Mined,
        Place::Dropped(_) => wire::PaymentState::Dropped,
    };
    wire::RecordedPayment {
        payment: Some(convert::payment_to_wire(
            payment,
            place,
            place.confirmations(tip_height),
        )),
        state: state.into(),
        memo_problem: problem_text(&payment.memo),
        problem: problem_to_wire(&payment.memo).into(),
        first_seen_at: Some(convert::timestamp(payment.first_seen_at)),
        departure: departure_to_wire(place).into(),
        conflicting_txid: conflicting(place),
    }
}

/// Nothing for a note of another kind.
pub fn anchor_to_wire(note: &Note, standing: &Standing) -> Option<wire::ChainAnchor> {
    let Content::Anchor { payload, read } = &note.content else {
        return None;
    };
    let (height, block_hash) = standing.block();
    let (epoch, root, leaf_count, problem) = match read {
        Ok(anchor) => {
            let root = anchor.root.0.to_vec();
            (anchor.epoch.0, root, anchor.count, String::new())
        }
        Err(problem) => (0, Vec::new(), 0, problem.to_string()),
    };
    Some(wire::ChainAnchor {
        txid: note.txid.to_string(),
        epoch,
        root,
        leaf_count,
        problem,
        payload: payload.clone(),
        senders: note.senders.iter().map(ToString::to_string).collect(),
        height,
        block_hash,
        confirmations: standing.confirmations,
        r#final: standing.last,
    })
}

/// Nothing for a note of another kind.
pub fn price_to_wire(note: &Note, standing: &Standing) -> Option<wire::ChainPriceMessage> {
    let Content::Price { text, read } = &note.content else {
        return None;
    };
    let (height, block_hash) = standing.block();
    let row = read.as_ref().ok().map(|row| wire::PriceRow {
        cpu: row.cpu.clone(),
        ram: row.ram.clone(),
        hdd: row.hdd.clone(),
        min_price: row.min_price.clone(),
        port: row.port.clone(),
        scope: row.scope.clone(),
        static_ip: row.static_ip.clone(),
    });
    let problem = read.as_ref().err();
    Some(wire::ChainPriceMessage {
        txid: note.txid.to_string(),
        text: text.clone(),
        prices: row,
        problem: problem.map_or_else(String::new, ToString::to_string),
        height,
        block_hash,
        confirmations: standing.confirmations,
        r#final: standing.last,
    })
}
