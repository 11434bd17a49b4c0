//! Sets of seconds. An interval covers `[from, to)`: its first second belongs to it, its end does not, so intervals
//! that touch neither overlap nor leave a gap.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

/// A span of whole seconds since 1970-01-01 UTC, not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawInterval")]
pub struct Interval {
    from: u64,
    to: u64,
}

#[derive(Deserialize)]
struct RawInterval {
    from: u64,
    to: u64,
}

/// An interval without seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the interval from {from} to {to} holds no second; `to` must be later than `from`")]
pub struct EmptyInterval {
    pub from: u64,
    pub to: u64,
}

impl Interval {
    pub const fn new(from: u64, to: u64) -> Result<Self, EmptyInterval> {
        if from < to {
            Ok(Self { from, to })
        } else {
            Err(EmptyInterval { from, to })
        }
    }

    pub const fn from(self) -> u64 {
        self.from
    }

    pub const fn to(self) -> u64 {
        self.to
    }

    pub const fn seconds(self) -> u64 {
        self.to - self.from
    }

    /// The seconds both have.
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to)).ok()
    }
}

impl TryFrom<RawInterval> for Interval {
    type Error = EmptyInterval;

    fn try_from(raw: RawInterval) -> Result<Self, Self::Error> {
        Self::new(raw.from, raw.to)
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.from, self.to)
    }
}

/// Some of the offered seconds are in the set already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{offered} overlaps {known}, which is counted already; a second is counted once")]
pub struct Overlap {
    pub offered: Interval,
    pub known: Interval,
}

/// A set of seconds as intervals that neither overlap nor touch, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Interval>", into = "Vec<Interval>")]
pub struct IntervalSet(Vec<Interval>);

impl IntervalSet {
    /// Adds seconds of which none may be known.
    pub fn insert(&mut self, offered: Interval) -> Result<(), Overlap> {
        if let Some(known) = self.overlapping(offered).first() {
            return Err(Overlap {
                offered,
                known: *known,
            });
        }
        self.merge(offered);
        Ok(())
    }

    /// Adds seconds and returns those that were not known before, so that each is counted exactly once.
    pub fn merge(&mut self, offered: Interval) -> Vec<Interval> {
        let fresh = self.gaps(offered);
        let touching = self.touching(offered);
        let neighbours = &self.0[touching.clone()];
        let from = neighbours
            .first()
            .map_or(offered.from, |known| known.from.min(offered.from));
        let to = neighbours
            .last()
            .map_or(offered.to, |known| known.to.max(offered.to));
        self.0.splice(touching, [Interval { from, to }]);
        fresh
    }

    /// The seconds of the window that are not in the set.
    pub fn gaps(&self, window: Interval) -> Vec<Interval> {
        let mut gaps = Vec::new();
        let mut from = window.from;
        for known in self.overlapping(window) {
            gaps.extend(Interval::new(from, known.from));
            from = known.to;
        }
        gaps.extend(Interval::new(from, window.to));
        gaps
    }

    /// How many seconds of the window are in the set.
    pub fn seconds_in(&self, window: Interval) -> u64 {
        let known = self.overlapping(window).iter();
        known
            .filter_map(|known| known.intersect(window))
            .map(Interval::seconds)
            .sum()
    }

    /// How many seconds there are.
    pub fn seconds(&self) -> u64 {
        self.0.iter().map(|interval| interval.seconds()).sum()
    }

    pub fn intervals(&self) -> &[Interval] {
        &self.0
    }

    /// The intervals that share a second with the window.
    fn overlapping(&self, window: Interval) -> &[Interval] {
        let start = self.0.partition_point(|known| known.to <= window.from);
        let rest = &self.0[start..];
        &rest[..rest.partition_point(|known| known.from < window.to)]
    }

    /// Where the intervals are that share a second with the offered one or lie directly beside it.
    fn touching(&self, offered: Interval) -> Range<usize> {
        let start = self.0.partition_point(|known| known.to < offered.from);
        let rest = &self.0[start..];
        start..start + rest.partition_point(|known| known.from <= offered.to)
    }
}

impl From<Vec<Interval>> for IntervalSet {
    fn from(intervals: Vec<Interval>) -> Self {
        let mut set = Self::default();
        for interval in intervals {
            set.merge(interval);
        }
        set
    }
}

impl From<IntervalSet> for Vec<Interval> {
    fn from(set: IntervalSet) -> Self {
        set.0
    }
}
