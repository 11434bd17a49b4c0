//! Announcements of billing, appended to the outbox in the caller's transaction.

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use fluxplane_platform::db::outbox::{self, NewEvent};
use fluxplane_proto::{
    Event,
    billing::v1::{EpochClosed, PaymentProgress, RevisionFunded, RevisionRefused},
};
use sqlx::PgConnection;

use crate::{
    app::Context,
    domain::{
        app::{Refusal, Revision},
        payment::{PaidBy, Payment},
        settlement::{Frame, Settlement},
    },
    grpc::convert::timestamp,
};

/// For the application's timeline.
pub async fn payment_progress(
    conn: &mut PgConnection,
    ctx: &Context,
    revision: &Revision,
    payment: &Payment,
    received: Sat,
    due: Sat,
    message: &str,
) -> sqlx::Result<()> {
    let event = PaymentProgress {
        app_id: revision.app.to_string(),
        revision_id: revision.id.to_string(),
        txid: payment.txid.clone(),
        received_sat: received.get(),
        due_sat: due.get(),
        confirmations: u32::try_from(payment.confirmations).unwrap_or(u32::MAX),
        message: message.to_owned(),
    };
    append(conn, ctx, &event).await
}

pub async fn revision_funded(
    conn: &mut PgConnection,
    ctx: &Context,
    revision: &Revision,
    amount: Sat,
    paid_by: &PaidBy,
    funded_at: DateTime<Utc>,
    paid_until: DateTime<Utc>,
) -> sqlx::Result<()> {
    let event = RevisionFunded {
        app_id: revision.app.to_string(),
        revision_id: revision.id.to_string(),
        quote_id: revision.quote.to_string(),
        amount_sat: amount.get(),
        funded_at: Some(timestamp(funded_at)),
        paid_until: Some(timestamp(paid_until)),
        txid: paid_by.txid.clone(),
        height: u32::try_from(paid_by.height).unwrap_or(u32::MAX),
        received_sat: paid_by.received.get(),
    };
    append(conn, ctx, &event).await
}

pub async fn revision_refused(
    conn: &mut PgConnection,
    ctx: &Context,
    revision: &Revision,
    refusal: &Refusal,
) -> sqlx::Result<()> {
    let event = RevisionRefused {
        app_id: revision.app.to_string(),
        revision_id: revision.id.to_string(),
        code: refusal.reason.code().to_owned(),
        message: refusal.message.clone(),
    };
    append(conn, ctx, &event).await
}

/// For the validator.
pub async fn epoch_closed(
    conn: &mut PgConnection,
    ctx: &Context,
    frame: Frame,
    settlement: &Settlement,
    closed_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let event = EpochClosed {
        epoch: frame.number.0,
        root: settlement.anchor.root.0.to_vec(),
        previous_root: frame.previous_root.0.to_vec(),
        leaf_count: settlement.anchor.count.into(),
        closed_at: Some(timestamp(closed_at)),
    };
    append(conn, ctx, &event).await
}

async fn append<E: Event>(conn: &mut PgConnection, ctx: &Context, event: &E) -> sqlx::Result<()> {
    outbox::append(conn, &NewEvent::new(ctx.ids.next(), E::SUBJECT, event)).await
}
