//! Heartbeats are verified where they arrive and stored together, many per statement.

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{Context, heartbeats::take_heartbeats},
    db::nodes::Beat,
    metrics::{OutcomeLabels, RegistryMetrics},
};

/// Beats waiting to be stored; more than this means the database is away, and later beats repeat the news anyway.
const QUEUE: usize = 8_192;

/// Beats per statement.
const BATCH: usize = 1_024;

/// How long a beat waits for company.
const GATHER: Duration = Duration::from_millis(50);

/// Takes verified beats from sessions.
#[derive(Debug, Clone)]
pub struct BeatQueue(mpsc::Sender<Beat>);

/// Stores them.
#[derive(Debug)]
pub struct BeatWriter(mpsc::Receiver<Beat>);

pub fn beat_channel() -> (BeatQueue, BeatWriter) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (BeatQueue(sender), BeatWriter(receiver))
}

impl BeatQueue {
    /// Hands a beat over. A full queue drops it: the next beat says the same.
    pub fn push(&self, beat: Beat) {
        if self.0.try_send(beat).is_err() {
            tracing::warn!(node.id = %beat.node, "dropped a heartbeat, the database is behind");
        }
    }
}

impl BeatWriter {
    pub async fn run(
        mut self,
        ctx: Context,
        metrics: RegistryMetrics,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        loop {
            let mut beats = Vec::new();
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                count = self.0.recv_many(&mut beats, BATCH) => if count == 0 { return Ok(()) },
            }
            self.gather(&mut beats).await;
            match take_heartbeats(&ctx, &beats).await {
                Ok(accepted) => count(&metrics, accepted.len(), beats.len()),
                // The beats are lost; the next ones say the same.
                Err(err) => {
                    let error = fluxplane_platform::error::chain(&err);
                    tracing::warn!(error, beats = beats.len(), "store heartbeats");
                }
            }
        }
    }

    async fn gather(&mut self, beats: &mut Vec<Beat>) {
        let deadline = Instant::now() + GATHER;
        while beats.len() < BATCH {
            let left = BATCH - beats.len();
            let more = tokio::time::timeout_at(deadline, self.0.recv_many(beats, left)).await;
            if !matches!(more, Ok(count) if count > 0) {
                return;
            }
        }
    }
}

fn count(metrics: &RegistryMetrics, accepted: usize, all: usize) {
    let add = |outcome, count: usize| {
        let labels = OutcomeLabels { outcome };
        metrics
            .heartbeats
            .get_or_create(&labels)
            .inc_by(u64::try_from(count).unwrap_or(0));
    };
    add("accepted", accepted);
    add("replayed", all.saturating_sub(accepted));
}
