//! Money for a revision arrived, suffices, or never will.
//!
//! One consumer takes all three events, so that a payment is seen in the timeline before the revision is funded by it.

use fluxplane_core::Sat;
use fluxplane_platform::{
    bus::{Handler, HandlerError},
    reconciler::Nudge,
};
use fluxplane_proto::{
    Event as _,
    billing::v1::{PaymentProgress, RevisionFunded, RevisionRefused},
};
use sqlx::PgConnection;

use super::read::{decode, id, time};
use crate::app::{Context, money};

/// Acts on what billing decided.
#[derive(Debug)]
pub struct OnBilling {
    pub ctx: Context,
    pub nudge: Nudge,
}

impl Handler for OnBilling {
    const CONSUMER: &'static str = "scheduler-money";
    const PRODUCER: &'static str = "billing";
    const SUBJECT: &'static str = "fluxplane.billing.v1.>";

    async fn apply(
        &self,
        conn: &mut PgConnection,
        subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let result = match subject {
            RevisionFunded::SUBJECT => {
                let event: RevisionFunded = decode(payload)?;
                let funded = money::Funded {
                    revision: id("revision_id", &event.revision_id)?,
                    amount: Sat::new(event.amount_sat),
                    funded_at: time("funded_at", event.funded_at)?,
                    paid_until: time("paid_until", event.paid_until)?,
                    txid: event.txid,
                    height: event.height,
                    received: Sat::new(event.received_sat),
                };
                money::funded(conn, &self.ctx, &funded).await
            }
            RevisionRefused::SUBJECT => {
                let event: RevisionRefused = decode(payload)?;
                let refused = money::Refused {
                    revision: id("revision_id", &event.revision_id)?,
                    code: event.code,
                    message: event.message,
                };
                money::refused(conn, &self.ctx, &refused).await
            }
            PaymentProgress::SUBJECT => {
                let event: PaymentProgress = decode(payload)?;
                let progress = money::Progress {
                    revision: id("revision_id", &event.revision_id)?,
                    txid: event.txid,
                    received: Sat::new(event.received_sat),
                    due: Sat::new(event.due_sat),
                    confirmations: event.confirmations,
                    message: event.message,
                };
                money::progress(conn, &self.ctx, &progress).await
            }
            // Epochs are the validator's matter.
            _ => Ok(()),
        };
        result.map_err(HandlerError::retry)
    }

    fn applied(&self) {
        self.nudge.nudge();
    }
}
