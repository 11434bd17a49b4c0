//! Streams of timelines. The table is the truth; a notification only says that it is worth a look.

use std::{collections::VecDeque, time::Duration};

use fluxplane_core::id::AppId;
use fluxplane_platform::error::to_status;
use fluxplane_proto::scheduler::v1::TimelineEntry;
use futures::{Stream, stream};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::convert::entry_to_wire;
use crate::app::{Context, queries};

/// Notifications kept for a slow watcher; one that misses some looks into the table once more.
const BACKLOG: usize = 1_024;

/// A watcher looks into the table this often when it hears nothing, so that a lost notification costs time, not entries.
const POLL: Duration = Duration::from_secs(15);

/// Tells those who watch that a timeline grew. Clones tell the same.
#[derive(Debug, Clone)]
pub struct Watchers {
    grown: broadcast::Sender<Grown>,
    count: Gauge,
    stop: CancellationToken,
}

#[derive(Debug, Clone, Copy)]
enum Grown {
    App(AppId),
    Anything,
}

impl Watchers {
    /// `count` is how many watch; streams end when `stop` is cancelled.
    pub fn new(count: Gauge, stop: CancellationToken) -> Self {
        let (grown, _) = broadcast::channel(BACKLOG);
        Self { grown, count, stop }
    }

    pub fn grew(&self, app: AppId) {
        // Nobody may be watching.
        self.grown.send(Grown::App(app)).ok();
    }

    pub fn anything_grew(&self) {
        self.grown.send(Grown::Anything).ok();
    }

    /// The entries of an application after a sequence; with `follow`, also those to come.
    pub(super) fn watch(
        &self,
        ctx: Context,
        app: AppId,
        after: u64,
        follow: bool,
    ) -> impl Stream<Item = Result<TimelineEntry, Status>> + Send + use<> {
        self.count.inc();
        let watch = Watch {
            ctx,
            app,
            after,
            follow,
            ready: VecDeque::new(),
            // Before the first look, so that nothing falls in between.
            grown: self.grown.subscribe(),
            stop: self.stop.clone(),
            _counted: Counted(self.count.clone()),
        };
        stream::try_unfold(watch, |mut watch| async move {
            let next = watch.next().await?;
            Ok(next.map(|entry| (entry, watch)))
        })
    }
}

/// One watcher.
struct Watch {
    ctx: Context,
    app: AppId,
    /// Sequence of the last entry read.
    after: u64,
    follow: bool,
    ready: VecDeque<TimelineEntry>,
    grown: broadcast::Receiver<Grown>,
    stop: CancellationToken,
    _counted: Counted,
}

struct Counted(Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Watch {
    async fn next(&mut self) -> Result<Option<TimelineEntry>, Status> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Ok(Some(entry));
            }
            let entries = queries::timeline_after(&self.ctx, self.app, self.after).await;
            let entries = entries.map_err(|err| to_status(&err))?;
            self.after = entries.last().map_or(self.after, |entry| entry.sequence);
            self.ready.extend(entries.iter().map(entry_to_wire));
            if !self.ready.is_empty() {
                continue;
            }
            if !self.follow {
                return Ok(None);
            }
            let stop = self.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {
                    let text = "the scheduler restarts; go on after the last sequence";
                    return Err(Status::unavailable(text));
                }
                () = self.own_growth() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Completes when this application's timeline may have grown.
    async fn own_growth(&mut self) {
        loop {
            match self.grown.recv().await {
                Ok(Grown::App(app)) if app != self.app => {}
                Ok(Grown::App(_) | Grown::Anything) | Err(RecvError::Lagged(_)) => return,
                // The sender lives as long as the service.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
