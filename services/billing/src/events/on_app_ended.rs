//! Applications that were cancelled or expired.

use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{Event as _, scheduler::v1::AppEnded};
use prost::Message as _;
use sqlx::PgConnection;

use super::{id, refused, time};
use crate::app::{Context, end_app::end_app};

/// Returns what was not used.
#[derive(Debug)]
pub struct OnAppEnded {
    pub ctx: Context,
}

impl Handler for OnAppEnded {
    const CONSUMER: &'static str = "billing-app-ends";
    const PRODUCER: &'static str = "scheduler";
    const SUBJECT: &'static str = AppEnded::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event = AppEnded::decode(payload).map_err(HandlerError::poison)?;
        let app = id("app_id", &event.app_id)?;
        let ended_at = time("ended_at", event.ended_at)?;
        end_app(conn, &self.ctx, app, ended_at)
            .await
            .map_err(refused)
    }
}
