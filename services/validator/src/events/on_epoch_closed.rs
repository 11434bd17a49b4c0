//! Billing closed an epoch.

use anyhow::Context as _;
use fluxplane_ledger::settlement::Hash32;
use fluxplane_platform::{
    bus::{Handler, HandlerError},
    reconciler::Nudge,
};
use fluxplane_proto::{Event as _, billing::v1::EpochClosed};
use prost::Message as _;
use sqlx::PgConnection;

use crate::{
    app::{Context, verify::note_closed},
    domain::anchor::Announced,
};

/// Remembers closed epochs and wakes whoever anchors.
#[derive(Debug)]
pub struct OnEpochClosed {
    pub ctx: Context,
    pub nudge: Nudge,
}

impl Handler for OnEpochClosed {
    const CONSUMER: &'static str = "validator-epochs";
    const PRODUCER: &'static str = "billing";
    const SUBJECT: &'static str = EpochClosed::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event = EpochClosed::decode(payload).map_err(HandlerError::poison)?;
        let announced = read(event).map_err(HandlerError::poison)?;
        note_closed(conn, &self.ctx, &announced)
            .await
            .map_err(HandlerError::retry)
    }

    fn applied(&self) {
        self.nudge.nudge();
    }
}

fn read(event: EpochClosed) -> anyhow::Result<Announced> {
    let hash = |field: &'static str, bytes: Vec<u8>| {
        let length = bytes.len();
        let hash: Result<[u8; 32], _> = bytes.try_into();
        hash.map(Hash32)
            .ok()
            .with_context(|| format!("{field} has {length} bytes, a hash has 32"))
    };
    anyhow::ensure!(event.epoch > 0, "epochs count from 1");
    anyhow::ensure!(event.leaf_count > 0, "every epoch has a header");
    Ok(Announced {
        epoch: event.epoch,
        root: hash("root", event.root)?,
        previous_root: hash("previous_root", event.previous_root)?,
        leaf_count: event.leaf_count,
    })
}
