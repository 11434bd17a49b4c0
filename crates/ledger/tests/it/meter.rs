//! Reports count once, in order, and never ahead of time.

use fluxplane_ledger::{
    interval::Interval,
    meter::{Meter, Refused, Report},
};
use proptest::prelude::*;

fn report(sequence: u64, from: u64, to: u64) -> Report {
    Report {
        sequence,
        ran: Interval::new(from, to).unwrap(),
    }
}

#[test]
fn a_gap_is_evidence_of_nothing() {
    let mut meter = Meter::default();
    let first = meter.accept(report(1, 0, 60), 100).unwrap();
    assert_eq!((first.evidence.seconds(), first.gap), (60, None));
    let second = meter.accept(report(2, 90, 100), 100).unwrap();
    assert_eq!(second.gap, Some(Interval::new(60, 90).unwrap()));
    let third = meter.accept(report(3, 100, 110), 110).unwrap();
    assert_eq!(third.gap, None);
    assert_eq!(meter, Meter::after(report(3, 100, 110)));
}

#[test]
fn a_report_that_does_not_fit_changes_nothing() {
    let mut meter = Meter::after(report(5, 0, 60));
    let mut refused = |offered| meter.accept(offered, 100).unwrap_err();
    assert_eq!(refused(report(5, 0, 60)), Refused::Repeated(5));
    assert!(matches!(refused(report(5, 60, 70)), Refused::Stale { .. }));
    assert!(matches!(refused(report(4, 60, 70)), Refused::Stale { .. }));
    assert!(matches!(
        refused(report(6, 59, 70)),
        Refused::Overlap { counted: 60, .. }
    ));
    assert!(matches!(
        refused(report(6, 60, 101)),
        Refused::Future { now: 100, .. }
    ));
    assert_eq!(meter.last(), Some(report(5, 0, 60)));
}

proptest! {
    #[test]
    fn no_second_is_counted_twice(
        offered in prop::collection::vec((0..20_u64, 0..200_u64, 1..30_u64), 0..40),
    ) {
        let mut meter = Meter::default();
        let mut counted: Vec<Interval> = Vec::new();
        for (sequence, from, seconds) in offered {
            let offered = report(sequence, from, from + seconds);
            if let Ok(accepted) = meter.accept(offered, 220) {
                prop_assert!(counted.last().is_none_or(|last| last.to() <= accepted.evidence.from()));
                counted.push(accepted.evidence);
            }
        }
    }
}
