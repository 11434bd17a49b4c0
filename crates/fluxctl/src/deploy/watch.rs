//! Watching a rollout to its end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, timeout_at};

use super::outcome::{Outcome, Tracker};
use crate::api::{Client, Error, TimelineEntry};

/// One entry as it was observed.
#[derive(Debug, Clone)]
pub struct Observed<'a> {
    pub entry: &'a TimelineEntry,
    /// Since the first entry of the rollout, by the plane's clock.
    pub elapsed: Duration,
}

/// How watching ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Outcome {
        outcome: Outcome,
        /// Since the first entry of the rollout, by the plane's clock.
        elapsed: Duration,
    },
    /// The time the caller allowed is over; the rollout goes on.
    TimedOut,
}

/// Follows a rollout until it ends or `limit` is over. `observe` sees every entry of it.
pub async fn watch(
    client: &Client,
    app: &str,
    mut tracker: Tracker,
    limit: Option<Duration>,
    mut observe: impl FnMut(&Observed<'_>),
) -> Result<Ended, Error> {
    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut timeline = client.follow_timeline(app, 0);
    let mut began: Option<DateTime<Utc>> = None;
    loop {
        let next = timeline.next();
        let entry = match deadline {
            None => next.await?,
            Some(deadline) => match timeout_at(deadline, next).await {
                Ok(entry) => entry?,
                Err(_) => return Ok(Ended::TimedOut),
            },
        };
        if !tracker.concerns(&entry) {
            continue;
        }
        let began = *began.get_or_insert(entry.at);
        let elapsed = (entry.at - began).to_std().unwrap_or_default();
        observe(&Observed {
            entry: &entry,
            elapsed,
        });
        if let Some(outcome) = tracker.take(&entry) {
            return Ok(Ended::Outcome { outcome, elapsed });
        }
    }
}
