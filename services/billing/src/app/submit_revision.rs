//! The scheduler accepted a revision; it waits for its money.

use chrono::{DateTime, Utc};
use fluxplane_core::error::Reason;
use sqlx::PgConnection;

use super::{Context, Error, credit, fund, payments};
use crate::{
    db,
    domain::{
        app::{Refusal, Revision, RevisionState, check_quote},
        payment::CreditedTo,
    },
    events::announce,
};

/// A revision as announced, with its application.
#[derive(Debug, Clone)]
pub struct Submitted {
    pub app_name: String,
    pub owner: String,
    /// Of the canonical specification, lower-case hex; nothing from schedulers that did not say it yet.
    pub spec_sha256: Option<String>,
    pub revision: Revision,
}

/// Takes a revision: checks its quote, finds payments that came before it, and funds it if the money is there.
pub async fn submit_revision(
    conn: &mut PgConnection,
    ctx: &Context,
    submitted: Submitted,
) -> Result<(), Error> {
    let Submitted {
        app_name,
        owner,
        spec_sha256,
        mut revision,
    } = submitted;
    let now = ctx.clock.now();
    db::locks::message_hash(conn, &revision.message_hash).await?;
    db::locks::app(conn, revision.app).await?;
    db::apps::put(conn, revision.app, &app_name, &owner, now).await?;
    let app = db::apps::lock(conn, revision.app)
        .await?
        .ok_or_else(|| Error::Inconsistent(format!("application {} vanished", revision.app)))?;
    let namesake = db::revisions::by_hash(conn, &revision.message_hash).await?;
    if let Some(known) = namesake {
        if known.id != revision.id {
            let reason = Reason::InvalidRequest;
            let message = format!(
                "message hash {} belongs to another revision",
                revision.message_hash
            );
            announce::revision_refused(conn, ctx, &revision, &Refusal { reason, message }).await?;
        }
        return Ok(());
    }
    let quote = db::quotes::get(conn, revision.quote).await?;
    let taken = db::revisions::uses_quote(conn, revision.quote).await?;
    let spec = spec_sha256.as_deref();
    let refusal = check_quote(quote.as_ref(), &app, &revision, spec, taken).err();
    revision.state = match (&app.ended_at, &refusal) {
        (Some(_), _) => RevisionState::Ended,
        (None, Some(_)) => RevisionState::Refused,
        (None, None) => RevisionState::Awaiting,
    };
    let kept = refusal
        .as_ref()
        .filter(|_| revision.state == RevisionState::Refused);
    let text = kept.map_or("", |refusal| refusal.message.as_str());
    db::revisions::insert(conn, &revision, text).await?;
    if let Some(refusal) = kept {
        announce::revision_refused(conn, ctx, &revision, refusal).await?;
        ctx.metrics.revision("refused");
    }
    // Whatever becomes of the revision, money that came for it is its owner's.
    identify_payments(conn, ctx, &owner, &revision.message_hash, now).await?;
    if let Some(quote) = quote.filter(|_| revision.state == RevisionState::Awaiting) {
        fund::consider(conn, ctx, &app, &revision, &quote, None).await?;
    }
    for payment in db::payments::lock_of_hash(conn, &revision.message_hash).await? {
        payments::tell(conn, ctx, &payment).await?;
    }
    Ok(())
}

/// Payments that carried the hash before it was known leave suspense.
async fn identify_payments(
    conn: &mut PgConnection,
    ctx: &Context,
    owner: &str,
    message_hash: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let payments = db::payments::lock_of_hash(conn, message_hash).await?;
    for payment in &payments {
        if payment.credited_to == Some(CreditedTo::Suspense) {
            credit::identify(conn, ctx, payment, &owner.parse()?, now).await?;
        }
    }
    Ok(())
}
