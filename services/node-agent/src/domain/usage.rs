//! The meter: for how long each instance was healthy, in whole seconds that nobody can dispute.
//!
//! Only what was observed counts. Two successful looks not too far apart prove the time between them; a failed look ends
//! the proof at the last success. A second counts when it lies wholly inside proven time. Times are milliseconds since
//! 1970 coming in, seconds going out; intervals are `[from, to)`. No second is ever reported twice, even when the
//! machine's clock is set back.

use std::collections::BTreeMap;

use fluxplane_core::id::InstanceId;
use serde::{Deserialize, Serialize};

/// Two looks further apart prove nothing about the time between: the machine may have slept. Three looks at the pace of a
/// healthy instance.
const MAX_SILENCE_MS: i64 = 30_000;

/// What is metered: one assignment of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Assignment {
    pub instance: InstanceId,
    pub epoch: u64,
}

/// Seconds `[from, to)` in which an instance was healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    pub assignment: Assignment,
    pub from: u64,
    pub to: u64,
}

/// Evidence of running time, as it will be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The node was up in these seconds `[from, to)`.
    pub from: u64,
    pub to: u64,
    pub instances: Vec<Interval>,
}

/// Proven time of an instance that is still healthy.
#[derive(Debug, Clone, Copy)]
struct Run {
    since_ms: i64,
    until_ms: i64,
}

/// Collects evidence between two reports.
#[derive(Debug)]
pub struct Meter {
    /// First second of the next report.
    from: u64,
    /// Last time the meter saw the machine awake.
    seen_ms: i64,
    running: BTreeMap<Assignment, Run>,
    ended: Vec<Interval>,
}

impl Meter {
    /// Starts metering. `reported_to` is the end of the last report ever made on this machine, 0 if there was none.
    pub fn new(now_ms: i64, reported_to: u64) -> Self {
        Self {
            from: ceil_second(now_ms).max(reported_to),
            seen_ms: now_ms,
            running: BTreeMap::new(),
            ended: Vec::new(),
        }
    }

    /// An instance was seen healthy.
    pub fn healthy(&mut self, assignment: Assignment, at_ms: i64) {
        let fresh = Run {
            since_ms: at_ms,
            until_ms: at_ms,
        };
        match self.running.get_mut(&assignment) {
            None => {
                self.running.insert(assignment, fresh);
            }
            // The clock was set back: time already proven stays proven.
            Some(run) if at_ms < run.until_ms => {}
            Some(run) if at_ms - run.until_ms <= MAX_SILENCE_MS => run.until_ms = at_ms,
            Some(_) => {
                self.ended(assignment);
                self.running.insert(assignment, fresh);
            }
        }
    }

    /// An instance is not healthy any more, or not of this assignment. What was proven stays.
    pub fn ended(&mut self, assignment: Assignment) {
        if let Some(run) = self.running.remove(&assignment) {
            self.ended
                .extend(whole_seconds(assignment, run.since_ms, run.until_ms));
        }
    }

    /// The machine is awake. After a long sleep the report ends where it fell asleep, and a new one begins now.
    pub fn awake(&mut self, now_ms: i64) -> Option<Report> {
        let slept = now_ms - self.seen_ms > MAX_SILENCE_MS;
        let report = if slept {
            self.cut(floor_second(self.seen_ms))
        } else {
            None
        };
        if slept {
            self.from = self.from.max(ceil_second(now_ms));
        }
        self.seen_ms = self.seen_ms.max(now_ms);
        report
    }

    /// The end of a report that is due: the last multiple of `interval_s` that has passed.
    pub fn due(&self, interval_s: u64) -> Option<u64> {
        let now = floor_second(self.seen_ms);
        let boundary = now - now % interval_s.max(1);
        (boundary > self.from).then_some(boundary)
    }

    /// Ends the report at `to`, which is at most now. `None` when that would leave it empty.
    pub fn cut(&mut self, to: u64) -> Option<Report> {
        if to <= self.from {
            return None;
        }
        let from = self.from;
        let to_ms = to_millis(to);
        let mut proven = std::mem::take(&mut self.ended);
        for (assignment, run) in &mut self.running {
            proven.extend(whole_seconds(
                *assignment,
                run.since_ms,
                run.until_ms.min(to_ms),
            ));
            run.since_ms = run.since_ms.max(to_ms);
        }
        let mut instances = Vec::with_capacity(proven.len());
        for interval in proven {
            // An instance that ended after `to` leaves the rest to the next report.
            if interval.to > to {
                self.ended.push(Interval {
                    from: interval.from.max(to),
                    ..interval
                });
            }
            let clipped = Interval {
                from: interval.from.max(from),
                to: interval.to.min(to),
                ..interval
            };
            if clipped.from < clipped.to {
                instances.push(clipped);
            }
        }
        self.from = to;
        Some(Report {
            from,
            to,
            instances: merged(instances),
        })
    }

    /// Ends the report now, because the agent stops.
    pub fn finish(&mut self) -> Option<Report> {
        self.cut(floor_second(self.seen_ms))
    }

    /// Assignments that are healthy as far as is known.
    pub fn running(&self) -> usize {
        self.running.len()
    }
}

/// Joins intervals of one assignment that touch or overlap.
fn merged(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_by_key(|interval| (interval.assignment, interval.from));
    let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
    for interval in intervals {
        match merged.last_mut() {
            Some(last) if last.assignment == interval.assignment && interval.from <= last.to => {
                last.to = last.to.max(interval.to);
            }
            Some(_) | None => merged.push(interval),
        }
    }
    merged
}

/// The whole seconds inside a span, if there are any.
fn whole_seconds(assignment: Assignment, since_ms: i64, until_ms: i64) -> Option<Interval> {
    let (from, to) = (ceil_second(since_ms), floor_second(until_ms));
    (from < to).then_some(Interval {
        assignment,
        from,
        to,
    })
}

fn floor_second(ms: i64) -> u64 {
    u64::try_from(ms.div_euclid(1_000)).unwrap_or(0)
}

fn ceil_second(ms: i64) -> u64 {
    floor_second(ms.saturating_add(999))
}

fn to_millis(second: u64) -> i64 {
    i64::try_from(second)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000)
}

#[cfg(test)]
mod tests;
