//! What the indexer announces, in its own words.

use chrono::{DateTime, Utc};
use fluxplane_flux_chain::{
    Hash256, OutPoint,
    fluxnode::{Event, ExpiryReason, FluxnodeState, Ip, NodeEntry},
};

use crate::domain::{
    Payment, Tip,
    note::{Content, Note, NoteRecord},
    payment::{PaymentRecord, Place},
};

/// Something happened on the chain. Order: as applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainEvent {
    BlockConnected {
        block: Tip,
        previous: Hash256,
        time: DateTime<Utc>,
    },
    BlockDisconnected {
        block: Tip,
    },
    Payment {
        change: PaymentChange,
        payment: Payment,
        place: Place,
        confirmations: u32,
    },
    Fluxnode {
        change: FluxnodeChange,
        collateral: OutPoint,
        /// The entry after the change; none when the node is on no list any more.
        entry: Option<Box<NodeEntry>>,
        /// Block that was applied or undone.
        height: u32,
        /// The address before, when an update changed it.
        moved_from: Option<Ip>,
    },
    Note {
        change: NoteChange,
        note: Box<Note>,
        place: Place,
        confirmations: u32,
    },
}

/// What became of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteChange {
    Seen,
    Mined,
    Final,
    Reorganised,
    Dropped,
}

impl NoteChange {
    pub const ALL: [Self; 5] = [
        Self::Seen,
        Self::Mined,
        Self::Final,
        Self::Reorganised,
        Self::Dropped,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Mined => "mined",
            Self::Final => "final",
            Self::Reorganised => "reorganised",
            Self::Dropped => "dropped",
        }
    }
}

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaymentChange {
    Seen,
    Confirmed,
    Final,
    Reorganised,
    Dropped,
}

impl PaymentChange {
    pub const ALL: [Self; 5] = [
        Self::Seen,
        Self::Confirmed,
        Self::Final,
        Self::Reorganised,
        Self::Dropped,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Confirmed => "confirmed",
            Self::Final => "final",
            Self::Reorganised => "reorganised",
            Self::Dropped => "dropped",
        }
    }
}

/// What became of a fluxnode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FluxnodeChange {
    Started,
    Confirmed,
    Updated,
    Expired,
    Dos,
    DosLeft,
    CollateralSpent,
    Reorganised,
}

impl ChainEvent {
    /// A payment changed while the tip was at `tip_height`.
    pub fn payment(change: PaymentChange, record: &PaymentRecord, tip_height: u32) -> Self {
        Self::Payment {
            change,
            payment: record.payment.clone(),
            place: record.place,
            confirmations: record.place.confirmations(tip_height),
        }
    }

    /// A note changed while the tip was at `tip_height`. A price message is nothing before it is in a block, and nothing after it
    /// left one.
    pub fn note(change: NoteChange, record: &NoteRecord, tip_height: u32) -> Option<Self> {
        let of_a_block = match change {
            NoteChange::Mined | NoteChange::Final | NoteChange::Reorganised => true,
            NoteChange::Seen | NoteChange::Dropped => false,
        };
        let announced = match record.note.content {
            Content::Anchor { .. } => true,
            Content::Price { .. } => of_a_block,
        };
        announced.then(|| Self::Note {
            change,
            note: Box::new(record.note.clone()),
            place: record.place,
            confirmations: record.place.confirmations(tip_height),
        })
    }

    /// What the list's own event announces; nothing for a payout, which every block has, and for delegates.
    pub fn fluxnode(event: &Event, after: &FluxnodeState) -> Option<Self> {
        let change = match event {
            Event::Started { .. } => FluxnodeChange::Started,
            Event::Confirmed { .. } => FluxnodeChange::Confirmed,
            Event::Updated { .. } => FluxnodeChange::Updated,
            Event::DosEntered { .. } => FluxnodeChange::Dos,
            Event::DosLeft { .. } => FluxnodeChange::DosLeft,
            Event::Expired {
                reason: ExpiryReason::CollateralSpent { .. },
                ..
            } => FluxnodeChange::CollateralSpent,
            Event::Expired {
                reason: ExpiryReason::NotConfirmed | ExpiryReason::AmountOutlawed,
                ..
            } => FluxnodeChange::Expired,
            Event::Paid { .. } | Event::DelegatesChanged { .. } => return None,
        };
        let collateral = event.collateral();
        let moved_from = match event {
            Event::Updated { moved_from, .. } => moved_from.clone(),
            Event::Started { .. }
            | Event::Confirmed { .. }
            | Event::DosEntered { .. }
            | Event::DosLeft { .. }
            | Event::Expired { .. }
            | Event::Paid { .. }
            | Event::DelegatesChanged { .. } => None,
        };
        Some(Self::Fluxnode {
            change,
            collateral,
            entry: after.node(&collateral).cloned().map(Box::new),
            height: after.height(),
            moved_from,
        })
    }

    /// An undone block changed a node, unless all it had done was to pay it.
    pub fn fluxnode_undone(
        collateral: OutPoint,
        undone: Option<&NodeEntry>,
        restored: Option<&NodeEntry>,
        height: u32,
    ) -> Option<Self> {
        let besides_payment = |entry: Option<&NodeEntry>| {
            entry.cloned().map(|entry| NodeEntry {
                last_paid_height: 0,
                ..entry
            })
        };
        (besides_payment(undone) != besides_payment(restored)).then(|| Self::Fluxnode {
            change: FluxnodeChange::Reorganised,
            collateral,
            entry: restored.cloned().map(Box::new),
            height,
            moved_from: None,
        })
    }
}
