//! An owner wants an application to be different.

use fluxplane_app_spec::legacy::rules_height;
use fluxplane_core::{Funding, id::AppId};
use fluxplane_platform::db::{idempotency, outbox};
use sqlx::PgConnection;

use super::{
    Context, Error,
    queries::{details_of, restore_specs},
    secrets,
    submit_app::{accepted, revision, store},
};
use crate::{
    db::{self, apps::Attention},
    domain::{
        App, AppState, Entry, Refusal, Stage,
        app::Details,
        submission::{self, Circumstances, Previous, SignedSpec, is_delegate},
    },
    events::announce,
};

#[derive(Debug)]
pub struct UpdateApp {
    /// Wallet that signed in.
    pub principal: String,
    pub name: String,
    pub expected_version: u64,
    pub signed: SignedSpec,
    /// Opaque here; billing knows it.
    pub quote_id: String,
    pub funding: Funding,
}

/// Adds a revision that takes effect once it is funded.
pub async fn update_app(
    ctx: &Context,
    idempotency: &idempotency::Request,
    command: UpdateApp,
) -> Result<Details, Error> {
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let mut details = idempotency::once(&mut tx, idempotency, async |conn| {
        let now = ctx.clock.now();
        let height = rules_height(db::chain::height(conn).await?);
        let delegate = is_delegate(&command.principal, height);
        let owner = (!delegate).then_some(command.principal.as_str());
        let mut app = lock_living(conn, &command.name, owner, command.expected_version).await?;
        if let Some(number) = waiting(&app) {
            return Err(Refusal::revision_pending(number).into());
        }
        let current = db::revisions::by_number(conn, app.id, app.current).await?;
        let current = ctx
            .vault
            .publish(conn, current.into_iter().collect())
            .await?
            .pop()
            .ok_or_else(|| Refusal::no_app(&command.name))?;
        let update = submission::update(
            &command.signed,
            &Previous {
                name: &app.name,
                owner: &app.owner,
                spec_json: &current.spec_json,
            },
            &Circumstances {
                principal: &command.principal,
                height,
                now_ms: u64::try_from(now.timestamp_millis()).unwrap_or(0),
            },
        )?;
        let number = db::revisions::next_number(conn, app.id).await?;
        let rollout = if update.restarts {
            number
        } else {
            current.revision.rollout
        };
        let submission = update.submission;
        let uses = secrets::resolve(conn, &submission.owner, &submission.workload).await?;
        let (quote_id, funding) = (command.quote_id.clone(), command.funding);
        let published = revision(ctx, &submission, number, rollout, quote_id, funding);
        let signed = &command.signed;
        if !store(ctx, conn, app.id, &published, &submission, signed).await? {
            return Err(Refusal::message_used(signed.timestamp_ms).into());
        }
        let id = published.revision.id;
        db::secrets::note_uses(conn, id, &submission.owner, &uses).await?;
        let before = app.clone();
        app.pending = Some(number);
        app.count_change(&before, true);
        db::apps::save(conn, &app, Attention::Now(now)).await?;
        let message = accepted(&submission, &published.revision);
        let entry = Entry::app(Stage::UpdateSubmitted, number, message);
        db::timeline::append(conn, now, &[(app.id, entry)]).await?;
        let spec = &published.spec_json;
        let event = announce::revision_submitted(ctx.ids.as_ref(), &app, &published.revision, spec);
        outbox::append(conn, &event).await?;
        details_of(ctx, conn, app).await
    })
    .await?;
    restore_specs(ctx, &mut tx, &mut details).await?;
    tx.commit().await.map_err(Error::Commit)?;
    tracing::info!(app.id = %details.app.id, app.name = details.app.name, "update submitted");
    Ok(details)
}

/// The revision that waits for its payment, if any.
fn waiting(app: &App) -> Option<u32> {
    match app.state {
        AppState::AwaitingPayment => Some(app.current),
        AppState::Deploying
        | AppState::Running
        | AppState::Degraded
        | AppState::Cancelled
        | AppState::Expired => app.pending,
    }
}

/// Finds and locks an application that has not ended and is as the caller saw it. With no owner, anybody's.
pub(super) async fn lock_living(
    conn: &mut PgConnection,
    name: &str,
    owner: Option<&str>,
    expected_version: u64,
) -> Result<App, Error> {
    let found: Option<AppId> = db::apps::by_name(conn, name, owner)
        .await?
        .map(|app| app.id);
    let app = match found {
        Some(id) => db::apps::lock(conn, id).await?,
        None => None,
    };
    let app = app.ok_or_else(|| Refusal::no_app(name))?;
    if app.state.has_ended() {
        return Err(Refusal::ended(&app.name, app.state.name()).into());
    }
    if !app.is_current(expected_version) {
        return Err(Refusal::stale(expected_version, app.version).into());
    }
    Ok(app)
}
