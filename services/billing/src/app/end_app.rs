//! An application ended: what it did not use returns to who paid for it.

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, id::AppId};
use sqlx::PgConnection;

use super::{Context, Error, seconds};
use crate::{db, domain::posting};

/// Cuts the running term and gives back what lies behind its end. What lies before it waits for late evidence and returns
/// when the epoch of the end is settled.
pub async fn end_app(
    conn: &mut PgConnection,
    ctx: &Context,
    app: AppId,
    ended_at: DateTime<Utc>,
) -> Result<(), Error> {
    db::locks::app(conn, app).await?;
    db::apps::lock(conn, app).await?;
    if !db::apps::end(conn, app, ended_at).await? {
        return Ok(());
    }
    db::revisions::end_awaiting(conn, app).await?;
    let now = ctx.clock.now();
    let mut terms = db::terms::lock_of_app(conn, app).await?;
    let mut transfers = Vec::new();
    for term in &mut terms {
        let returned = term.cut(seconds(ended_at));
        if returned > Sat::ZERO {
            let owner = &term.owner;
            transfers.push(posting::unused(
                term.revision,
                "ended",
                app,
                owner,
                returned,
                now,
            ));
        }
    }
    db::ledger::post_all(conn, transfers, now).await?;
    db::terms::update(conn, &terms, None).await?;
    tracing::info!(app.id = %app, "application ended");
    Ok(())
}
