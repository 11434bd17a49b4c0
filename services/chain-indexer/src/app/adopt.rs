//! Trims a database from before there were modes to one of mode plane.
//!
//! Such a database keeps every transaction and does not know which watched outputs are spent. Both are set right from the
//! transactions it has, block by block from the first; a kill in between costs nothing, because what was done is done again to the
//! same end.

use fluxplane_flux_chain::Transaction;
use fluxplane_platform::db::begin;

use super::{Context, Error, fence};
use crate::{
    db::{self, spends::SpendAt},
    domain::{
        IndexMode,
        ledger::{flows::Spend, keep},
    },
};

/// Blocks to a transaction.
const STEP: u32 = 500;

/// Trims the database if it needs that.
pub async fn adopt(ctx: &Context, token: i64) -> Result<(), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let stored = db::chain::get(&mut conn).await?;
    drop(conn);
    let Some(stored) = stored.filter(|stored| stored.mode.is_none()) else {
        return Ok(());
    };
    tracing::info!(
        height = stored.tip.height,
        "trimming a database from before the modes of the index to mode plane"
    );
    let mut from = 0;
    while from <= stored.tip.height {
        let to = stored.tip.height.min(from.saturating_add(STEP - 1));
        trim(ctx, token, from, to).await?;
        from = to.saturating_add(1);
    }
    let mut tx = begin(&ctx.pool).await?;
    fence(&mut tx, token).await?;
    db::chain::set_mode(&mut tx, IndexMode::Plane).await?;
    Ok(tx.commit().await?)
}

async fn trim(ctx: &Context, token: i64, from: u32, to: u32) -> Result<(), Error> {
    let mut tx = begin(&ctx.pool).await?;
    fence(&mut tx, token).await?;
    let mut spends: Vec<(u32, Spend)> = Vec::new();
    let mut superfluous = Vec::new();
    for stored in db::blocks::transactions_in(&mut tx, from..=to).await? {
        // Every stored transaction was parsed before it was stored.
        let Ok(transaction) = Transaction::parse(&stored.raw) else {
            continue;
        };
        if !transaction.is_coinbase() {
            let inputs = (0..).zip(transaction.inputs());
            spends.extend(inputs.map(|(vin, input)| {
                let spend = Spend {
                    previous: input.previous,
                    txid: stored.txid,
                    position: stored.position,
                    vin,
                };
                (stored.height, spend)
            }));
        }
        if !keep::carries_data(&transaction) {
            superfluous.push((stored.height, stored.position));
        }
    }
    let spends: Vec<SpendAt<'_>> = spends
        .iter()
        .map(|(height, spend)| SpendAt {
            height: *height,
            spend,
        })
        .collect();
    db::spends::insert(&mut tx, &spends).await?;
    db::blocks::forget_transactions(&mut tx, &superfluous).await?;
    Ok(tx.commit().await?)
}
