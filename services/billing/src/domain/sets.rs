//! Arithmetic on sets of seconds beyond what the ledger crate offers.

use fluxplane_ledger::interval::{Interval, IntervalSet};

/// The seconds of a set inside a window.
pub fn within(set: &IntervalSet, window: Interval) -> IntervalSet {
    let inside = set
        .intervals()
        .iter()
        .filter_map(|one| one.intersect(window));
    IntervalSet::from(inside.collect::<Vec<_>>())
}

/// The seconds of the first set that the second does not have.
pub fn minus(set: &IntervalSet, other: &IntervalSet) -> IntervalSet {
    let rest = set.intervals().iter().flat_map(|one| other.gaps(*one));
    IntervalSet::from(rest.collect::<Vec<_>>())
}

/// Adds the seconds of the second set to the first.
pub fn add(set: &mut IntervalSet, other: &IntervalSet) {
    for interval in other.intervals() {
        set.merge(*interval);
    }
}

/// The smallest interval that holds the whole set.
pub fn span(set: &IntervalSet) -> Option<Interval> {
    let (first, last) = (set.intervals().first()?, set.intervals().last()?);
    Interval::new(first.from(), last.to()).ok()
}

/// Counts how many copies run at once, up to a limit: level `k` holds the seconds in which more than `k` do.
#[derive(Debug, Clone)]
pub struct Copies {
    levels: Vec<IntervalSet>,
}

impl Copies {
    /// At most `limit` copies count at any second.
    pub fn new(limit: u32) -> Self {
        let levels = usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            levels: vec![IntervalSet::default(); levels],
        }
    }

    /// Adds the seconds of one copy and returns those in which it is within the limit.
    pub fn add(&mut self, seconds: &IntervalSet) -> IntervalSet {
        let mut carried = seconds.clone();
        for level in &mut self.levels {
            if carried.intervals().is_empty() {
                break;
            }
            let mut fresh = IntervalSet::default();
            for interval in carried.intervals() {
                for new in level.merge(*interval) {
                    fresh.merge(new);
                }
            }
            carried = minus(&carried, &fresh);
        }
        minus(seconds, &carried)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(parts: &[(u64, u64)]) -> IntervalSet {
        let interval = |(from, to): &(u64, u64)| Interval::new(*from, *to).unwrap();
        IntervalSet::from(parts.iter().map(interval).collect::<Vec<_>>())
    }

    fn sets() -> impl Strategy<Value = IntervalSet> {
        let part = (0_u64..60, 1_u64..20).prop_map(|(from, length)| (from, from + length));
        prop::collection::vec(part, 0..5).prop_map(|parts| set(&parts))
    }

    fn has(set: &IntervalSet, second: u64) -> bool {
        set.seconds_in(Interval::new(second, second + 1).unwrap()) == 1
    }

    #[test]
    fn a_third_copy_of_two_counts_only_where_one_of_them_is_away() {
        let mut copies = Copies::new(2);
        assert_eq!(copies.add(&set(&[(0, 100)])), set(&[(0, 100)]));
        assert_eq!(
            copies.add(&set(&[(0, 40), (60, 100)])),
            set(&[(0, 40), (60, 100)])
        );
        assert_eq!(copies.add(&set(&[(30, 70)])), set(&[(40, 60)]));
    }

    proptest! {
        #[test]
        fn no_second_counts_more_often_than_the_limit(parts in prop::collection::vec(sets(), 0..6), limit in 0_u32..4) {
            let mut copies = Copies::new(limit);
            let counted: Vec<IntervalSet> = parts.iter().map(|part| copies.add(part)).collect();
            for second in 0..80 {
                let offered = parts.iter().filter(|part| has(part, second)).count();
                let taken = counted.iter().filter(|part| has(part, second)).count();
                prop_assert_eq!(taken, offered.min(usize::try_from(limit).unwrap()));
            }
        }

        #[test]
        fn a_difference_and_what_was_taken_away_make_the_whole(one in sets(), other in sets()) {
            let rest = minus(&one, &other);
            for second in 0..80 {
                prop_assert_eq!(has(&rest, second), has(&one, second) && !has(&other, second));
            }
        }
    }
}
