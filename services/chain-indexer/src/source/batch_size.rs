//! How many blocks one request may ask for. A daemon that is slow, or whose blocks are large, is found out once and not with every
//! request.

use std::{
    ops::RangeInclusive,
    sync::atomic::{AtomicU32, Ordering},
};

/// The size that went well lately. Requests share it; it is only a hint, so they need not agree on it.
#[derive(Debug)]
pub(super) struct BatchSize(AtomicU32);

impl Default for BatchSize {
    fn default() -> Self {
        Self(AtomicU32::new(u32::MAX))
    }
}

impl BatchSize {
    /// Cuts a range into requests, the last first: the caller takes them from the end.
    pub(super) fn cut(&self, heights: RangeInclusive<u32>) -> Vec<RangeInclusive<u32>> {
        let size = self.0.load(Ordering::Relaxed).max(1);
        let last = *heights.end();
        let step = usize::try_from(size).unwrap_or(usize::MAX);
        let mut parts: Vec<_> = heights
            .step_by(step)
            .map(|from| from..=last.min(from.saturating_add(size - 1)))
            .collect();
        parts.reverse();
        parts
    }

    /// So many were too much.
    pub(super) fn too_much(&self, blocks: u32) {
        self.0.store((blocks / 2).max(1), Ordering::Relaxed);
    }

    /// So many went well: next time one more.
    pub(super) fn went_well(&self, blocks: u32) {
        if self.0.load(Ordering::Relaxed) == blocks {
            self.0.store(blocks.saturating_add(1), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_too_much_is_halved_and_grows_again_slowly() {
        let size = BatchSize::default();
        assert_eq!(size.cut(10..=41), [10..=41]);
        size.too_much(32);
        assert_eq!(size.cut(10..=41), [26..=41, 10..=25]);
        size.too_much(1);
        assert_eq!(size.cut(5..=7), [7..=7, 6..=6, 5..=5]);
        size.went_well(1);
        assert_eq!(size.cut(5..=7), [7..=7, 5..=6]);
        size.went_well(1);
        assert_eq!(
            size.cut(5..=7),
            [7..=7, 5..=6],
            "a shorter rest says nothing"
        );
        assert_eq!(size.cut(u32::MAX..=u32::MAX), [u32::MAX..=u32::MAX]);
    }
}
