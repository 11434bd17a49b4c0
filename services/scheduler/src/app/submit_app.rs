//! An owner wants an application.

use fluxplane_app_spec::legacy::rules_height;
use fluxplane_core::Funding;
use fluxplane_platform::{
    db::{idempotency, outbox},
    propagation,
};

use super::{Context, Error, delta};
use crate::{
    db,
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
    let details = idempotency::once(&mut tx, idempotency, async |conn| {
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
        let limit = ctx.limits.unpaid_per_owner;
        if db::apps::count_unpaid(conn, &submission.owner).await? >= i64::from(limit) {
            return Err(Refusal::too_many_unpaid(&submission.owner, limit).into());
        }
        db::reservations::lock_name(conn, &submission.name).await?;
        let (name, owner) = (&submission.name, &submission.owner);
        if let Some(until) = db::reservations::held_by_another(conn, name, owner, now).await? {
            return Err(Refusal::name_reserved(name, until).into());
        }
        let (app, published) = first_revision(ctx, &submission, &command);
        if !db::apps::insert(conn, &app, command.published, published.revision.pay_until).await? {
            return Err(Refusal::name_taken(&submission.name).into());
        }
        db::reservations::remove(conn, &submission.name).await?;
        if !db::revisions::insert(
            conn,
            app.id,
            &published,
            &submission.workload,
            &command.signed,
        )
        .await?
        {
            return Err(Refusal::message_used(command.signed.timestamp_ms).into());
        }
        let message = accepted(&submission, &published.revision);
        let entry = Entry::app(Stage::Accepted, 1, message);
        db::timeline::append(conn, now, &[(app.id, entry)]).await?;
        let event = announce::revision_submitted(ctx.ids.as_ref(), &app, &published.revision);
        outbox::append(conn, &event).await?;
        Ok::<_, Error>(Details {
            app,
            current: published,
            pending: None,
        })
    })
    .await?;
    tx.commit().await.map_err(Error::Commit)?;
    tracing::info!(app.id = %details.app.id, app.name = details.app.name, "application submitted");
    Ok(details)
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
