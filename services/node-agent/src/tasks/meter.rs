//! Cuts usage reports at the boundaries the plane asked for.

use std::time::Duration;

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{app::metering::Metering, metrics::AgentMetrics, store::UsageQueue, supervisor};

/// How often the clock is read. Far below the time after which a machine counts as having slept.
const TICK: Duration = Duration::from_millis(500);

/// What is healthy is looked at once more before a report is cut, so that it is proven up to the report's end. A look
/// takes longer only when a probe fails.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub struct MeterTask {
    pub metering: Metering,
    pub supervisor: supervisor::Handle,
    pub queue: UsageQueue,
    pub metrics: AgentMetrics,
    /// Stops the supervisor, which is still needed for the last look.
    pub supervisor_stop: DropGuard,
}

impl MeterTask {
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut waiting = self.queue.watch();
        self.show_waiting(*waiting.borrow_and_update());
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Ok(()) = waiting.changed() => self.show_waiting(*waiting.borrow_and_update()),
                () = tokio::time::sleep(TICK) => self.tick().await?,
            }
        }
        self.supervisor.look_at_healthy(LOOK_LIMIT).await;
        self.metering.finish().await?;
        Ok(())
    }

    async fn tick(&self) -> anyhow::Result<()> {
        if let Some(boundary) = self.metering.tick().await? {
            self.supervisor.look_at_healthy(LOOK_LIMIT).await;
            self.metering.cut(boundary).await?;
        }
        Ok(())
    }

    fn show_waiting(&self, waiting: usize) {
        self.metrics
            .usage_reports_waiting
            .set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}
