//! Applies blocks: first in memory, then their rows, the lists, the payments and the announcements in one transaction.
//!
//! The two halves are apart so that the next blocks can be applied while these are written.

use std::collections::BTreeMap;

use fluxplane_flux_chain::{Hash256, OutPoint, fluxnode::Collateral};
use sqlx::{Connection as _, PgConnection};

use super::{Context, Error, fence, ledger};
use crate::{
    db,
    domain::{
        BlockEffects, ChainEvent, ChainState, CheckedBlock, IndexMode, NoteRecord, PaymentRecord,
        Tip,
        chain::{Applied, Refusal},
        effects::ListChanges,
        fork::UNDO_BLOCKS,
        mempool::Mempool,
        note::NoteKey,
    },
    events::announce::announce,
};

/// Blocks that are applied and not yet stored.
#[derive(Debug)]
pub struct Prepared {
    from: Option<Tip>,
    /// Of the blocks that were applied.
    pub effects: Vec<BlockEffects>,
    /// Why the next one was not.
    pub refusal: Option<Refusal>,
}

impl Prepared {
    /// Ids of all transactions of the blocks.
    pub fn txids(&self) -> impl Iterator<Item = &Hash256> {
        self.effects.iter().flat_map(|block| &block.txids)
    }

    /// Outputs the blocks made that a start may name.
    pub fn collaterals(&self) -> impl Iterator<Item = &(OutPoint, Collateral)> {
        self.effects.iter().flat_map(|block| &block.collaterals)
    }
}

/// What came of applying blocks.
#[derive(Debug)]
pub struct Connected {
    pub state: ChainState,
    /// Of the blocks that were applied and stored.
    pub effects: Vec<BlockEffects>,
    /// Why the next one was not.
    pub refusal: Option<Refusal>,
}

/// Applies blocks in order and stores what they do, all in one transaction. On an error nothing is stored, and the state must be
/// loaded again.
pub async fn connect(
    ctx: &Context,
    token: i64,
    state: ChainState,
    mempool: &mut Mempool,
    blocks: Vec<CheckedBlock>,
) -> Result<Connected, Error> {
    let (state, prepared) = prepare(ctx, state, blocks, &[]).await?;
    let mined = mempool.mined(prepared.txids());
    store(ctx, token, &prepared, &mined).await?;
    mempool.changed([], &mined);
    let Prepared {
        effects, refusal, ..
    } = prepared;
    Ok(Connected {
        state,
        effects,
        refusal,
    })
}

/// Applies blocks in order, in memory. `unstored` are outputs of blocks on their way into the database, which starts may name.
/// On an error the state is lost and must be loaded again.
pub async fn prepare(
    ctx: &Context,
    state: ChainState,
    blocks: Vec<CheckedBlock>,
    unstored: &[(OutPoint, Collateral)],
) -> Result<(ChainState, Prepared), Error> {
    let wanted: Vec<_> = blocks
        .iter()
        .flat_map(CheckedBlock::collaterals)
        .copied()
        .collect();
    let mut collaterals = if wanted.is_empty() {
        BTreeMap::new().into_iter().collect()
    } else {
        let mut conn = ctx.pool.acquire().await?;
        db::collaterals::get(&mut conn, &wanted).await?
    };
    collaterals.extend(unstored.iter().cloned());
    let from = state.tip();
    let applying = tokio::task::spawn_blocking(move || state.apply_all(&blocks, collaterals));
    let Applied {
        state,
        effects,
        refusal,
    } = applying.await.map_err(Error::Work)?;
    let prepared = Prepared {
        from,
        effects,
        refusal,
    };
    Ok((state, prepared))
}

/// Stores applied blocks in one transaction. `mined` are those of their transactions that the stored mempool holds.
pub async fn store(
    ctx: &Context,
    token: i64,
    prepared: &Prepared,
    mined: &[Hash256],
) -> Result<(), Error> {
    let effects = &prepared.effects;
    let Some(last) = effects.last() else {
        return Ok(());
    };
    let to = last.block;
    let mut conn = ctx.writer.take(&ctx.pool).await?;
    let mut tx = conn.begin().await?;
    fence(&mut tx, token).await?;
    match prepared.from {
        Some(from) => db::chain::move_tip(&mut tx, from, to).await?,
        None => begin_chain(ctx, &mut tx, effects, to).await?,
    }
    write(&mut tx, ctx.rules.mode, effects, to).await?;
    ledger::write(&mut tx, ctx.rules.mode, effects).await?;
    db::mempool::delete(&mut tx, mined).await?;
    let events: Vec<&ChainEvent> = effects.iter().flat_map(|block| &block.events).collect();
    announce(&mut tx, &*ctx.ids, ctx.rules.params.addresses, &events).await?;
    tx.commit().await?;
    ctx.writer.keep(conn);
    Ok(())
}

/// The first transaction of a chain's life.
async fn begin_chain(
    ctx: &Context,
    conn: &mut PgConnection,
    effects: &[BlockEffects],
    to: Tip,
) -> Result<(), Error> {
    let genesis = effects.first().map_or(to, |first| first.block);
    let network = ctx.rules.params.network.to_string();
    db::chain::begin(conn, &network, genesis, ctx.rules.mode).await?;
    Ok(db::chain::move_tip(conn, genesis, to).await?)
}

async fn write(
    conn: &mut PgConnection,
    mode: IndexMode,
    effects: &[BlockEffects],
    to: Tip,
) -> sqlx::Result<()> {
    db::blocks::insert(conn, effects).await?;
    db::blocks::insert_transactions(conn, effects).await?;
    db::collaterals::insert(conn, effects).await?;
    let mut lists = ListChanges::default();
    let mut payments: BTreeMap<Hash256, &PaymentRecord> = BTreeMap::new();
    for block in effects {
        lists.extend(&block.lists);
        payments.extend(
            block
                .payments
                .iter()
                .map(|record| (record.payment.txid, record)),
        );
    }
    db::turnover::insert(conn, effects).await?;
    if mode == IndexMode::Full {
        db::history::write(conn, effects).await?;
    }
    db::fluxnodes::write(conn, &lists).await?;
    let payments: Vec<&PaymentRecord> = payments.into_values().collect();
    db::payments::write(conn, &payments).await?;
    db::notes::write(conn, latest_notes(effects)).await?;
    keep_undo(conn, effects, to.height).await
}

/// Notes as they stand after the last of the blocks.
fn latest_notes(effects: &[BlockEffects]) -> Vec<&NoteRecord> {
    let notes = effects.iter().flat_map(|block| &block.notes);
    let latest: BTreeMap<NoteKey, &NoteRecord> =
        notes.map(|record| (record.key(), record)).collect();
    latest.into_values().collect()
}

/// Stores the undo records of the last blocks and forgets those that are older.
async fn keep_undo(
    conn: &mut PgConnection,
    effects: &[BlockEffects],
    height: u32,
) -> sqlx::Result<()> {
    let records: Vec<_> = effects
        .iter()
        .filter_map(|block| block.undo.as_ref())
        .filter(|undo| height - undo.height < UNDO_BLOCKS)
        .collect();
    db::undo::insert(conn, &records).await?;
    match height.checked_sub(UNDO_BLOCKS) {
        Some(last) => db::undo::forget_up_to(conn, last).await,
        None => Ok(()),
    }
}
