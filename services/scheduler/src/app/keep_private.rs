//! Upkeep of what is sealed: rows from before there were seals, keys wrapped with an older root key, what is left of
//! applications that ended.

use fluxplane_platform::db::begin;

use super::{Context, Error};
use crate::db::{self, revisions::SealedParts};

/// Rows dealt with in one transaction.
const BATCH: i64 = 100;

/// What is left to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Revisions that are not sealed.
    pub clear: i64,
    /// Keys that an older root key wrapped.
    pub to_rewrap: i64,
}

/// Seals some revisions from before. Returns how many.
pub async fn seal_clear(ctx: &Context) -> Result<usize, Error> {
    let mut tx = begin(&ctx.pool).await?;
    let clear = db::revisions::clear(&mut tx, BATCH).await?;
    let sealed_now = clear.len();
    for mut one in clear {
        let key = ctx
            .vault
            .key(&mut tx, &one.owner, ctx.ids.as_ref(), ctx.clock.as_ref())
            .await?;
        let environments = one.workload.take_environments();
        let sealed =
            ctx.vault
                .seal_revision(&key, &one.owner, one.id, &one.spec_json, &environments)?;
        let parts = SealedParts {
            spec: &sealed.spec,
            environments: sealed.environments.as_deref(),
        };
        db::revisions::seal(&mut tx, one.id, parts, &one.workload).await?;
    }
    tx.commit().await.map_err(Error::Commit)?;
    Ok(sealed_now)
}

/// Wraps some keys of owners with the root key that wraps now. Returns how many.
pub async fn rewrap(ctx: &Context) -> Result<usize, Error> {
    let mut tx = begin(&ctx.pool).await?;
    let active = ctx.vault.ring.active();
    let keys = db::keys::wrapped_by_others(&mut tx, active, BATCH).await?;
    for key in &keys {
        let wrapped = ctx.vault.rewrap(key)?;
        db::keys::rewrap(&mut tx, key.id, &wrapped, active, ctx.clock.now()).await?;
    }
    tx.commit().await.map_err(Error::Commit)?;
    Ok(keys.len())
}

/// Destroys what is private of some applications that ended long enough ago. Returns of how many.
pub async fn shred_ended(ctx: &Context) -> Result<usize, Error> {
    let now = ctx.clock.now();
    let Some(before) = now.checked_sub_signed(super::delta(ctx.limits.keep_ended)) else {
        return Ok(0);
    };
    let mut tx = begin(&ctx.pool).await?;
    let shredded = db::revisions::shred_ended(&mut tx, before, now, BATCH).await?;
    tx.commit().await.map_err(Error::Commit)?;
    Ok(shredded)
}

pub async fn left(ctx: &Context) -> Result<Left, Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(Left {
        clear: db::revisions::count_clear(&mut conn).await?,
        to_rewrap: db::keys::count_wrapped_by_others(&mut conn, ctx.vault.ring.active()).await?,
    })
}
