//! Revisions that wait for their money.

use anyhow::Context as _;
use fluxplane_core::Funding;
use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{
    Event as _,
    scheduler::v1::{Funding as Wire, RevisionSubmitted},
};
use prost::Message as _;
use sqlx::PgConnection;

use super::{id, refused, time};
use crate::{
    app::{
        Context,
        submit_revision::{Submitted, submit_revision},
    },
    domain::app::{Revision, RevisionState},
};

/// Funds revisions, or waits for their payment.
#[derive(Debug)]
pub struct OnRevision {
    pub ctx: Context,
}

impl Handler for OnRevision {
    const CONSUMER: &'static str = "billing-revisions";
    const PRODUCER: &'static str = "scheduler";
    const SUBJECT: &'static str = RevisionSubmitted::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event = RevisionSubmitted::decode(payload).map_err(HandlerError::poison)?;
        let submitted = read(event)?;
        submit_revision(conn, &self.ctx, submitted)
            .await
            .map_err(refused)
    }
}

fn read(event: RevisionSubmitted) -> Result<Submitted, HandlerError> {
    let funding = match event.funding() {
        Wire::ChainPayment => Ok(Funding::ChainPayment),
        Wire::Balance => Ok(Funding::Balance),
        Wire::Unspecified => Err(anyhow::anyhow!("funding is missing")),
    };
    let hash = Some(&event.message_hash).filter(|hash| !hash.is_empty());
    hash.context("message_hash is missing")
        .map_err(HandlerError::poison)?;
    Ok(Submitted {
        revision: Revision {
            id: id("revision_id", &event.revision_id)?,
            app: id("app_id", &event.app_id)?,
            number: event.revision_number,
            message_hash: event.message_hash,
            quote: id("quote_id", &event.quote_id)?,
            funding: funding.map_err(HandlerError::poison)?,
            state: RevisionState::Awaiting,
            submitted_at: time("submitted_at", event.submitted_at)?,
            pay_until: time("pay_until", event.pay_until)?,
        },
        spec_sha256: Some(event.spec_sha256).filter(|hash| !hash.is_empty()),
        app_name: event.app_name,
        owner: event.owner,
    })
}
