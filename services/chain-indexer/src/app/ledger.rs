//! Stores what blocks do with money, and takes it back. Part of the transactions of `connect` and `disconnect`.

use sqlx::PgConnection;

use super::Error;
use crate::{
    db::{self, spends::SpendAt},
    domain::{
        BlockEffects, IndexMode,
        ledger::settle::{self, Known, Supply, Unsettled},
    },
};

/// Stores what blocks did, after their rows, their collateral outputs and their payments.
pub(super) async fn write(
    conn: &mut PgConnection,
    mode: IndexMode,
    effects: &[BlockEffects],
) -> Result<(), Error> {
    match mode {
        IndexMode::Plane => Ok(watched(conn, effects).await?),
        IndexMode::Full => everything(conn, effects).await,
    }
}

/// Takes back what the block at the tip did.
pub(super) async fn undo(
    conn: &mut PgConnection,
    mode: IndexMode,
    height: u32,
) -> Result<(), Error> {
    match mode {
        IndexMode::Plane => db::spends::delete_of_block(conn, height).await?,
        IndexMode::Full => db::ledger::undo::block(conn, height).await?,
    }
    Ok(())
}

/// Of an index in mode plane: which watched outputs are spent.
async fn watched(conn: &mut PgConnection, effects: &[BlockEffects]) -> sqlx::Result<()> {
    let spends: Vec<SpendAt<'_>> = effects
        .iter()
        .flat_map(|block| {
            let height = block.block.height;
            let spends = block.flows.spends.iter();
            spends.map(move |spend| SpendAt { height, spend })
        })
        .collect();
    db::spends::insert(conn, &spends).await
}

/// Of an index in mode full: all there is.
async fn everything(conn: &mut PgConnection, effects: &[BlockEffects]) -> Result<(), Error> {
    let blocks: Vec<Unsettled<'_>> = effects
        .iter()
        .map(|block| Unsettled {
            height: block.block.height,
            flows: &block.flows,
        })
        .collect();
    let Some(first) = blocks.first() else {
        return Ok(());
    };
    let known = Known {
        outputs: db::ledger::outputs::find(conn, &settle::foreign(&blocks)).await?,
        accounts: db::ledger::accounts::find(conn, &settle::scripts(&blocks)).await?,
        last_account: db::ledger::accounts::last(conn).await?,
        supply: supply_before(conn, first.height).await?,
    };
    let settled = settle::settle(&blocks, &known)?;
    Ok(db::ledger::write(conn, &settled, known.last_account).await?)
}

async fn supply_before(conn: &mut PgConnection, height: u32) -> Result<Supply, Error> {
    let Some(before) = height.checked_sub(1) else {
        return Ok(Supply::default());
    };
    let row = db::ledger::supply::get(conn, before).await?;
    let row = row.ok_or(Error::NoSupply(before))?;
    Ok(row.after)
}
