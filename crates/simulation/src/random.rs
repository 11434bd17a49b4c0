//! The only source of chance. Integers throughout: floating-point libraries differ between machines, seeds must not.

use chrono::TimeDelta;
use fluxplane_core::IdSource;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// The `SplitMix64` generator (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent source, so that one subject drawing more does not change what another draws.
    pub(crate) const fn fork(&mut self) -> Self {
        Self(self.number())
    }

    pub(crate) const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Less than `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.number()) * u128::from(bound);
        u64::try_from(product >> 64).expect("the upper half of 128 bits has 64")
    }

    /// Between the two, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of them; `None` when there are none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        items.get(usize::try_from(self.below(count)).ok()?)
    }

    /// One of them, by weight.
    pub(crate) fn weighted<T: Copy>(&mut self, first: (u64, T), others: &[(u64, T)]) -> T {
        let total = first.0 + others.iter().map(|(weight, _)| weight).sum::<u64>();
        let mut left = self.below(total);
        for (weight, item) in others {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        first.1
    }

    /// A waiting time of an event that may happen at any moment, on average after `mean`: exponentially distributed, by
    /// von Neumann's method (1951), which compares uniform numbers and needs no logarithm.
    pub(crate) fn waiting(&mut self, mean: TimeDelta) -> TimeDelta {
        let mean = mean.num_milliseconds().max(1);
        let mut whole: i64 = 0;
        loop {
            let first = self.number();
            let (mut last, mut length) = (first, 1);
            loop {
                let next = self.number();
                if next >= last {
                    break;
                }
                (last, length) = (next, length + 1);
            }
            if length % 2 == 1 {
                let part = (i128::from(first) * i128::from(mean)) >> 64;
                let part = i64::try_from(part).expect("less than the mean");
                return TimeDelta::milliseconds(whole.saturating_mul(mean).saturating_add(part));
            }
            whole += 1;
        }
    }

    /// A time between the two, all equally likely.
    pub(crate) fn span(&mut self, low: TimeDelta, high: TimeDelta) -> TimeDelta {
        let width = (high - low).num_milliseconds().max(0);
        let drawn = self.between(0, width.unsigned_abs());
        low + TimeDelta::milliseconds(i64::try_from(drawn).expect("at most the width"))
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.number(), self.number())
    }
}

/// Ids for the scheduler. They do not sort by time, which nothing relies on.
#[derive(Debug)]
pub(crate) struct Ids(AtomicU64);

impl Ids {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl IdSource for Ids {
    fn next(&self) -> Uuid {
        let mut random = Random(self.0.load(Ordering::Relaxed));
        let id = random.uuid();
        self.0.store(random.0, Ordering::Relaxed);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_have_the_mean_and_the_tail_of_their_distribution() {
        let mut random = Random::new(1);
        let mean = TimeDelta::seconds(1);
        let times: Vec<i64> = (0..100_000)
            .map(|_| random.waiting(mean).num_milliseconds())
            .collect();
        let average = times.iter().sum::<i64>() / 100_000;
        assert!((980..1_020).contains(&average), "{average}");
        // e^-3 of them are longer than three times the mean.
        let long = times.iter().filter(|time| **time > 3_000).count();
        assert!((4_700..5_260).contains(&long), "{long}");
    }

    #[test]
    fn weights_decide_how_often_an_item_is_drawn() {
        let mut random = Random::new(2);
        let drawn = (0..10_000)
            .filter(|_| random.weighted((3, true), &[(1, false)]))
            .count();
        assert!((7_300..7_700).contains(&drawn), "{drawn}");
        assert_eq!(random.pick::<u8>(&[]), None);
        assert!((0..1_000).all(|_| (5..=7).contains(&random.between(5, 7))));
    }
}
