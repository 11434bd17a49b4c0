//! What billing decided about the money for a revision. Each runs in the transaction of the event's consumer.

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, id::RevisionId};
use sqlx::PgConnection;

use super::{Context, Error, cancel_app::end};
use crate::{
    db::{self, apps::Attention},
    domain::{App, AppState, Entry, Revision, Stage},
};

/// A revision is paid.
#[derive(Debug)]
pub struct Funded {
    pub revision: RevisionId,
    pub amount: Sat,
    pub funded_at: DateTime<Utc>,
    /// End of the term that was paid.
    pub paid_until: DateTime<Utc>,
    /// The payment that completed it; empty without one.
    pub txid: String,
    /// Its block, or the last one.
    pub height: u32,
    /// What the chain brought in for it.
    pub received: Sat,
}

/// A revision will never be paid.
#[derive(Debug)]
pub struct Refused {
    pub revision: RevisionId,
    pub code: String,
    pub message: String,
}

/// Money was seen that does not suffice or does not count yet.
#[derive(Debug)]
pub struct Progress {
    pub revision: RevisionId,
    pub txid: String,
    pub received: Sat,
    pub due: Sat,
    pub confirmations: u32,
    pub message: String,
}

/// Makes a funded revision the one that instances run or move to.
pub async fn funded(conn: &mut PgConnection, ctx: &Context, event: &Funded) -> Result<(), Error> {
    let Some((mut app, mut revision)) = waiting(conn, event.revision).await? else {
        return Ok(());
    };
    let (now, before) = (ctx.clock.now(), app.clone());
    revision.funded_at = Some(event.funded_at);
    db::revisions::save(conn, &revision, Some(event.paid_until)).await?;
    db::revisions::keep_payment(conn, revision.id, &event.txid, event.height, event.received)
        .await?;
    if app.state == AppState::AwaitingPayment {
        app.state = AppState::Deploying;
    } else {
        app.pending = None;
    }
    app.state_reason.clear();
    app.current = revision.number;
    app.owner.clone_from(&revision.owner);
    app.expires_at = Some(event.paid_until);
    app.count_change(&before, true);
    db::apps::save(conn, &app, Attention::Now(now)).await?;
    let message = format!(
        "paid {} FLUX; the term ends {}",
        event.amount,
        event.paid_until.format("%Y-%m-%d %H:%M UTC")
    );
    let entry = Entry::app(Stage::Funded, revision.number, message);
    db::timeline::append(conn, now, &[(app.id, entry)]).await?;
    Ok(())
}

/// Gives a revision up. A first revision ends its application, and the name is free again.
pub async fn refused(conn: &mut PgConnection, ctx: &Context, event: &Refused) -> Result<(), Error> {
    let Some((mut app, mut revision)) = waiting(conn, event.revision).await? else {
        return Ok(());
    };
    let now = ctx.clock.now();
    let message = format!("{} ({})", event.message, event.code);
    let entry = Entry::app(Stage::PaymentRefused, revision.number, &message);
    if app.state == AppState::AwaitingPayment {
        return end(conn, ctx, &mut app, AppState::Expired, &message, entry).await;
    }
    let before = app.clone();
    revision.dropped_at = Some(now);
    db::revisions::save(conn, &revision, None).await?;
    app.pending = None;
    app.count_change(&before, true);
    db::apps::save(conn, &app, Attention::Now(now)).await?;
    db::timeline::append(conn, now, &[(app.id, entry)]).await?;
    Ok(())
}

/// Tells the owner how the payment stands.
pub async fn progress(
    conn: &mut PgConnection,
    ctx: &Context,
    event: &Progress,
) -> Result<(), Error> {
    let Some((mut app, mut revision)) = waiting(conn, event.revision).await? else {
        return Ok(());
    };
    let (now, before) = (ctx.clock.now(), app.clone());
    if event.received >= event.due && revision.payment_seen_at.is_none() {
        revision.payment_seen_at = Some(now);
        db::revisions::save(conn, &revision, None).await?;
    }
    let facts = format!(
        "{} of {} FLUX in transaction {}, {} confirmations",
        event.received, event.due, event.txid, event.confirmations
    );
    let message = if event.message.is_empty() {
        facts
    } else {
        format!("{} ({facts})", event.message)
    };
    if app.state == AppState::AwaitingPayment {
        app.state_reason.clone_from(&message);
    }
    app.count_change(&before, false);
    // A later deadline may hold now.
    db::apps::save(conn, &app, Attention::Now(now)).await?;
    let stage = if event.confirmations == 0 {
        Stage::PaymentSeen
    } else {
        Stage::PaymentConfirmed
    };
    let entry = Entry::app(stage, revision.number, message);
    db::timeline::append(conn, now, &[(app.id, entry)]).await?;
    Ok(())
}

/// A revision that waits for its payment, and its application, locked. `None` when it waits no more: billing returns what
/// came too late.
async fn waiting(
    conn: &mut PgConnection,
    id: RevisionId,
) -> Result<Option<(App, Revision)>, Error> {
    let Some((app, _)) = db::revisions::by_id(conn, id).await? else {
        tracing::warn!(revision.id = %id, "money for a revision that was never submitted here");
        return Ok(None);
    };
    let Some(app) = db::apps::lock(conn, app).await? else {
        return Ok(None);
    };
    // Read again, now that it cannot change.
    let Some((_, revision)) = db::revisions::by_id(conn, id).await? else {
        return Ok(None);
    };
    if app.state.has_ended() || !revision.awaits_payment() {
        tracing::info!(app.id = %app.id, revision.id = %id, "money for a revision that waits no more");
        return Ok(None);
    }
    Ok(Some((app, revision)))
}
