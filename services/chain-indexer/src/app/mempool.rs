//! Takes in what a look at the mempool found.

use std::{collections::BTreeSet, time::Duration};

use fluxplane_flux_chain::{Hash256, Transaction};
use fluxplane_platform::db::begin;

use super::{Context, Error, fence};
use crate::{
    db,
    domain::{
        ChainEvent, ChainState, NoteRecord, PaymentRecord,
        event::{NoteChange, PaymentChange},
        mempool::{Mempool, Spenders},
        note,
        payment::{self, Place},
    },
    events::announce::announce,
};

/// What the daemon showed.
#[derive(Debug, Default)]
pub struct Look {
    /// Everything in its mempool.
    pub listed: BTreeSet<Hash256>,
    /// New transactions, each of which hashes to its id.
    pub found: Vec<(Hash256, Vec<u8>)>,
    /// Stored transactions that left.
    pub gone: Vec<Hash256>,
}

/// Stores the difference and announces payments and anchors that came and went. Returns what was announced.
pub async fn take(
    ctx: &Context,
    token: i64,
    state: &mut ChainState,
    mempool: &mut Mempool,
    look: Look,
    patience: Duration,
) -> Result<Vec<ChainEvent>, Error> {
    let now = ctx.clock.now();
    let height = state.next_height();
    let tip_height = height.saturating_sub(1);
    let mut records: Vec<PaymentRecord> = Vec::new();
    let mut notes: Vec<NoteRecord> = Vec::new();
    let mut events = Vec::new();
    for (txid, raw) in &look.found {
        if let Some(record) = new_payment(ctx, state, *txid, raw, height) {
            let change = PaymentChange::Seen;
            events.push(ChainEvent::payment(change, &record, tip_height));
            records.push(record);
        }
        if let Some(record) = new_anchor(ctx, state, *txid, raw) {
            events.extend(ChainEvent::note(NoteChange::Seen, &record, tip_height));
            notes.push(record);
        }
    }
    let found = look.found.iter().map(|(txid, raw)| (txid, raw.as_slice()));
    let incoming = Spenders::of(found);
    let open = state.open().iter();
    for record in mempool.dropped(open, &look.listed, &incoming, now, patience) {
        let change = PaymentChange::Dropped;
        events.push(ChainEvent::payment(change, &record, tip_height));
        records.push(record);
    }
    let open = state.notes().iter();
    for record in mempool.dropped_notes(open, &look.listed, now, patience) {
        events.extend(ChainEvent::note(NoteChange::Dropped, &record, tip_height));
        notes.push(record);
    }
    let same = records.is_empty() && notes.is_empty();
    if look.found.is_empty() && look.gone.is_empty() && same {
        return Ok(events);
    }
    let mut tx = begin(&ctx.pool).await?;
    fence(&mut tx, token).await?;
    db::mempool::delete(&mut tx, &look.gone).await?;
    db::mempool::insert(&mut tx, &look.found, now).await?;
    let written: Vec<&PaymentRecord> = records.iter().collect();
    db::payments::write(&mut tx, &written).await?;
    db::notes::write(&mut tx, &notes).await?;
    let announced: Vec<&ChainEvent> = events.iter().collect();
    announce(&mut tx, &*ctx.ids, ctx.rules.params.addresses, &announced).await?;
    tx.commit().await?;
    mempool.changed(look.found.iter().map(|(txid, _)| *txid), &look.gone);
    mempool.learn(incoming);
    state.note_payments(&records);
    state.note_notes(&notes);
    Ok(events)
}

/// The payment a transaction makes, unless it is known.
fn new_payment(
    ctx: &Context,
    state: &ChainState,
    txid: Hash256,
    raw: &[u8],
    height: u32,
) -> Option<PaymentRecord> {
    if state.open().contains(&txid) {
        return None;
    }
    let transaction = Transaction::parse(raw).ok()?;
    let now = ctx.clock.now();
    let payment = payment::find(&ctx.rules.watch, &transaction, txid, height, now);
    match payment {
        Ok(payment) => Some(PaymentRecord {
            payment: payment?,
            place: Place::Mempool,
            announced: 0,
        }),
        Err(err) => {
            // No block can hold it.
            tracing::warn!(error = %err, "payment in the mempool makes no sense");
            None
        }
    }
}

/// The anchor a transaction carries, unless it is known.
fn new_anchor(ctx: &Context, state: &ChainState, txid: Hash256, raw: &[u8]) -> Option<NoteRecord> {
    if state.notes().knows_anchor(txid) {
        return None;
    }
    let transaction = Transaction::parse(raw).ok()?;
    let (space, now) = (ctx.rules.params.addresses, ctx.clock.now());
    note::anchor_in(&transaction, txid, space, now).map(NoteRecord::waiting)
}
