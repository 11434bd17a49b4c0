//! Start, readiness and the two-step shutdown.
//!
//! Nothing long-running exists outside [`Lifecycle::spawn`]: a task that returns, fails or panics before shutdown takes
//! the process down with a failing exit code, so that the supervisor restarts it whole.

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::health::Health;

/// Owns every long-running task of a process.
#[derive(Debug)]
pub struct Lifecycle {
    tasks: TaskTracker,
    drain: CancellationToken,
    abort: CancellationToken,
    failed: Arc<AtomicBool>,
    health: Health,
    drain_delay: Duration,
    grace: Duration,
}

impl Lifecycle {
    /// `drain_delay` passes between turning unready and draining; `grace` is what draining may take.
    pub fn new(health: Health, drain_delay: Duration, grace: Duration) -> Self {
        let abort = CancellationToken::new();
        Self {
            tasks: TaskTracker::new(),
            drain: abort.child_token(),
            abort,
            failed: Arc::default(),
            health,
            drain_delay,
            grace,
        }
    }

    /// Cancelled when the process should stop taking new work.
    pub fn drain(&self) -> CancellationToken {
        self.drain.clone()
    }

    /// Runs `task` until it ends. A task that ends before shutdown takes the process down.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        // Dropped however the task ends, also by a panic.
        let ended = self.drain.clone().drop_guard();
        let (drain, abort) = (self.drain.clone(), self.abort.clone());
        let failed = Arc::clone(&self.failed);
        self.tasks.spawn(async move {
            let _ended = ended;
            let result = tokio::select! {
                result = task => result,
                () = abort.cancelled() => Err(anyhow::anyhow!("grace period is over")),
            };
            match result {
                Ok(()) if drain.is_cancelled() => tracing::debug!(task = name, "task stopped"),
                Ok(()) => {
                    failed.store(true, Ordering::Relaxed);
                    tracing::error!(task = name, "task ended before shutdown");
                }
                Err(err) => {
                    failed.store(true, Ordering::Relaxed);
                    tracing::error!(task = name, error = format!("{err:#}"), "task failed");
                }
            }
        });
    }

    /// Waits for a signal or a failed task, then drains.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        let asked = tokio::select! {
            _ = term.recv() => true,
            _ = int.recv() => true,
            () = self.drain.cancelled() => false,
        };
        self.health.shutting_down();
        if asked {
            tokio::select! {
                () = tokio::time::sleep(self.drain_delay) => {}
                () = self.drain.cancelled() => {}
            }
        }
        self.drain.cancel();
        self.tasks.close();
        let drained = tokio::select! {
            () = self.tasks.wait() => true,
            _ = term.recv() => false,
            _ = int.recv() => false,
            () = tokio::time::sleep(self.grace) => false,
        };
        self.abort.cancel();
        self.tasks.wait().await;
        let clean = asked && drained && !self.failed.load(Ordering::Relaxed);
        Ok(if clean {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifecycle() -> Lifecycle {
        Lifecycle::new(Health::default(), Duration::ZERO, Duration::from_secs(5))
    }

    #[tokio::test]
    async fn a_task_that_panics_takes_the_process_down() {
        let life = lifecycle();
        let drain = life.drain();
        life.spawn("other", async move {
            drain.cancelled().await;
            Ok(())
        });
        life.spawn("panics", async { panic!("on purpose") });
        assert_eq!(life.run().await.unwrap(), ExitCode::FAILURE);
    }

    #[tokio::test]
    async fn a_task_that_ends_early_takes_the_process_down() {
        let life = lifecycle();
        life.spawn("ends", async { Ok(()) });
        assert_eq!(life.run().await.unwrap(), ExitCode::FAILURE);
    }
}
