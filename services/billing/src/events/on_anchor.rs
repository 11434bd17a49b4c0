//! Anchors of closed epochs.

use anyhow::Context as _;
use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{
    Event as _,
    validator::v1::{AnchorChanged, AnchorState as Wire},
};
use prost::Message as _;
use sqlx::PgConnection;

use super::time;
use crate::{
    app::Context,
    db::{
        self,
        epochs::{AnchorState, Anchored},
    },
};

/// Remembers how deep an epoch is buried.
#[derive(Debug)]
pub struct OnAnchor {
    pub ctx: Context,
}

impl Handler for OnAnchor {
    const CONSUMER: &'static str = "billing-anchors";
    const PRODUCER: &'static str = "validator";
    const SUBJECT: &'static str = AnchorChanged::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event = AnchorChanged::decode(payload).map_err(HandlerError::poison)?;
        let anchor = event
            .anchor
            .context("anchor is missing")
            .map_err(HandlerError::poison)?;
        let state = match anchor.state() {
            Wire::Refused => AnchorState::Refused,
            Wire::Signed | Wire::Broadcast => AnchorState::Pending,
            Wire::Confirmed => AnchorState::Confirmed,
            Wire::Final => AnchorState::Final,
            Wire::Unspecified => {
                return Err(HandlerError::Poison(anyhow::anyhow!(
                    "anchor.state is missing"
                )));
            }
        };
        let epoch = db::epochs::get(conn, anchor.epoch).await?;
        let root = epoch.and_then(|epoch| epoch.root);
        if root.is_none_or(|root| root.0.as_slice() != anchor.root) {
            let err = anyhow::anyhow!("epoch {} has another root than its anchor", anchor.epoch);
            return Err(HandlerError::Poison(err));
        }
        if state == AnchorState::Refused {
            self.ctx.metrics.anchors_refused.inc();
            tracing::error!(
                epoch.number = anchor.epoch,
                reason = anchor.reason,
                "the validator refused an epoch"
            );
        }
        let anchored = Anchored {
            state,
            txid: anchor.txid,
            height: Some(u64::from(anchor.height)).filter(|height| *height > 0),
            confirmations: anchor.confirmations.into(),
            updated_at: time("anchor.updated_at", anchor.updated_at)?,
        };
        Ok(db::epochs::set_anchor(conn, anchor.epoch, &anchored).await?)
    }
}
