//! Wakes the sessions of this replica when a desired state changed, whichever replica stored it.

use std::time::Duration;

use sqlx::{PgPool, postgres::PgListener};
use tokio_util::sync::CancellationToken;

use crate::{db::desired, session::Hub};

/// Pause before listening again after the connection broke.
const PAUSE: Duration = Duration::from_millis(500);

pub async fn run(
    pool: PgPool,
    schema: &'static str,
    hub: Hub,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            result = listen(&pool, schema, &hub) => {
                if let Err(err) = result {
                    tracing::warn!(error = %err, "listen for desired states");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Ok(())
}

async fn listen(pool: &PgPool, schema: &str, hub: &Hub) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(desired::CHANNEL).await?;
    // What was stored while nobody listened.
    hub.all_desired_changed();
    loop {
        match listener.try_recv().await? {
            Some(notification) => {
                if let Some(node) = desired::parse_notification(notification.payload(), schema) {
                    hub.desired_changed(node);
                }
            }
            // The connection was lost and made again; anything may have been missed.
            None => hub.all_desired_changed(),
        }
    }
}
