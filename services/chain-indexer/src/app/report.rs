//! Writes down for everyone how following goes.

use fluxplane_platform::db::begin;

use super::{Context, Error, fence};
use crate::{db, domain::Tip};

/// The daemon that is followed. Further ones would get names of their own.
pub const DAEMON: &str = "fluxd";

/// The daemon answered.
pub async fn daemon_seen(ctx: &Context, tip: Tip) -> Result<(), Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::daemon::seen(&mut conn, DAEMON, tip, ctx.clock.now()).await?)
}

/// The daemon could not be asked.
pub async fn daemon_failed(ctx: &Context, problem: &str) -> Result<(), Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::daemon::failed(&mut conn, DAEMON, problem).await?)
}

/// Following stopped for a person, or goes on when `reason` is empty.
pub async fn halted(ctx: &Context, token: i64, reason: &str) -> Result<(), Error> {
    let mut tx = begin(&ctx.pool).await?;
    fence(&mut tx, token).await?;
    db::chain::set_halted(&mut tx, reason).await?;
    Ok(tx.commit().await?)
}
