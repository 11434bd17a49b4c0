//! Questions about money: who has what, where it came from, how much there is. Answers see one moment of the database.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{OutPoint, ScriptBuf, emission};
use fluxplane_platform::db::{begin_snapshot, paging::Page};
use sqlx::PgConnection;

use super::{Context, Error, load::check_network};
use crate::{
    db::{
        self,
        blocks::Stored,
        ledger::{
            accounts::{Entry, EntryKey, RichKey, Summary},
            outputs::{OutputKey, ShownOutput, Unspent},
        },
    },
    domain::{IndexMode, ledger::settle::SupplyRow},
};

/// An owner of outputs: a script, and how the question named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub script: ScriptBuf,
    pub name: String,
}

/// An answer and the last block it takes into account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsOf<T> {
    pub height: u32,
    pub answer: T,
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    pub rows: Vec<T>,
    pub next_cursor: String,
}

/// How much there is after a block, and how much the schedule had issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedSupply {
    pub block: Stored,
    pub counted: SupplyRow,
    pub scheduled: Sat,
}

/// What an owner has.
pub async fn address(ctx: &Context, owner: &Owner) -> Result<AsOf<Summary>, Error> {
    needs_full(ctx, "a balance")?;
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let height = tip(ctx, &mut tx).await?;
    let summary = db::ledger::accounts::summary(&mut tx, &owner.script).await?;
    let answer = summary.ok_or_else(|| Error::NoAccount(owner.name.clone()))?;
    Ok(AsOf { height, answer })
}

/// Transactions of an owner, newest first.
pub async fn transactions(
    ctx: &Context,
    owner: &Owner,
    page: &Page<EntryKey>,
) -> Result<AsOf<Part<Entry>>, Error> {
    needs_full(ctx, "the history of an address")?;
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let height = tip(ctx, &mut tx).await?;
    let mut rows = match db::ledger::accounts::number(&mut tx, &owner.script).await? {
        Some(account) => db::ledger::accounts::entries(&mut tx, account, page).await?,
        None => Vec::new(),
    };
    let next_cursor = page.cut(&mut rows, |entry| entry.key);
    let answer = Part { rows, next_cursor };
    Ok(AsOf { height, answer })
}

/// What an owner can spend, oldest first.
pub async fn unspent(
    ctx: &Context,
    owner: &Owner,
    page: &Page<OutputKey>,
) -> Result<AsOf<Part<Unspent>>, Error> {
    needs_full(ctx, "the unspent outputs of an address")?;
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let height = tip(ctx, &mut tx).await?;
    let mut rows = match db::ledger::accounts::number(&mut tx, &owner.script).await? {
        Some(account) => db::ledger::outputs::unspent(&mut tx, account, page).await?,
        None => Vec::new(),
    };
    let next_cursor = page.cut(&mut rows, |output| output.key);
    let answer = Part { rows, next_cursor };
    Ok(AsOf { height, answer })
}

/// An output and what spends it. An index in mode plane knows collateral outputs and those of payments.
pub async fn output(ctx: &Context, outpoint: OutPoint) -> Result<AsOf<ShownOutput>, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let height = tip(ctx, &mut tx).await?;
    let answer = match ctx.rules.mode {
        IndexMode::Full => {
            let found = db::ledger::outputs::get(&mut tx, outpoint).await?;
            found.ok_or(Error::NoOutput(outpoint))?
        }
        IndexMode::Plane => {
            let found = db::spends::watched(&mut tx, outpoint).await?;
            found.ok_or(Error::NotWatched(outpoint))?
        }
    };
    Ok(AsOf { height, answer })
}

/// Owners by balance, richest first.
pub async fn rich(
    ctx: &Context,
    page: &Page<RichKey>,
) -> Result<AsOf<Part<(RichKey, Summary)>>, Error> {
    needs_full(ctx, "the list of balances")?;
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let height = tip(ctx, &mut tx).await?;
    let mut rows = db::ledger::accounts::rich(&mut tx, page).await?;
    let next_cursor = page.cut(&mut rows, |(key, _)| *key);
    let answer = Part { rows, next_cursor };
    Ok(AsOf { height, answer })
}

/// How much there is after the block at `height`, or after the last one.
pub async fn supply(ctx: &Context, height: Option<u32>) -> Result<ObservedSupply, Error> {
    needs_full(ctx, "the observed supply")?;
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let last = tip(ctx, &mut tx).await?;
    let height = height.unwrap_or(last);
    let block = db::blocks::at_height(&mut tx, height).await?;
    let block = block.ok_or_else(|| Error::NoBlock(height.to_string()))?;
    let counted = db::ledger::supply::get(&mut tx, height).await?;
    Ok(ObservedSupply {
        block,
        counted: counted.ok_or(Error::NoSupply(height))?,
        scheduled: emission::supply(&ctx.rules.params, height),
    })
}

fn needs_full(ctx: &Context, what: &'static str) -> Result<(), Error> {
    match ctx.rules.mode {
        IndexMode::Full => Ok(()),
        IndexMode::Plane => Err(Error::NeedsFull { what }),
    }
}

/// The height of the last block, 0 before the first.
async fn tip(ctx: &Context, conn: &mut PgConnection) -> Result<u32, Error> {
    let Some(stored) = db::chain::get(conn).await? else {
        return Ok(0);
    };
    check_network(ctx, &stored)?;
    Ok(stored.tip.height)
}
