//! What is counted of histories.

use chrono::TimeDelta;
use serde::Serialize;

/// Counts of one history, or of several added up.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub seeds: u64,
    pub events: u64,
    /// Virtual time that passed.
    pub virtual_seconds: u64,
    /// Machines that ever were.
    pub nodes: u64,
    pub apps: u64,
    /// Placements that were looked for.
    pub decisions: u64,
    /// Copies that were given a node.
    pub placements: u64,
    /// Nodes that were declared lost or left for good.
    pub node_losses: u64,
    /// Times the plane, or a part of it, could not be reached or was replaced.
    pub plane_outages: u64,
    /// From the moment a node fell silent to that at which its instance had another node, in milliseconds.
    pub placed_again: Vec<i64>,
    /// Of these, those after a silent death, during which the plane was there, and that found a node at once.
    pub placed_undisturbed: Vec<i64>,
    /// From the moment a node fell silent until its instance was healthy elsewhere, in milliseconds.
    pub healthy_again: Vec<i64>,
    /// Wanted instances times milliseconds.
    pub wanted_ms: u128,
    /// Of these, without a working node.
    pub waiting_ms: u128,
}

impl Figures {
    pub fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.events += other.events;
        self.virtual_seconds += other.virtual_seconds;
        self.nodes += other.nodes;
        self.apps += other.apps;
        self.decisions += other.decisions;
        self.placements += other.placements;
        self.node_losses += other.node_losses;
        self.plane_outages += other.plane_outages;
        self.placed_again.extend(&other.placed_again);
        self.placed_undisturbed.extend(&other.placed_undisturbed);
        self.healthy_again.extend(&other.healthy_again);
        self.wanted_ms += other.wanted_ms;
        self.waiting_ms += other.waiting_ms;
    }

    /// Time passes while so many instances are wanted and wait.
    pub(crate) fn pass(&mut self, time: TimeDelta, wanted: u64, waiting: u64) {
        let ms = u128::from(time.num_milliseconds().max(0).unsigned_abs());
        self.wanted_ms += ms * u128::from(wanted);
        self.waiting_ms += ms * u128::from(waiting);
    }

    /// The figures as they are shown. `wall` is the time the histories took.
    pub fn summary(&self, wall: std::time::Duration) -> Summary {
        Summary {
            seeds: self.seeds,
            events: self.events,
            virtual_hours: self.virtual_seconds / 3_600,
            nodes: self.nodes,
            apps: self.apps,
            decisions: self.decisions,
            placements: self.placements,
            node_losses: self.node_losses,
            plane_outages: self.plane_outages,
            placed_again: Quantiles::of(&self.placed_again),
            placed_undisturbed: Quantiles::of(&self.placed_undisturbed),
            healthy_again: Quantiles::of(&self.healthy_again),
            pending_per_million: share(self.waiting_ms, self.wanted_ms),
            wall_ms: wall.as_millis(),
            events_per_second: u128::from(self.events) * 1_000 / wall.as_millis().max(1),
        }
    }
}

/// Figures as they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub seeds: u64,
    pub events: u64,
    pub virtual_hours: u64,
    pub nodes: u64,
    pub apps: u64,
    pub decisions: u64,
    pub placements: u64,
    pub node_losses: u64,
    pub plane_outages: u64,
    /// From a node's silence to the replacement's placement, in virtual time.
    pub placed_again: Option<Quantiles>,
    /// Of these, those after a silent death, during which the plane was there, and that found a node at once.
    pub placed_undisturbed: Option<Quantiles>,
    /// From a node's silence to the replacement's health, in virtual time.
    pub healthy_again: Option<Quantiles>,
    /// Of the instance time that was wanted, so much passed without a working node.
    pub pending_per_million: u128,
    pub wall_ms: u128,
    pub events_per_second: u128,
}

/// Of a list of times, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    pub count: usize,
    pub p50_ms: i64,
    pub p99_ms: i64,
    pub most_ms: i64,
}

impl Quantiles {
    /// `None` of nothing.
    fn of(times: &[i64]) -> Option<Self> {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let at = |percent: usize| {
            // The smallest time that so many percent do not exceed.
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).copied()
        };
        Some(Self {
            count: sorted.len(),
            p50_ms: at(50)?,
            p99_ms: at(99)?,
            most_ms: at(100)?,
        })
    }
}

fn share(part: u128, whole: u128) -> u128 {
    part * 1_000_000 / whole.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_smallest_time_that_so_many_percent_do_not_exceed() {
        let times: Vec<i64> = (1..=200).rev().map(|n| n * 1_000).collect();
        let quantiles = Quantiles::of(&times).unwrap();
        let Quantiles {
            p50_ms,
            p99_ms,
            most_ms,
            ..
        } = quantiles;
        assert_eq!([p50_ms, p99_ms, most_ms], [100_000, 198_000, 200_000]);
        assert_eq!(Quantiles::of(&[]), None);
    }

    #[test]
    fn instances_that_wait_half_of_the_time_are_half_pending() {
        let mut figures = Figures::default();
        figures.pass(TimeDelta::seconds(1), 4, 4);
        figures.pass(TimeDelta::seconds(1), 4, 0);
        let summary = figures.summary(std::time::Duration::from_secs(2));
        assert_eq!(summary.pending_per_million, 500_000);
    }
}
