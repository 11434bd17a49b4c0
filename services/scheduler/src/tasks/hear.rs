//! Hears what other replicas wrote: work for the leader, entries for those who watch a timeline.

use std::time::Duration;

use fluxplane_platform::reconciler::Nudge;
use sqlx::{PgPool, postgres::PgListener};
use tokio_util::sync::CancellationToken;

use crate::{
    db::{ATTENTION, TIMELINE},
    grpc::Watchers,
};

/// Pause before listening again after the connection broke.
const PAUSE: Duration = Duration::from_millis(500);

pub async fn run(
    pool: PgPool,
    nudge: Nudge,
    watchers: Watchers,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            result = hear(&pool, &nudge, &watchers) => {
                if let Err(err) = result {
                    tracing::warn!(error = %err, "listen for changes");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Ok(())
}

async fn hear(pool: &PgPool, nudge: &Nudge, watchers: &Watchers) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen_all([ATTENTION, TIMELINE]).await?;
    // What was written while nobody listened.
    nudge.nudge();
    watchers.anything_grew();
    loop {
        match listener.try_recv().await? {
            Some(notification) if notification.channel() == ATTENTION => nudge.nudge(),
            Some(notification) => {
                if let Ok(app) = notification.payload().parse() {
                    watchers.grew(app);
                }
            }
            // The connection was lost and made again; anything may have been missed.
            None => {
                nudge.nudge();
                watchers.anything_grew();
            }
        }
    }
}
