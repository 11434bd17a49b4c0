//! Writes down for everyone how following goes.

use fluxplane_platform::db::begin;

use super::{Context, Error, fence};
use crate::{
    db,
    domain::{Tip, agreement::SourceReport},
};

/// What the daemons said at a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The block that enough of them have, or why there is none.
    pub agreed: Result<Tip, String>,
    /// So many are enough.
    pub needed: usize,
    pub sources: Vec<SourceReport>,
}

/// Writes down what the daemons said.
pub async fn looked(ctx: &Context, look: &Look) -> Result<(), Error> {
    let mut tx = begin(&ctx.pool).await?;
    let now = ctx.clock.now();
    match &look.agreed {
        Ok(block) => db::daemon::agreed(&mut tx, *block, look.needed, now).await?,
        Err(problem) => db::daemon::disagreed(&mut tx, look.needed, problem).await?,
    }
    db::daemon::set(&mut tx, &look.sources, now).await?;
    Ok(tx.commit().await?)
}

/// Following stopped for a person, or goes on when `reason` is empty.
pub async fn halted(ctx: &Context, token: i64, reason: &str) -> Result<(), Error> {
    let mut tx = begin(&ctx.pool).await?;
    fence(&mut tx, token).await?;
    db::chain::set_halted(&mut tx, reason).await?;
    Ok(tx.commit().await?)
}
