//! Growing pauses between attempts.

use std::time::Duration;

/// Doubles from `first` to `longest`.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self::after(0, first, longest)
    }

    /// When there were so many failures already.
    pub const fn after(failures: u32, first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures,
        }
    }

    /// The pause after one more failure. `jitter` of 0 to 1 shortens it by up to half, so that many who failed together
    /// do not come back together.
    pub fn failed(&mut self, jitter: f64) -> Duration {
        let doublings = self.failures.min(31);
        self.failures = self.failures.saturating_add(1);
        let whole = self
            .first
            .saturating_mul(1_u32 << doublings)
            .min(self.longest);
        whole.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }

    /// It worked: the next pause is the first one again.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_again_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(15));
        let pauses: Vec<u128> = (0..9).map(|_| backoff.failed(0.0).as_millis()).collect();
        assert_eq!(
            pauses,
            [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000]
        );
        backoff.succeeded();
        assert_eq!(backoff.failed(0.0).as_millis(), 200);
    }

    proptest! {
        #[test]
        fn a_pause_is_never_longer_than_the_longest_nor_half_of_it_shorter(
            failures in 0_u32..200,
            jitter in 0.0_f64..=1.0,
        ) {
            let longest = Duration::from_mins(5);
            let mut backoff = Backoff::new(Duration::from_secs(1), longest);
            let mut pause = Duration::ZERO;
            for _ in 0..=failures {
                pause = backoff.failed(jitter);
            }
            prop_assert!(pause <= longest && pause >= Duration::from_millis(500));
        }
    }
}
