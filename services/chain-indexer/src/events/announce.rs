//! Announcements, appended to the outbox in the transaction of the change.

use fluxplane_core::IdSource;
use fluxplane_flux_chain::address::AddressSpace;
use fluxplane_platform::db::outbox::{self, NewEvent};
use fluxplane_proto::{
    Event,
    chain_indexer::v1::{
        AnchorChanged, BlockConnected, BlockDisconnected, FluxnodeChanged, PaymentChanged,
        PriceMessageChanged, anchor_changed, fluxnode_changed, payment_changed,
        price_message_changed,
    },
};
use sqlx::PgConnection;

use crate::{
    db,
    domain::{
        ChainEvent,
        event::{FluxnodeChange, NoteChange, PaymentChange},
        note::{Content, Note},
    },
    grpc::{convert, payments},
};

/// Announces events in their order.
pub async fn announce(
    conn: &mut PgConnection,
    ids: &dyn IdSource,
    space: AddressSpace,
    events: &[&ChainEvent],
) -> sqlx::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let numbers = db::chain::next_sequences(conn, events.len()).await?;
    let events: Vec<NewEvent> = events
        .iter()
        .zip(numbers)
        .map(|(event, sequence)| encode(event, sequence, ids, space))
        .collect();
    outbox::append_all(conn, &events).await
}

fn encode(event: &ChainEvent, sequence: u64, ids: &dyn IdSource, space: AddressSpace) -> NewEvent {
    match event {
        ChainEvent::BlockConnected {
            block,
            previous,
            time,
        } => new(
            ids,
            &BlockConnected {
                height: block.height,
                hash: block.hash.to_string(),
                previous_hash: previous.to_string(),
                time: Some(convert::timestamp(*time)),
                sequence,
            },
        ),
        ChainEvent::BlockDisconnected { block } => new(
            ids,
            &BlockDisconnected {
                height: block.height,
                hash: block.hash.to_string(),
                sequence,
            },
        ),
        ChainEvent::Payment {
            change,
            payment,
            place,
            confirmations,
        } => new(
            ids,
            &PaymentChanged {
                change: payment_change(*change).into(),
                payment: Some(convert::payment_to_wire(payment, place, *confirmations)),
                memo_problem: payments::problem_text(&payment.memo),
                sequence,
                departure: payments::departure_to_wire(place).into(),
                conflicting_txid: payments::conflicting(place),
                problem: payments::problem_to_wire(&payment.memo).into(),
            },
        ),
        ChainEvent::Fluxnode {
            change,
            collateral,
            entry,
            height,
            moved_from,
        } => new(
            ids,
            &FluxnodeChanged {
                change: fluxnode_change(*change).into(),
                collateral: Some(convert::outpoint_to_wire(collateral)),
                fluxnode: entry
                    .as_deref()
                    .map(|entry| convert::fluxnode_to_wire(entry, None, space)),
                height: *height,
                sequence,
                previous_ip: moved_from
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string),
            },
        ),
        ChainEvent::Note {
            change,
            note,
            place,
            confirmations,
        } => {
            let standing = payments::Standing {
                place: *place,
                confirmations: *confirmations,
                last: *change == NoteChange::Final,
            };
            encode_note(*change, note, &standing, sequence, ids)
        }
    }
}

fn encode_note(
    change: NoteChange,
    note: &Note,
    standing: &payments::Standing,
    sequence: u64,
    ids: &dyn IdSource,
) -> NewEvent {
    match &note.content {
        Content::Anchor { .. } => new(
            ids,
            &AnchorChanged {
                change: anchor_change(change).into(),
                anchor: payments::anchor_to_wire(note, standing),
                sequence,
            },
        ),
        Content::Price { .. } => new(
            ids,
            &PriceMessageChanged {
                change: price_change(change).into(),
                message: payments::price_to_wire(note, standing),
                sequence,
            },
        ),
    }
}

fn new<E: Event>(ids: &dyn IdSource, event: &E) -> NewEvent {
    NewEvent::new(ids.next(), E::SUBJECT, event)
}

const fn payment_change(change: PaymentChange) -> payment_changed::Change {
    match change {
        PaymentChange::Seen => payment_changed::Change::Seen,
        PaymentChange::Confirmed => payment_changed::Change::Confirmed,
        PaymentChange::Final => payment_changed::Change::Final,
        PaymentChange::Reorganised => payment_changed::Change::Reorganised,
        PaymentChange::Dropped => payment_changed::Change::Dropped,
    }
}

const fn fluxnode_change(change: FluxnodeChange) -> fluxnode_changed::Change {
    match change {
        FluxnodeChange::Started => fluxnode_changed::Change::Started,
        FluxnodeChange::Confirmed => fluxnode_changed::Change::Confirmed,
        FluxnodeChange::Updated => fluxnode_changed::Change::Updated,
        FluxnodeChange::Expired => fluxnode_changed::Change::Expired,
        FluxnodeChange::Dos => fluxnode_changed::Change::Dos,
        FluxnodeChange::DosLeft => fluxnode_changed::Change::DosLeft,
        FluxnodeChange::CollateralSpent => fluxnode_changed::Change::CollateralSpent,
        FluxnodeChange::Reorganised => fluxnode_changed::Change::Reorganised,
    }
}

const fn anchor_change(change: NoteChange) -> anchor_changed::Change {
    match change {
        NoteChange::Seen => anchor_changed::Change::Seen,
        NoteChange::Mined => anchor_changed::Change::Mined,
        NoteChange::Final => anchor_changed::Change::Final,
        NoteChange::Reorganised => anchor_changed::Change::Reorganised,
        NoteChange::Dropped => anchor_changed::Change::Dropped,
    }
}

/// A price message is announced from its block on.
const fn price_change(change: NoteChange) -> price_message_changed::Change {
    match change {
        NoteChange::Mined => price_message_changed::Change::Mined,
        NoteChange::Final => price_message_changed::Change::Final,
        NoteChange::Reorganised => price_message_changed::Change::Reorganised,
        NoteChange::Seen | NoteChange::Dropped => price_message_changed::Change::Unspecified,
    }
}
