//! What a node said last, written down for everyone. Failing to is no reason not to follow.

use std::time::Duration;

use fluxplane_platform::error::chain as chain_of;
use tokio::time::Instant;

use crate::evm::app::{Lead, report};

/// How often the same is written down again.
const PERIOD: Duration = Duration::from_secs(1);

/// What is known about a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Report {
    /// It answered; `problem` says what is odd all the same.
    Seen { height: u64, problem: String },
    /// It gave no answer that can be used.
    Failed(String),
}

impl Report {
    fn problem(&self) -> &str {
        match self {
            Self::Seen { problem, .. } | Self::Failed(problem) => problem,
        }
    }
}

/// What was said and written so far.
#[derive(Debug, Default)]
pub(super) struct Said {
    written: Option<(Report, Instant)>,
    /// The node's height, and since when it stands.
    height: Option<(u64, Instant)>,
}

impl Said {
    /// What is odd about a node at `height`: nothing, unless it has stood there for longer than `limit`.
    pub(super) fn stands(&mut self, height: u64, limit: Duration) -> String {
        let now = Instant::now();
        let since = match self.height {
            Some((last, since)) if last == height => since,
            Some(_) | None => {
                self.height = Some((height, now));
                now
            }
        };
        let stood = now - since;
        if stood <= limit {
            return String::new();
        }
        format!("the node has been at {height} for {} s", stood.as_secs())
    }

    pub(super) async fn write(&mut self, lead: &Lead, asset_id: i32, report: Report) {
        let last = self.written.as_ref();
        if last.is_some_and(|(last, at)| *last == report && at.elapsed() < PERIOD) {
            return;
        }
        let asset = &lead.token.name;
        let (before, problem) = (
            last.map_or("", |(last, _)| last.problem()),
            report.problem(),
        );
        if problem != before && !problem.is_empty() {
            tracing::warn!(asset, problem, "trouble with the node of a token");
        }
        let ctx = &lead.ctx;
        let stored = match &report {
            Report::Seen { height, problem } => report::seen(ctx, asset_id, *height, problem).await,
            Report::Failed(problem) => report::failed(ctx, asset_id, problem).await,
        };
        if let Err(err) = stored {
            tracing::warn!(asset, error = chain_of(&err), "store what the node said");
        }
        self.written = Some((report, Instant::now()));
    }
}
