//! How many blocks to ask about at a time.
//!
//! Nodes limit `eth_getLogs`, each in its own way: by blocks, by logs, by bytes, by time. So the size is found out: smaller after a
//! refusal, larger after a success.

use std::ops::RangeInclusive;

/// Blocks of the first request. Nodes that limit by blocks take 1,000 or more as a rule.
const FIRST: u64 = 1_000;

/// Most blocks of a range whose headers are all read.
const MOST_LINKED: u64 = 128;

/// The size that went well lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeSize {
    size: u64,
    most: u64,
}

impl RangeSize {
    /// Never asks about more than `most` blocks, of which there is at least one.
    pub fn new(most: u64) -> Self {
        let most = most.max(1);
        Self {
            size: FIRST.min(most),
            most,
        }
    }

    pub const fn get(self) -> u64 {
        self.size
    }

    /// So many blocks were too much. `false` when there is no less to ask for.
    pub fn too_much(&mut self, blocks: u64) -> bool {
        self.size = (blocks / 2).max(1);
        blocks > 1
    }

    /// So many went well: a quarter more next time. A range that was short because the chain is says nothing.
    pub fn went_well(&mut self, blocks: u64) {
        if blocks >= self.size {
            let more = (self.size / 4).max(1);
            self.size = self.size.saturating_add(more).min(self.most);
        }
    }
}

/// The next range to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub range: RangeInclusive<u64>,
    /// Its blocks may still be reorganised: each is read, and must be the child of the one before.
    pub linked: bool,
}

impl Plan {
    /// What to read from `next` on while the node is at `head`; `None` when it has no such block yet. A range never crosses from
    /// final blocks to others.
    pub fn new(next: u64, head: u64, confirmations: u32, size: RangeSize) -> Option<Self> {
        if next > head {
            return None;
        }
        let size = size.get();
        let plan = match last_final(head, confirmations) {
            Some(last) if next <= last => Self {
                range: next..=last.min(next.saturating_add(size - 1)),
                linked: false,
            },
            Some(_) | None => Self {
                range: next..=head.min(next.saturating_add(size.min(MOST_LINKED) - 1)),
                linked: true,
            },
        };
        Some(plan)
    }

    pub const fn blocks(&self) -> u64 {
        *self.range.end() - *self.range.start() + 1
    }
}

/// The last block with `confirmations` of them, its own included, while the chain ends at `head`.
pub fn last_final(head: u64, confirmations: u32) -> Option<u64> {
    head.checked_sub(u64::from(confirmations.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(next: u64, head: u64, size: u64) -> Option<(RangeInclusive<u64>, bool)> {
        let mut wanted = RangeSize::new(u64::MAX);
        wanted.size = size;
        Plan::new(next, head, 10, wanted).map(|plan| (plan.range, plan.linked))
    }

    #[test]
    fn a_size_is_halved_down_to_one_and_grows_by_a_quarter() {
        let mut size = RangeSize::new(2_000);
        assert_eq!(size.get(), 1_000);
        let mut tried = vec![size.get()];
        while size.too_much(size.get()) {
            tried.push(size.get());
        }
        assert_eq!(tried, [1_000, 500, 250, 125, 62, 31, 15, 7, 3, 1]);
        assert_eq!(size.get(), 1);
        for expected in [2, 3, 4, 5, 6, 7, 8, 10, 12] {
            size.went_well(size.get());
            assert_eq!(size.get(), expected);
        }
        for _ in 0..100 {
            size.went_well(size.get());
        }
        assert_eq!(size.get(), 2_000, "never above the limit");
    }

    #[test]
    fn a_short_range_says_nothing_about_the_size() {
        let mut size = RangeSize::new(2_000);
        size.went_well(1);
        assert_eq!(size.get(), 1_000);
        assert!(size.too_much(40), "less than 40 can be asked for");
        assert_eq!(size.get(), 20);
    }

    #[test]
    fn final_blocks_are_read_by_the_range_and_the_last_ones_linked() {
        // Of 100 blocks under head 99, with 10 confirmations 0 to 90 are final.
        assert_eq!(plan(0, 99, 50), Some((0..=49, false)));
        assert_eq!(plan(50, 99, 50), Some((50..=90, false)));
        assert_eq!(plan(91, 99, 50), Some((91..=99, true)));
        assert_eq!(plan(91, 99, 2), Some((91..=92, true)));
        assert_eq!(plan(100, 99, 50), None);
        assert_eq!(plan(0, 8, 50), Some((0..=8, true)), "nothing is final yet");
    }

    proptest! {
        #[test]
        fn plans_cover_the_chain_without_gap_or_overlap(
            head in 0_u64..5_000, confirmations in 1_u32..300, size in 1_u64..600, start in 0_u64..5_000,
        ) {
            let mut wanted = RangeSize::new(size);
            wanted.size = size;
            let mut next = start;
            let mut left = 6_000;
            while let Some(plan) = Plan::new(next, head, confirmations, wanted) {
                prop_assert_eq!(*plan.range.start(), next);
                prop_assert!(plan.range.end() >= plan.range.start() && *plan.range.end() <= head);
                prop_assert!(plan.blocks() <= size);
                let last = last_final(head, confirmations);
                prop_assert_eq!(plan.linked, last.is_none_or(|last| *plan.range.end() > last));
                next = plan.range.end() + 1;
                left -= 1;
                prop_assert!(left > 0);
            }
            prop_assert_eq!(next, start.max(head + 1));
        }
    }
}
