//! An owner does not want an application any more.

use fluxplane_platform::db::{idempotency, outbox};
use sqlx::PgConnection;

use super::{
    Context, Error,
    queries::{details_of, restore_specs},
    update_app::lock_living,
};
use crate::{
    db::{self, apps::Attention},
    domain::{App, AppState, Entry, Stage, app::Details},
    events::announce,
};

#[derive(Debug)]
pub struct CancelApp {
    /// Wallet that signed in.
    pub principal: String,
    pub name: String,
    pub expected_version: u64,
}

/// Ends an application for good. The leader stops its instances.
pub async fn cancel_app(
    ctx: &Context,
    idempotency: &idempotency::Request,
    command: CancelApp,
) -> Result<Details, Error> {
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let mut details = idempotency::once(&mut tx, idempotency, async |conn| {
        let owner = Some(command.principal.as_str());
        let mut app = lock_living(conn, &command.name, owner, command.expected_version).await?;
        let entry = Entry::app(
            Stage::Cancelled,
            app.current,
            "the application was cancelled by its owner",
        );
        let reason = "cancelled by its owner";
        end(conn, ctx, &mut app, AppState::Cancelled, reason, entry).await?;
        details_of(ctx, conn, app).await
    })
    .await?;
    restore_specs(ctx, &mut tx, &mut details).await?;
    tx.commit().await.map_err(Error::Commit)?;
    tracing::info!(app.id = %details.app.id, app.name = details.app.name, "application cancelled");
    Ok(details)
}

/// Ends a locked application, whatever the cause, and announces it.
pub(super) async fn end(
    conn: &mut PgConnection,
    ctx: &Context,
    app: &mut App,
    state: AppState,
    reason: &str,
    entry: Entry,
) -> Result<(), Error> {
    let now = ctx.clock.now();
    let before = app.clone();
    let unpaid = [Some(app.current), app.pending];
    for number in unpaid.into_iter().flatten() {
        let found = db::revisions::by_number(conn, app.id, number).await?;
        let Some(mut revision) = found.map(|stored| stored.revision) else {
            continue;
        };
        if revision.awaits_payment() {
            revision.dropped_at = Some(now);
            db::revisions::save(conn, &revision, None).await?;
        }
    }
    app.end(state, reason, now);
    app.healthy = 0;
    app.count_change(&before, true);
    db::kept_rooms::release(conn, app.id, now).await?;
    db::apps::save(conn, app, Attention::Now(now)).await?;
    db::timeline::append(conn, now, &[(app.id, entry)]).await?;
    outbox::append(conn, &announce::app_ended(ctx.ids.as_ref(), app)).await?;
    Ok(())
}
