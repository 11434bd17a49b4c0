//! Takes the published leaves of an epoch and makes its root again.

use fluxplane_ledger::settlement::Hash32;

use super::{Anchoring, Context, Error};
use crate::{
    clients::billing::RecomputeError,
    db::anchors,
    domain::{
        anchor::{Anchor, AnchorState, Announced},
        check::{Refusal, check},
    },
};

/// Remembers an epoch that billing closed.
pub async fn note_closed(
    conn: &mut sqlx::PgConnection,
    ctx: &Context,
    announced: &Announced,
) -> Result<(), Error> {
    let new = anchors::put(conn, announced, ctx.clock.now()).await?;
    if new {
        return Ok(());
    }
    let known = anchors::get(conn, announced.epoch).await?;
    if known.is_some_and(|known| known.announced != *announced) {
        ctx.metrics.announced_twice.inc();
        tracing::error!(
            epoch.number = announced.epoch, epoch.root = %announced.root,
            "billing announced an epoch again with other content; the first announcement counts"
        );
    }
    Ok(())
}

/// Asks billing for epochs whose announcement was missed.
pub async fn fill_gaps(ctx: &Context, anchoring: &Anchoring) -> Result<(), Error> {
    loop {
        let mut conn = ctx.pool.acquire().await?;
        let Some(gap) = anchors::first_gap(&mut conn).await? else {
            return Ok(());
        };
        drop(conn);
        let announced = anchoring.billing.epoch(gap).await.map_err(Error::Billing)?;
        let announced = announced.ok_or_else(|| {
            Error::Inconsistent(format!(
                "billing closed an epoch after {gap} and not {gap} itself"
            ))
        })?;
        let mut tx = ctx.begin().await?;
        note_closed(&mut tx, ctx, &announced).await?;
        tx.commit().await?;
    }
}

/// Checks one epoch; returns whether it is good. A refused one is checked again only after a while.
pub(super) async fn verify(
    ctx: &Context,
    anchoring: &Anchoring,
    anchor: Anchor,
) -> Result<bool, Error> {
    let again_at = anchor.updated_at + anchoring.recheck_refused;
    if anchor.state == AnchorState::Refused && ctx.clock.now() < again_at {
        return Ok(false);
    }
    let epoch = anchor.announced.epoch;
    let previous_root = match epoch {
        1 => Hash32::ZERO,
        number => verified_root(ctx, number - 1).await?,
    };
    let verdict = match anchoring.billing.recompute(epoch).await {
        Ok((header, commitment)) => check(&anchor.announced, previous_root, &header, &commitment),
        Err(RecomputeError::Refused(refusal)) => Err(refusal),
        Err(RecomputeError::Remote(remote)) => return Err(Error::Billing(remote)),
    };
    let next = judged(ctx, &anchor, &verdict);
    ctx.change(anchoring.token, &anchor, next, async |_| Ok(()))
        .await?;
    Ok(verdict.is_ok())
}

fn judged(ctx: &Context, anchor: &Anchor, verdict: &Result<(), Refusal>) -> Anchor {
    let epoch = anchor.announced.epoch;
    match verdict {
        Ok(()) => {
            tracing::info!(epoch.number = epoch, epoch.root = %anchor.announced.root, "the root is right");
            Anchor {
                state: AnchorState::Verified,
                reason: String::new(),
                ..anchor.clone()
            }
        }
        Err(refusal) => {
            ctx.metrics.refusals.inc();
            tracing::error!(epoch.number = epoch, reason = %refusal, "REFUSED: nothing is anchored from here on");
            Anchor {
                state: AnchorState::Refused,
                reason: refusal.to_string(),
                ..anchor.clone()
            }
        }
    }
}

/// The root of an epoch, as this service recomputed it.
async fn verified_root(ctx: &Context, epoch: u64) -> Result<Hash32, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let anchor = anchors::get(&mut conn, epoch).await?;
    anchor.map(|anchor| anchor.announced.root).ok_or_else(|| {
        Error::Inconsistent(format!(
            "epoch {epoch} was not checked before its successor"
        ))
    })
}
