//! Writes down what `node-agent status` shows.

use std::{sync::Arc, time::Duration};

use fluxplane_core::Clock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    store::{DataDir, Snapshot, UsageQueue, blocking},
    supervisor::Board,
};

/// Changes that come within this time are written once.
const GATHER: Duration = Duration::from_secs(1);

/// Written this often without a change, so that its age shows that the agent lives.
const PERIOD: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub struct SnapshotTask {
    pub dir: DataDir,
    pub board: Board,
    pub queue: UsageQueue,
    pub connected: watch::Receiver<bool>,
    pub clock: Arc<dyn Clock>,
}

impl SnapshotTask {
    pub async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut changes = self.board.watch();
        loop {
            let connected = *self.connected.borrow_and_update();
            self.write(connected).await;
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(PERIOD) => {}
                Ok(()) = changes.changed() => {}
                Ok(()) = self.connected.changed() => {}
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(GATHER) => {}
            }
            changes.mark_unchanged();
        }
        self.write(false).await;
        Ok(())
    }

    /// A disk that is full must not take the workloads down; what needs the disk fails by itself.
    async fn write(&self, connected: bool) {
        let overview = self.board.overview();
        let snapshot = Snapshot {
            written_at: self.clock.now(),
            connected,
            desired_version: overview.desired_version,
            usage_reports_waiting: self.queue.waiting(),
            instances: overview.statuses,
        };
        let dir = self.dir.clone();
        if let Err(err) = blocking(move || dir.put_snapshot(&snapshot)).await {
            let error = fluxplane_platform::error::chain(&err);
            tracing::warn!(error, "the status file cannot be written");
        }
    }
}
