//! An owner wants an application.

use fluxplane_app_spec::legacy::rules_height;
use fluxplane_core::{Funding, id::AppId};
use fluxplane_platform::{
    db::{idempotency, outbox},
    propagation,
};
use sqlx::PgConnection;

use super::{Context, Error, delta, queries::restore_specs, secrets};
use crate::{
    db::{self, revisions::SealedParts},
    domain::{
        App, AppState, Entry, Refusal, Revision, Stage,
        app::{Details, Published},
        submission::{self, Circumstances, SignedSpec, Submission},
    },
    events::announce,
};

#[derive(Debug)]
pub struct SubmitApp {
    /// Wallet that signed in.
    pub principal: String,
    pub signed: SignedSpec,
    /// Opaque here; billing knows it.
    pub quote_id: String,
    pub funding: Funding,
    /// Everybody may read its messages and where it runs.
    pub published: bool,
}

/// Takes a signed specification and reserves its name until it is paid, or its time is over.
pub async fn submit_app(
    ctx: &Context,
    idempotency: &idempotency::Request,
    command: SubmitApp,
) -> Result<Details, Error> {
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let mut details = idempotency::once(&mut tx, idempotency, async |conn| {
        let now = ctx.clock.now();
        let height = rules_height(db::chain::height(conn).await?);
        let submission = submission::register(
            &command.signed,
            &Circumstances {
                principal: &command.principal,
                height,
                now_ms: u64::try_from(now.timestamp_millis()).unwrap_or(0),
            },
        )?;
        if submission.native && command.published {
            return Err(Refusal::not_publishable(&submission.name).into());
        }
        let limit = ctx.limits.unpaid_per_owner;
        if db::apps::count_unpaid(conn, &submission.owner).await? >= i64::from(limit) {
            return Err(Refusal::too_many_unpaid(&submission.owner, limit).into());
        }
        db::reservations::lock_name(conn, &submission.name).await?;
        let (name, owner) = (&submission.name, &submission.owner);
        if let Some(until) = db::reservations::held_by_another(conn, name, owner, now).await? {
            return Err(Refusal::name_reserved(name, until).into());
        }
        let uses = secrets::resolve(conn, &submission.owner, &submission.workload).await?;
        let (app, published) = first_revision(ctx, &submission, &command);
        if !db::apps::insert(conn, &app, command.published, published.revision.pay_until).await? {
            return Err(Refusal::name_taken(&submission.name).into());
        }
        db::reservations::remove(conn, &submission.name).await?;
        db::kept_rooms::attach(conn, &submission.name, &submission.owner, app.id, now).await?;
        let signed = &command.signed;
        if !store(ctx, conn, app.id, &published, &submission, signed).await? {
            return Err(Refusal::message_used(signed.timestamp_ms).into());
        }
        let id = published.revision.id;
        db::secrets::note_uses(conn, id, &submission.owner, &uses).await?;
        let message = accepted(&submission, &published.revision);
        let entry = Entry::app(Stage::Accepted, 1, message);
        db::timeline::append(conn, now, &[(app.id, entry)]).await?;
        let spec = &published.spec_json;
        let event = announce::revision_submitted(ctx.ids.as_ref(), &app, &published.revision, spec);
        outbox::append(conn, &event).await?;
        Ok::<_, Error>(Details {
            app,
            current: published,
            pending: None,
        })
    })
    .await?;
    restore_specs(ctx, &mut tx, &mut details).await?;
    tx.commit().await.map_err(Error::Commit)?;
    tracing::info!(app.id = %details.app.id, app.name = details.app.name, "application submitted");
    Ok(details)
}

/// Stores a revision, what is private of it sealed. Returns whether its signed message is new.
pub(super) async fn store(
    ctx: &Context,
    conn: &mut PgConnection,
    app: AppId,
    published: &Published,
    submission: &Submission,
    signed: &SignedSpec,
) -> Result<bool, Error> {
    let revision = &published.revision;
    let key = ctx
        .vault
        .key(conn, &revision.owner, ctx.ids.as_ref(), ctx.clock.as_ref())
        .await?;
    let mut workload = submission.workload.clone();
    let environments = workload.take_environments();
    let sealed = ctx.vault.seal_revision(
        &key,
        &revision.owner,
        revision.id,
        &published.spec_json,
        &environments,
    )?;
    let parts = SealedParts {
        spec: &sealed.spec,
        environments: sealed.environments.as_deref(),
    };
    Ok(db::revisions::insert(conn, app, revision, parts, &workload, signed).await?)
}

fn first_revision(ctx: &Context, submission: &Submission, command: &SubmitApp) -> (App, Published) {
    let now = ctx.clock.now();
    let app = App {
        id: ctx.ids.next().into(),
        name: submission.name.clone(),
        owner: submission.owner.clone(),
        state: AppState::AwaitingPayment,
        state_reason: String::new(),
        current: 1,
        pending: None,
        healthy: 0,
        created_at: now,
        expires_at: None,
        ended_at: None,
        version: 1,
        intent_version: 1,
        secrets: 0,
    };
    let (quote_id, funding) = (command.quote_id.clone(), command.funding);
    let published = revision(ctx, submission, 1, 1, quote_id, funding);
    (app, published)
}

/// A revision as it is submitted.
pub(super) fn revision(
    ctx: &Context,
    submission: &Submission,
    number: u32,
    rollout: u32,
    quote_id: String,
    funding: Funding,
) -> Published {
    let now = ctx.clock.now();
    Published {
        revision: Revision {
            id: ctx.ids.next().into(),
            number,
            rollout,
            instances: submission.workload.instances,
            owner: submission.owner.clone(),
            message_hash: submission.message_hash.clone(),
            quote_id,
            funding,
            traceparent: propagation::current_traceparent(),
            submitted_at: now,
            pay_until: now + delta(ctx.limits.pay_within),
            payment_seen_at: None,
            funded_at: None,
            dropped_at: None,
            started_at: None,
            placed_at: None,
            proven_at: None,
            finished_at: None,
            failure: None,
        },
        spec_json: submission.canonical.clone(),
    }
}

/// What an owner should know about a submission that was taken.
pub(super) fn accepted(submission: &Submission, revision: &Revision) -> String {
    let money = match revision.funding {
        Funding::ChainPayment => format!(
            "pay with {} in the OP_RETURN until {}",
            revision.message_hash,
            revision.pay_until.format("%Y-%m-%d %H:%M UTC")
        ),
        Funding::Balance => "its price is taken from your balance".to_owned(),
    };
    let sync = if submission.wants_sync {
        "; folders marked r, g or s are kept by each instance for itself, they are not synced"
    } else {
        ""
    };
    format!("the signed specification is taken; {money}{sync}")
}
