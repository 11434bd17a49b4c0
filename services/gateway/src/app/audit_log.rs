//! The audit trail: a row before a changing call, completed after it.
//!
//! A call is made only once its row is stored. Calls that arrive together share one commit, so the trail costs the
//! database little more than the calls themselves.

use fluxplane_platform::db as platform_db;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Error;
use crate::{
    db,
    domain::audit::{Entry, Outcome},
};

/// Rows in one commit.
const BATCH: usize = 256;

/// Rows that may wait; more callers wait before the queue.
const WAITING: usize = 1_024;

enum Write {
    Begin(Entry, oneshot::Sender<()>),
    Finish(Outcome),
}

/// Takes entries. Clones write to the same trail.
#[derive(Debug, Clone)]
pub struct AuditLog(mpsc::Sender<Write>);

impl AuditLog {
    /// Makes a trail and the task that writes it.
    pub fn new(pool: PgPool) -> (Self, Writer) {
        let (sender, queue) = mpsc::channel(WAITING);
        (Self(sender), Writer { queue, pool })
    }

    /// Stores an entry. Fails when the database does not take it; then the call must not be made.
    pub async fn begin(&self, entry: Entry) -> Result<(), Error> {
        let (stored, wait) = oneshot::channel();
        self.0
            .send(Write::Begin(entry, stored))
            .await
            .map_err(|_| Error::Audit)?;
        wait.await.map_err(|_| Error::Audit)
    }

    /// Completes an entry, soon. One that is lost with the process stays without status, which says just that.
    pub async fn finish(&self, outcome: Outcome) {
        if self.0.send(Write::Finish(outcome)).await.is_err() {
            tracing::error!("the audit trail is closed, an outcome is lost");
        }
    }
}

/// Writes the trail.
#[derive(Debug)]
pub struct Writer {
    queue: mpsc::Receiver<Write>,
    pool: PgPool,
}

impl Writer {
    /// Writes until stopped, and then until the last of `calls` ended and is written down.
    pub async fn run(mut self, stop: CancellationToken, calls: TaskTracker) -> anyhow::Result<()> {
        let over = async {
            stop.cancelled().await;
            calls.wait().await;
        };
        tokio::pin!(over);
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            tokio::select! {
                biased;
                _ = self.queue.recv_many(&mut batch, BATCH) => {}
                () = &mut over => break,
            }
            if batch.is_empty() {
                break;
            }
            self.write(batch).await;
        }
        Ok(())
    }

    async fn write(&self, batch: Vec<Write>) {
        let (mut entries, mut stored, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
        for write in batch {
            match write {
                Write::Begin(entry, sender) => {
                    entries.push(entry);
                    stored.push(sender);
                }
                Write::Finish(outcome) => outcomes.push(outcome),
            }
        }
        match self.store(&entries, &outcomes).await {
            Ok(()) => {
                for sender in stored {
                    // A caller that went away does not make its call.
                    sender.send(()).ok();
                }
            }
            // The senders drop unanswered, which refuses their calls.
            Err(err) => tracing::error!(
                error = fluxplane_platform::error::chain(&err),
                refused_calls = entries.len(),
                lost_outcomes = outcomes.len(),
                "write the audit trail"
            ),
        }
    }

    async fn store(&self, entries: &[Entry], outcomes: &[Outcome]) -> Result<(), sqlx::Error> {
        let mut tx = platform_db::begin(&self.pool).await?;
        if !entries.is_empty() {
            db::audit::begin(&mut tx, entries).await?;
        }
        if !outcomes.is_empty() {
            db::audit::finish(&mut tx, outcomes).await?;
        }
        tx.commit().await
    }
}
