//! At how many confirmations a payment is announced.

use serde::{Deserialize, Serialize};

/// Confirmation counts, ascending. The last one means final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
pub struct Thresholds(Vec<u32>);

/// Why numbers are no thresholds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "thresholds are {0:?}, but they must be confirmation counts from 1 on, each larger than the one before; \
     [1, 10, 40] suits the public networks"
)]
pub struct InvalidThresholds(Vec<u32>);

impl TryFrom<Vec<u32>> for Thresholds {
    type Error = InvalidThresholds;

    fn try_from(counts: Vec<u32>) -> Result<Self, Self::Error> {
        let ascending = counts.is_sorted_by(|left, right| left < right);
        if counts.first().is_some_and(|first| *first > 0) && ascending {
            Ok(Self(counts))
        } else {
            Err(InvalidThresholds(counts))
        }
    }
}

impl From<Thresholds> for Vec<u32> {
    fn from(thresholds: Thresholds) -> Self {
        thresholds.0
    }
}

impl Thresholds {
    /// The count from which a payment is final.
    pub fn last(&self) -> u32 {
        self.0.last().copied().unwrap_or(u32::MAX)
    }

    /// The thresholds that are reached with `confirmations` and were not announced yet.
    pub fn due(&self, announced: u32, confirmations: u32) -> impl Iterator<Item = u32> {
        let due = announced.saturating_add(1)..=confirmations;
        self.0
            .iter()
            .copied()
            .filter(move |count| due.contains(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_threshold_is_due_once() {
        let thresholds = Thresholds::try_from(vec![1, 10, 40]).unwrap();
        assert_eq!(thresholds.due(0, 1).collect::<Vec<_>>(), [1]);
        assert_eq!(thresholds.due(1, 9).count(), 0);
        assert_eq!(thresholds.due(1, 12).collect::<Vec<_>>(), [10]);
        assert_eq!(thresholds.due(0, 100).collect::<Vec<_>>(), [1, 10, 40]);
        assert_eq!(thresholds.due(40, 30).count(), 0);
        assert_eq!(thresholds.last(), 40);
    }

    #[test]
    fn what_does_not_ascend_from_one_is_refused() {
        for wrong in [vec![], vec![0, 1], vec![1, 1], vec![10, 1]] {
            assert_eq!(
                Thresholds::try_from(wrong.clone()),
                Err(InvalidThresholds(wrong))
            );
        }
    }
}
