//! Sets of seconds against a set that lists every second.

use std::collections::BTreeSet;

use fluxplane_ledger::interval::{Interval, IntervalSet};
use proptest::prelude::*;

fn interval(from: u64, to: u64) -> Interval {
    Interval::new(from, to).unwrap()
}

fn any_interval() -> impl Strategy<Value = Interval> {
    (0..100_u64, 1..20_u64).prop_map(|(from, seconds)| interval(from, from + seconds))
}

fn seconds(intervals: &[Interval]) -> BTreeSet<u64> {
    intervals
        .iter()
        .flat_map(|interval| interval.from()..interval.to())
        .collect()
}

#[test]
fn an_interval_holds_at_least_one_second() {
    assert!(Interval::new(5, 5).is_err());
    assert!(Interval::new(6, 5).is_err());
    assert!(serde_json::from_str::<Interval>(r#"{"from":5,"to":5}"#).is_err());
    assert_eq!(interval(5, 7).seconds(), 2);
}

#[test]
fn touching_intervals_neither_overlap_nor_leave_a_gap() {
    let mut set = IntervalSet::default();
    set.insert(interval(0, 10)).unwrap();
    set.insert(interval(10, 20)).unwrap();
    assert_eq!(set.intervals(), [interval(0, 20)]);
    let overlap = set.insert(interval(19, 25)).unwrap_err();
    assert_eq!(overlap.known, interval(0, 20));
    assert_eq!(set.seconds(), 20);
}

proptest! {
    #[test]
    fn every_second_is_counted_exactly_once(
        offered in prop::collection::vec(any_interval(), 0..30), window in any_interval(),
    ) {
        let mut set = IntervalSet::default();
        let mut model: BTreeSet<u64> = BTreeSet::new();
        let mut strict = IntervalSet::default();
        for interval in &offered {
            let own = seconds(&[*interval]);
            let fresh: BTreeSet<u64> = own.difference(&model).copied().collect();
            prop_assert_eq!(seconds(&set.merge(*interval)), fresh);
            let overlaps = !own.is_disjoint(&seconds(strict.intervals()));
            prop_assert_eq!(strict.insert(*interval).is_err(), overlaps);
            model.extend(own);
        }
        prop_assert_eq!(seconds(set.intervals()), model.clone());
        prop_assert_eq!(set.seconds(), u64::try_from(model.len()).unwrap());
        let apart = set.intervals().windows(2).all(|pair| pair[0].to() < pair[1].from());
        prop_assert!(apart, "intervals that touch are one");

        let inside = seconds(&[window]);
        let missing: BTreeSet<u64> = inside.difference(&model).copied().collect();
        let gaps = set.gaps(window);
        prop_assert_eq!(gaps.iter().map(|gap| gap.seconds()).sum::<u64>(), u64::try_from(missing.len()).unwrap());
        prop_assert_eq!(seconds(&gaps), missing);
        let known = u64::try_from(inside.intersection(&model).count()).unwrap();
        prop_assert_eq!(set.seconds_in(window), known);

        let json = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(serde_json::from_str::<IntervalSet>(&json).unwrap(), set);
    }
}
