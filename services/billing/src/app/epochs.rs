//! Epochs begin, end, and are closed. Settling is in [`super::settle_epoch`].

use fluxplane_platform::db::{idempotency, lease};
use sqlx::PgConnection;

use super::{Context, Error, settle_epoch::settle_epoch};
use crate::{
    db::{self, epochs::Epoch},
    domain::epoch::{EpochState, closed_by_hand, ended_at, planned_end},
};

/// Lease of the one replica that closes epochs.
pub const LEASE: &str = "billing.epochs";

/// Makes sure that an epoch takes evidence. The first begins now.
pub async fn ensure_open(ctx: &Context) -> Result<(), Error> {
    let now = ctx.now_s();
    let mut tx = ctx.begin().await?;
    if db::epochs::get(&mut tx, 1).await?.is_none() {
        db::epochs::open(&mut tx, 1, now, planned_end(now, ctx.rules.epoch_length)).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// One look at the clock: ends the epoch whose time is over, stops evidence for those whose grace is over, and settles what
/// waits to be settled. Each step is a transaction of its own; killed between them, the next look goes on.
pub async fn advance(ctx: &Context, token: i64) -> Result<u64, Error> {
    ensure_open(ctx).await?;
    end_open(ctx, token).await?;
    let now = ctx.clock.now();
    let mut conn = ctx.pool.acquire().await?;
    let ending = db::epochs::in_state(&mut conn, EpochState::Ending).await?;
    drop(conn);
    for (number, ends_at) in ending {
        if now >= super::time(ends_at) + ctx.rules.epoch_grace {
            let mut tx = ctx.begin().await?;
            db::locks::epochs(&mut tx).await?;
            stop_evidence(&mut tx, number).await?;
            fence(&mut tx, token).await?;
            tx.commit().await?;
        }
    }
    settle_all(ctx, Some(token)).await
}

/// Settles every epoch that waits for it, the oldest first. Returns how many.
async fn settle_all(ctx: &Context, token: Option<i64>) -> Result<u64, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let closing = db::epochs::in_state(&mut conn, EpochState::Closing).await?;
    drop(conn);
    let mut settled = 0;
    for (number, _) in closing {
        settle_epoch(ctx, number, token).await?;
        settled += 1;
    }
    Ok(settled)
}

/// Ends the running epoch if its time is over, and opens the next.
async fn end_open(ctx: &Context, token: i64) -> Result<(), Error> {
    let length = ctx.rules.epoch_length;
    let mut tx = ctx.begin().await?;
    db::locks::epochs(&mut tx).await?;
    let Some(open) = db::epochs::lock_open(&mut tx).await? else {
        return Ok(());
    };
    if let Some(end) = ended_at(open.ends_at, length, ctx.now_s()) {
        end_at(&mut tx, ctx, &open, end).await?;
        fence(&mut tx, token).await?;
        tx.commit().await?;
        tracing::info!(epoch.number = open.number, "epoch ended");
    }
    Ok(())
}

async fn end_at(
    conn: &mut PgConnection,
    ctx: &Context,
    open: &Epoch,
    end: u64,
) -> Result<(), Error> {
    db::epochs::set_state(conn, open.number, EpochState::Ending, end).await?;
    let planned = planned_end(end, ctx.rules.epoch_length);
    db::epochs::open(conn, open.number + 1, end, planned).await?;
    Ok(())
}

/// From here on the epoch takes no evidence; what was meant for later goes to the next one.
async fn stop_evidence(conn: &mut PgConnection, number: u64) -> Result<(), Error> {
    let epoch = db::epochs::lock(conn, number)
        .await?
        .ok_or(Error::NoEpoch(number))?;
    if epoch.state != EpochState::Ending {
        return Ok(());
    }
    db::usage::hand_on(conn, number, epoch.ends_at, number + 1).await?;
    db::online::hand_on(conn, number, epoch.ends_at, number + 1).await?;
    db::epochs::set_state(conn, number, EpochState::Closing, epoch.ends_at).await?;
    Ok(())
}

pub(super) async fn fence(conn: &mut PgConnection, token: i64) -> Result<(), Error> {
    match lease::fence(conn, LEASE, token).await {
        Ok(()) => Ok(()),
        Err(lease::FenceError::Superseded { .. }) => Err(Error::Superseded),
        Err(lease::FenceError::Db(err)) => Err(err.into()),
    }
}

/// Ends the running epoch now, without grace, and settles it and all before it. Repeated, it answers with the same epoch.
pub async fn close_now(ctx: &Context, idempotency: &idempotency::Request) -> Result<Epoch, Error> {
    ensure_open(ctx).await?;
    let mut tx = ctx.begin().await?;
    let number: u64 = idempotency::once(&mut tx, idempotency, async |conn| {
        db::locks::epochs(conn).await?;
        // The oldest first, as those who bring evidence lock them.
        for (ending, _) in db::epochs::in_state(conn, EpochState::Ending).await? {
            stop_evidence(conn, ending).await?;
        }
        let open = db::epochs::lock_open(conn)
            .await?
            .ok_or(Error::NoOpenEpoch)?;
        let end = closed_by_hand(open.opens_at, ctx.now_s());
        end_at(conn, ctx, &open, end).await?;
        stop_evidence(conn, open.number).await?;
        Ok::<_, Error>(open.number)
    })
    .await?;
    tx.commit().await?;
    settle_all(ctx, None).await?;
    let mut conn = ctx.pool.acquire().await?;
    let closed = db::epochs::get(&mut conn, number).await?;
    closed.ok_or(Error::NoEpoch(number))
}
