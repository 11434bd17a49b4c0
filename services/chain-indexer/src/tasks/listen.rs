//! Hears announcements and wakes the follower. Without them it finds everything too, only later.

use std::time::Duration;

use fluxplane_platform::reconciler::Nudge;
use tokio_util::sync::CancellationToken;

use super::heard::Heard;
use crate::source::zmq::{Announcement, Subscriber};

/// Pause before connecting again.
const PAUSE: Duration = Duration::from_secs(1);

/// Listens until cancelled.
pub async fn run(
    endpoint: String,
    nudge: Nudge,
    heard: Heard,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            result = listen(&endpoint, &nudge, &heard) => {
                if let Err(err) = result {
                    tracing::warn!(error = %err, "announcements of the daemon are missing");
                }
            }
        }
        // Whatever was announced meanwhile is gone.
        nudge.nudge();
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
    Ok(())
}

async fn listen(endpoint: &str, nudge: &Nudge, heard: &Heard) -> Result<(), zeromq::ZmqError> {
    let mut subscriber = Subscriber::connect(endpoint).await?;
    tracing::info!(daemon.zmq = endpoint, "listening to the daemon");
    loop {
        match subscriber.next().await? {
            Announcement::Tip => {
                heard.now();
                nudge.nudge();
            }
            Announcement::Transaction => nudge.nudge(),
            Announcement::Other => {}
        }
    }
}
