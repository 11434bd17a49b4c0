//! How soon a container that exited is started again, and when it is said to have failed.

use std::time::Duration;

use super::backoff::Backoff;

/// Exits in a row, without [`STABLE`] of health between them, from which an instance counts as failed. It is started
/// again all the same, ever more slowly.
const FAILED_AFTER: u32 = 5;

/// So much health in one piece and earlier exits are forgotten.
pub const STABLE: Duration = Duration::from_mins(1);

/// Counts the exits of an instance.
#[derive(Debug, Clone)]
pub struct Restarts {
    backoff: Backoff,
    total: u32,
}

impl Restarts {
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            backoff: Backoff::new(first, longest),
            total: 0,
        }
    }

    /// A container exited: how long to wait before it is started again, by its own pauses if it has any.
    pub fn exited(&mut self, own: Option<(Duration, Duration)>, jitter: f64) -> Duration {
        let configured = self.backoff.failed(jitter);
        own.map_or(configured, |(first, longest)| {
            let before = self.in_a_row().saturating_sub(1);
            Backoff::after(before, first, longest).failed(jitter)
        })
    }

    /// It was started again.
    pub const fn restarted(&mut self) {
        self.total = self.total.saturating_add(1);
    }

    /// It has been healthy for [`STABLE`].
    pub const fn stable(&mut self) {
        self.backoff.succeeded();
    }

    pub const fn total(&self) -> u32 {
        self.total
    }

    /// Exits in a row.
    pub const fn in_a_row(&self) -> u32 {
        self.backoff.failures()
    }

    /// Whether it keeps exiting.
    pub const fn failed(&self) -> bool {
        self.in_a_row() >= FAILED_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_keeps_exiting_has_failed_until_it_is_stable() {
        let mut restarts = Restarts::new(Duration::from_secs(1), Duration::from_mins(5));
        for exits in 1..=FAILED_AFTER {
            assert!(!restarts.failed(), "after {} exits", exits - 1);
            restarts.exited(None, 0.0);
            restarts.restarted();
        }
        assert!(restarts.failed());
        restarts.stable();
        assert!(!restarts.failed());
        assert_eq!((restarts.total(), restarts.in_a_row()), (FAILED_AFTER, 0));
        let own = Some((Duration::from_secs(10), Duration::from_secs(15)));
        assert_eq!(restarts.exited(own, 0.0), Duration::from_secs(10));
        assert_eq!(restarts.exited(own, 0.0), Duration::from_secs(15));
        assert_eq!(restarts.exited(None, 0.0), Duration::from_secs(4));
    }
}
