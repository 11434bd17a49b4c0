//! Applies blocks: their rows, the lists, the payments and the announcements in one transaction.

use std::collections::BTreeMap;

use fluxplane_flux_chain::Hash256;
use fluxplane_platform::db::begin;
use sqlx::PgConnection;

use super::{Context, Error, fence};
use crate::{
    db,
    domain::{
        BlockEffects, ChainEvent, ChainState, CheckedBlock, PaymentRecord, Tip,
        chain::{Applied, Refusal},
        effects::ListChanges,
        fork::UNDO_BLOCKS,
        mempool::Mempool,
    },
    events::announce::announce,
};

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
    let wanted: Vec<_> = blocks
        .iter()
        .flat_map(CheckedBlock::collaterals)
        .copied()
        .collect();
    let collaterals = if wanted.is_empty() {
        BTreeMap::new().into_iter().collect()
    } else {
        let mut conn = ctx.pool.acquire().await?;
        db::collaterals::get(&mut conn, &wanted).await?
    };
    let from = state.tip();
    let applying = tokio::task::spawn_blocking(move || state.apply_all(&blocks, collaterals));
    let Applied {
        state,
        effects,
        refusal,
    } = applying.await.map_err(Error::Work)?;
    if let Some(last) = effects.last() {
        let to = last.block;
        let mined = mempool.mined(txids(&effects));
        let mut tx = begin(&ctx.pool).await?;
        fence(&mut tx, token).await?;
        match from {
            Some(from) => db::chain::move_tip(&mut tx, from, to).await?,
            None => begin_chain(ctx, &mut tx, &effects, to).await?,
        }
        write(&mut tx, &effects, to).await?;
        db::mempool::delete(&mut tx, &mined).await?;
        let events: Vec<&ChainEvent> = effects.iter().flat_map(|block| &block.events).collect();
        announce(&mut tx, &*ctx.ids, ctx.rules.params.addresses, &events).await?;
        tx.commit().await?;
        mempool.changed([], &mined);
    }
    Ok(Connected {
        state,
        effects,
        refusal,
    })
}

fn txids(effects: &[BlockEffects]) -> impl Iterator<Item = &Hash256> {
    effects.iter().flat_map(|block| {
        block
            .transactions
            .iter()
            .map(|transaction| &transaction.txid)
    })
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
    db::chain::begin(conn, &network, genesis).await?;
    Ok(db::chain::move_tip(conn, genesis, to).await?)
}

async fn write(conn: &mut PgConnection, effects: &[BlockEffects], to: Tip) -> sqlx::Result<()> {
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
    db::fluxnodes::write(conn, &lists).await?;
    let payments: Vec<&PaymentRecord> = payments.into_values().collect();
    db::payments::write(conn, &payments).await?;
    keep_undo(conn, effects, to.height).await
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
