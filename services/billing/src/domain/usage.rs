//! Usage reports of nodes: which of the reported seconds are taken, and by which epoch.

use fluxplane_core::id::{InstanceId, NodeId};
use fluxplane_ledger::interval::Interval;

/// A report whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub node: NodeId,
    /// Rises by one with every report of the node.
    pub sequence: u64,
    /// The node was up.
    pub up: Option<Interval>,
    pub ran: Vec<Ran>,
}

/// An instance ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ran {
    pub instance: InstanceId,
    pub assignment_epoch: u64,
    pub seconds: Interval,
}

impl Report {
    /// Cuts off what lies after the present, which no node can have seen. `present` is the second at which the report
    /// arrived, with what clocks may differ by.
    #[must_use]
    pub fn up_to(mut self, present: u64) -> Self {
        let cut = |seconds: Interval| Interval::new(seconds.from(), seconds.to().min(present)).ok();
        self.up = self.up.and_then(cut);
        self.ran.retain_mut(|ran| match cut(ran.seconds) {
            Some(seconds) => {
                ran.seconds = seconds;
                true
            }
            None => false,
        });
        self
    }
}

/// An epoch that takes evidence, and the second at which it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepting {
    pub epoch: u64,
    pub ends_at: u64,
}

/// Divides seconds among the epochs that take evidence, the oldest first. What is older than all of them goes to the
/// oldest, what is newer to the newest; the epoch that ends hands on what lies behind its end.
pub fn spread(seconds: Interval, accepting: &[Accepting]) -> Vec<(u64, Interval)> {
    let mut parts = Vec::with_capacity(1);
    let mut from = seconds.from();
    for (place, epoch) in accepting.iter().enumerate() {
        let is_newest = place + 1 == accepting.len();
        let to = if is_newest {
            seconds.to()
        } else {
            seconds.to().min(epoch.ends_at)
        };
        if let Ok(part) = Interval::new(from, to) {
            parts.push((epoch.epoch, part));
            from = to;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval(from: u64, to: u64) -> Interval {
        Interval::new(from, to).unwrap()
    }

    #[test]
    fn a_report_over_a_boundary_is_divided_at_it() {
        let accepting = [
            Accepting {
                epoch: 4,
                ends_at: 100,
            },
            Accepting {
                epoch: 5,
                ends_at: 200,
            },
        ];
        assert_eq!(
            spread(interval(90, 110), &accepting),
            [(4, interval(90, 100)), (5, interval(100, 110))]
        );
        assert_eq!(
            spread(interval(10, 20), &accepting[1..]),
            [(5, interval(10, 20))]
        );
        assert_eq!(
            spread(interval(150, 260), &accepting),
            [(5, interval(150, 260))]
        );
        assert!(spread(interval(1, 2), &[]).is_empty());
    }

    #[test]
    fn what_has_not_happened_yet_is_cut_off() {
        let ran = |from, to| Ran {
            instance: InstanceId::new(uuid::Uuid::nil()),
            assignment_epoch: 1,
            seconds: interval(from, to),
        };
        let report = Report {
            node: NodeId::new(uuid::Uuid::nil()),
            sequence: 1,
            up: Some(interval(0, 50)),
            ran: vec![ran(0, 10), ran(20, 50), ran(40, 50)],
        };
        let cut = report.up_to(30);
        assert_eq!(cut.up, Some(interval(0, 30)));
        assert_eq!(cut.ran, [ran(0, 10), ran(20, 30)]);
    }

    proptest! {
        #[test]
        fn no_second_is_lost_or_doubled(from in 0_u64..300, length in 1_u64..200, ends in prop::collection::btree_set(1_u64..300, 1..4)) {
            let accepting: Vec<Accepting> = ends
                .iter()
                .zip(1..)
                .map(|(ends_at, epoch)| Accepting { epoch, ends_at: *ends_at })
                .collect();
            let parts = spread(interval(from, from + length), &accepting);
            let total: u64 = parts.iter().map(|(_, part)| part.seconds()).sum();
            prop_assert_eq!(total, length);
            prop_assert!(parts.windows(2).all(|pair| pair[0].1.to() == pair[1].1.from()));
        }
    }
}
