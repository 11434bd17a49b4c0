//! Writes down for everyone how following goes.

use fluxplane_platform::db::begin;

use super::{Context, Error, Lead};
use crate::evm::db;

/// The node answered; `problem` says what is odd all the same.
pub async fn seen(ctx: &Context, id: i32, height: u64, problem: &str) -> Result<(), Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::nodes::seen(&mut conn, id, height, ctx.clock.now(), problem).await?)
}

/// The node gave no answer that can be used.
pub async fn failed(ctx: &Context, id: i32, problem: &str) -> Result<(), Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::nodes::failed(&mut conn, id, problem).await?)
}

/// Following stopped for a person, or goes on when `reason` is empty.
pub async fn halted(lead: &Lead, id: i32, reason: &str) -> Result<(), Error> {
    let mut tx = begin(&lead.ctx.pool).await?;
    lead.fence(&mut tx).await?;
    db::assets::set_halted(&mut tx, id, reason).await?;
    Ok(tx.commit().await?)
}
