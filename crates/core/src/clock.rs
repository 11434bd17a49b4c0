//! Time and ids as parameters. Only [`SystemClock`] and [`SystemIds`] touch the machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Tells the time of day.
///
/// Postgres' own clock judges leases and bookkeeping columns; everything a decision rests on comes from here.
pub trait Clock: Send + Sync + std::fmt::Debug {
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the clock"
        )]
        let now = Utc::now();
        // Postgres keeps microseconds; a finer value would differ after a round trip.
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

/// A clock that moves only when told to. Clones share one time.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<AtomicI64>);

impl FixedClock {
    pub fn at(time: DateTime<Utc>) -> Self {
        Self(Arc::new(AtomicI64::new(time.timestamp_micros())))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        let micros = self.0.load(Ordering::Relaxed);
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// Makes ids that sort by creation time.
pub trait IdSource: Send + Sync + std::fmt::Debug {
    fn next(&self) -> Uuid;
}

/// UUID version 7 from the machine's clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn next(&self) -> Uuid {
        #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
        Uuid::now_v7()
    }
}

/// Whole seconds between two instants, zero when `to` is before `from`.
pub fn seconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
    let span = (to - from).max(TimeDelta::zero());
    u64::try_from(span.num_seconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_fixed_clock_share_one_time() {
        let clock = FixedClock::at(DateTime::UNIX_EPOCH);
        let twin = clock.clone();
        clock.advance(Duration::from_secs(90));
        assert_eq!(seconds_between(DateTime::UNIX_EPOCH, twin.now()), 90);
    }

    #[test]
    fn a_span_that_runs_backwards_has_no_seconds() {
        let later = DateTime::UNIX_EPOCH + TimeDelta::seconds(5);
        assert_eq!(seconds_between(later, DateTime::UNIX_EPOCH), 0);
    }
}
