//! The meter against a model that counts second by second.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn assignment(n: u8) -> Assignment {
    Assignment {
        instance: Uuid::from_u128(n.into()).into(),
        epoch: 1,
    }
}

fn seconds(report: &Report) -> Vec<(u64, u64)> {
    report
        .instances
        .iter()
        .map(|interval| (interval.from, interval.to))
        .collect()
}

#[test]
fn only_whole_seconds_inside_proven_time_count() {
    let mut meter = Meter::new(0, 0);
    meter.healthy(assignment(1), 1_200);
    meter.healthy(assignment(1), 3_500);
    meter.ended(assignment(1));
    meter.healthy(assignment(1), 3_600);
    meter.healthy(assignment(1), 9_000);
    meter.awake(10_000);
    let report = meter.cut(10).unwrap();
    assert_eq!((report.from, report.to), (0, 10));
    assert_eq!(seconds(&report), [(2, 3), (4, 9)]);
}

#[test]
fn a_report_is_clipped_and_the_rest_is_in_the_next() {
    let mut meter = Meter::new(5_000, 0);
    meter.healthy(assignment(1), 6_000);
    meter.healthy(assignment(1), 12_300);
    meter.awake(12_300);
    assert_eq!(meter.due(10), Some(10));
    assert_eq!(seconds(&meter.cut(10).unwrap()), [(6, 10)]);
    assert_eq!(meter.due(10), None);
    meter.healthy(assignment(1), 20_100);
    meter.ended(assignment(1));
    meter.awake(20_500);
    assert_eq!(seconds(&meter.cut(20).unwrap()), [(10, 20)]);
    // The second that was only half proven at the end is in no report.
    meter.awake(31_000);
    assert_eq!(seconds(&meter.cut(30).unwrap()), []);
}

#[test]
fn time_without_a_look_is_not_charged() {
    let mut meter = Meter::new(0, 0);
    meter.healthy(assignment(1), 0);
    meter.healthy(assignment(1), 10_000);
    // The machine slept for a minute.
    meter.healthy(assignment(1), 70_000);
    meter.healthy(assignment(1), 72_000);
    meter.awake(10_000);
    let asleep = meter.awake(75_000).unwrap();
    assert_eq!((asleep.from, asleep.to), (0, 10));
    assert_eq!(seconds(&asleep), [(0, 10)]);
    let after = meter.finish();
    assert_eq!(after, None, "the new report begins after the sleep");
    meter.awake(80_000);
    let after = meter.finish().unwrap();
    assert_eq!((after.from, after.to), (75, 80));
}

#[test]
fn a_clock_set_back_reports_no_second_twice() {
    let mut meter = Meter::new(100_000, 0);
    meter.healthy(assignment(1), 100_000);
    meter.healthy(assignment(1), 110_000);
    meter.awake(110_000);
    assert_eq!(seconds(&meter.cut(110).unwrap()), [(100, 110)]);
    meter.awake(50_000);
    meter.healthy(assignment(1), 50_000);
    assert_eq!(meter.due(10), None);
    assert_eq!(meter.cut(60), None);
    // A restarted agent knows what was reported.
    let mut restarted = Meter::new(60_000, 110);
    restarted.awake(105_000);
    assert_eq!(restarted.finish(), None);
}

#[test]
fn assignments_of_one_instance_are_kept_apart() {
    let mut meter = Meter::new(0, 0);
    let later = Assignment {
        epoch: 2,
        ..assignment(1)
    };
    meter.healthy(assignment(1), 0);
    meter.healthy(assignment(1), 4_000);
    meter.ended(assignment(1));
    meter.healthy(later, 4_000);
    meter.healthy(later, 8_000);
    assert_eq!(meter.running(), 1);
    meter.awake(10_000);
    let report = meter.cut(10).unwrap();
    let epochs: Vec<u64> = report
        .instances
        .iter()
        .map(|i| i.assignment.epoch)
        .collect();
    assert_eq!(
        (epochs, seconds(&report)),
        (vec![1, 2], vec![(0, 4), (4, 8)])
    );
}

/// One step of a run, `ms` after the step before.
#[derive(Debug, Clone, Copy)]
enum Step {
    Healthy(u8),
    Ended(u8),
    Cut,
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let step = prop_oneof![
        4 => (0_u8..3).prop_map(Step::Healthy),
        1 => (0_u8..3).prop_map(Step::Ended),
        2 => Just(Step::Cut),
    ];
    proptest::collection::vec((0_i64..12_000, step), 0..60)
}

/// Looks at everything that is healthy before each cut, as the agent does: what is proven only later is in no report.
fn with_looks(steps: &[(i64, Step)]) -> Vec<(i64, Step)> {
    let mut running = BTreeSet::new();
    let mut all = Vec::new();
    for (pause, step) in steps {
        let mut pause = *pause;
        match step {
            Step::Healthy(n) => {
                running.insert(*n);
            }
            Step::Ended(n) => {
                running.remove(n);
            }
            Step::Cut => {
                for n in &running {
                    all.push((std::mem::take(&mut pause), Step::Healthy(*n)));
                }
            }
        }
        all.push((pause, *step));
    }
    all
}

/// The seconds proven by looks, by definition: every second wholly between two looks of one unbroken run.
fn model(steps: &[(i64, Step)], to: u64) -> BTreeMap<Assignment, BTreeSet<u64>> {
    let mut last: BTreeMap<u8, (i64, i64)> = BTreeMap::new();
    let mut proven: BTreeMap<Assignment, BTreeSet<u64>> = BTreeMap::new();
    let mut close = |n: u8, (since, until): (i64, i64)| {
        let whole = (ceil_second(since)..floor_second(until)).filter(|second| *second < to);
        proven.entry(assignment(n)).or_default().extend(whole);
    };
    let mut now = 0;
    for (pause, step) in steps {
        now += pause;
        match step {
            Step::Healthy(n) => {
                let run = match last.get(n) {
                    Some((since, until)) if now - until <= MAX_SILENCE_MS => (*since, now),
                    Some(run) => {
                        close(*n, *run);
                        (now, now)
                    }
                    None => (now, now),
                };
                last.insert(*n, run);
            }
            Step::Ended(n) => {
                if let Some(run) = last.remove(n) {
                    close(*n, run);
                }
            }
            Step::Cut => {}
        }
    }
    for (n, run) in last {
        close(n, run);
    }
    proven.retain(|_, seconds| !seconds.is_empty());
    proven
}

proptest! {
    #[test]
    fn reports_together_hold_every_proven_second_once(steps in steps()) {
        let steps = with_looks(&steps);
        let mut meter = Meter::new(0, 0);
        let (mut now, mut reports) = (0, Vec::new());
        for (pause, step) in &steps {
            now += pause;
            reports.extend(meter.awake(now));
            match step {
                Step::Healthy(n) => meter.healthy(assignment(*n), now),
                Step::Ended(n) => meter.ended(assignment(*n)),
                Step::Cut => {
                    if let Some(due) = meter.due(10) {
                        reports.extend(meter.cut(due));
                    }
                }
            }
        }
        reports.extend(meter.finish());

        let mut up_to = 0;
        let mut counted: BTreeMap<Assignment, BTreeSet<u64>> = BTreeMap::new();
        for report in &reports {
            prop_assert!(report.from < report.to);
            prop_assert_eq!(report.from, up_to);
            up_to = report.to;
            for interval in &report.instances {
                prop_assert!(report.from <= interval.from);
                prop_assert!(interval.from < interval.to && interval.to <= report.to);
                for second in interval.from..interval.to {
                    let fresh = counted.entry(interval.assignment).or_default().insert(second);
                    prop_assert!(fresh, "second {} counted twice", second);
                }
            }
        }
        prop_assert_eq!(counted, model(&steps, up_to));
    }
}
