//! Undoes the last block: everything it did, in one transaction.

use fluxplane_platform::db::begin;

use super::{Context, Error, fence, ledger};
use crate::{
    db,
    domain::{ChainEvent, ChainState, IndexMode, PaymentRecord, Tip, effects::UndoEffects},
    events::announce::announce,
};

/// Undoes the block at the tip. On an error nothing changed in the database, and the state must be loaded again.
pub async fn disconnect(
    ctx: &Context,
    token: i64,
    state: &mut ChainState,
) -> Result<UndoEffects, Error> {
    let tip = state
        .tip()
        .filter(|tip| tip.height > 0)
        .ok_or(Error::NoUndo(0))?;
    let mut tx = begin(&ctx.pool).await?;
    fence(&mut tx, token).await?;
    let undo = db::undo::take(&mut tx, tip.height)
        .await?
        .ok_or(Error::NoUndo(tip.height))?;
    let parent = parent_of(&mut tx, tip).await?;
    let payments = db::payments::of_block(&mut tx, tip.height).await?;
    let last = ctx.rules.thresholds.last();
    let notes = db::notes::of_block(&mut tx, tip.height).await?;
    let final_notes = notes.iter().any(|record| record.announced >= last);
    if final_notes || payments.iter().any(|record| record.announced >= last) {
        // Only where the last threshold is lower than what can be reorganised, which the public networks do not allow.
        tracing::error!(
            block.height = tip.height,
            "payments or messages that were called final are undone"
        );
    }
    let effects = state
        .undo(tip, parent, &undo, payments, notes)
        .map_err(Error::Undo)?;
    db::chain::move_tip(&mut tx, tip, parent).await?;
    db::fluxnodes::write(&mut tx, &effects.lists).await?;
    let payments: Vec<&PaymentRecord> = effects.payments.iter().collect();
    db::payments::write(&mut tx, &payments).await?;
    db::notes::write(&mut tx, &effects.notes).await?;
    db::turnover::delete(&mut tx, tip.height).await?;
    if ctx.rules.mode == IndexMode::Full {
        db::history::undo(&mut tx, tip.height).await?;
    }
    ledger::undo(&mut tx, ctx.rules.mode, tip.height).await?;
    db::collaterals::delete_of_block(&mut tx, tip.height).await?;
    db::blocks::delete(&mut tx, tip).await?;
    let events: Vec<&ChainEvent> = effects.events.iter().collect();
    announce(&mut tx, &*ctx.ids, ctx.rules.params.addresses, &events).await?;
    tx.commit().await?;
    Ok(effects)
}

async fn parent_of(conn: &mut sqlx::PgConnection, tip: Tip) -> Result<Tip, Error> {
    let block = db::blocks::at_height(conn, tip.height)
        .await?
        .ok_or_else(|| Error::NoBlock(tip.height.to_string()))?;
    Ok(Tip {
        height: tip.height - 1,
        hash: block.previous,
    })
}
