//! Level-triggered background work.
//!
//! A reconciler takes no input: it compares what is wanted with what is and moves one step. It runs on a period, which is
//! the guarantee, and on a nudge, which is only speed. Killed anywhere, it goes on from the state it finds.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use fluxplane_core::Clock;
use serde::Serialize;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::metrics::{Metrics, TaskLabels};

/// One kind of background work.
pub trait Reconciler: Send {
    /// Shown on the task board and in metrics.
    const NAME: &'static str;

    /// Moves one step. Returns what was done, for people.
    fn reconcile(&mut self) -> impl Future<Output = anyhow::Result<Progress>> + Send;
}

/// What one run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// One line for the task board.
    pub summary: String,
    /// Run again at once instead of at the next tick.
    pub more: bool,
}

impl Progress {
    pub fn idle() -> Self {
        Self {
            summary: "nothing to do".to_owned(),
            more: false,
        }
    }

    pub fn done(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            more: false,
        }
    }

    pub fn more(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            more: true,
        }
    }
}

/// Wakes a reconciler before its next tick. Clones wake the same one; nudges in between are merged.
#[derive(Debug, Clone, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    pub fn nudge(&self) {
        self.0.notify_one();
    }

    /// Completes after a nudge. Cancel-safe.
    pub async fn nudged(&self) {
        self.0.notified().await;
    }
}

/// What every reconciler of the process did last. Clones share one board.
#[derive(Debug, Clone, Default)]
pub struct TaskBoard(Arc<Mutex<BTreeMap<&'static str, TaskStatus>>>);

/// Last run of one reconciler.
#[derive(Debug, Clone, Serialize)]
pub struct TaskStatus {
    pub runs: u64,
    pub last_run_at: DateTime<Utc>,
    pub last_duration_ms: u64,
    pub summary: String,
    pub error: Option<String>,
}

impl TaskBoard {
    pub fn report(&self) -> BTreeMap<&'static str, TaskStatus> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn record(
        &self,
        name: &'static str,
        at: DateTime<Utc>,
        took: Duration,
        result: &anyhow::Result<Progress>,
    ) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = board.get(name).map_or(0, |status| status.runs) + 1;
        let (summary, error) = match result {
            Ok(progress) => (progress.summary.clone(), None),
            Err(err) => ("failed".to_owned(), Some(format!("{err:#}"))),
        };
        let last_duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        board.insert(
            name,
            TaskStatus {
                runs,
                last_run_at: at,
                last_duration_ms,
                summary,
                error,
            },
        );
    }
}

/// Everything a driver needs besides the work itself.
#[derive(Debug, Clone)]
pub struct Driver {
    pub period: Duration,
    pub nudge: Nudge,
    pub board: TaskBoard,
    pub metrics: Metrics,
    pub clock: Arc<dyn Clock>,
}

impl Driver {
    /// Runs `work` until cancelled. A failed run is logged and tried again at the next tick.
    pub async fn drive<R: Reconciler>(
        self,
        mut work: R,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            let (at, started) = (self.clock.now(), Instant::now());
            let result = work.reconcile().await;
            self.board.record(R::NAME, at, started.elapsed(), &result);
            let outcome = if result.is_ok() { "ok" } else { "failed" };
            self.metrics
                .common
                .task_runs
                .get_or_create(&TaskLabels {
                    task: R::NAME,
                    outcome,
                })
                .inc();
            match result {
                Ok(Progress { more: true, .. }) => continue,
                Ok(_) => {}
                Err(err) => {
                    tracing::warn!(task = R::NAME, error = format!("{err:#}"), "run failed");
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.nudge.nudged() => {}
                () = tokio::time::sleep(self.period) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use fluxplane_core::SystemClock;

    use super::*;

    struct Counts(Arc<AtomicU64>);

    impl Reconciler for Counts {
        const NAME: &'static str = "counts";

        async fn reconcile(&mut self) -> anyhow::Result<Progress> {
            let runs = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            anyhow::ensure!(runs != 2, "second run fails");
            Ok(if runs == 1 {
                Progress::more("first")
            } else {
                Progress::idle()
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_repeats_after_failure_and_on_a_nudge() {
        let runs = Arc::new(AtomicU64::new(0));
        let driver = Driver {
            period: Duration::from_hours(1),
            nudge: Nudge::default(),
            board: TaskBoard::default(),
            metrics: Metrics::new("test", "0"),
            clock: Arc::new(SystemClock),
        };
        let (nudge, board, stop) = (
            driver.nudge.clone(),
            driver.board.clone(),
            CancellationToken::new(),
        );
        let driving = driver.drive(Counts(Arc::clone(&runs)), stop.clone());
        let nudging = async {
            while runs.load(Ordering::Relaxed) < 3 {
                nudge.nudge();
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        let (result, ()) = tokio::join!(driving, nudging);
        result.unwrap();
        assert_eq!(board.report()["counts"].error, None);
        assert!(board.report()["counts"].runs >= 3);
    }
}
