//! What a seed draws before anything happens: how large the fleet is, how full, and how much goes wrong.

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_node_registry::domain::liveness;
use fluxplane_scheduler::domain::{case::Terms, rollout::Rules};

use crate::random::Random;

/// The circumstances of one history.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) nodes: u64,
    /// Applications that are there at the start.
    pub(crate) apps: u64,
    /// Share of a machine that applications may use, in percent; less makes rooms scarce.
    pub(crate) capacity_percent: u64,
    /// Mean time between two things that go wrong.
    pub(crate) trouble: TimeDelta,
    /// Mean time between two wishes of customers.
    pub(crate) wishes: TimeDelta,
    /// Ports that applications choose from; few make them meet on addresses that machines share.
    pub(crate) ports: u16,
}

impl Scenario {
    pub(crate) fn draw(random: &mut Random, nodes: Option<u32>) -> Self {
        let drawn = random.weighted((1, (300, 600)), &[(1, (600, 1_200)), (1, (1_200, 2_000))]);
        let nodes = nodes.map_or_else(|| random.between(drawn.0, drawn.1), u64::from);
        Self {
            nodes,
            apps: nodes * random.between(6, 20) / 100,
            capacity_percent: random.weighted((2, 100), &[(1, 60), (1, 35)]),
            trouble: TimeDelta::seconds(random.weighted((1, 15), &[(1, 30), (1, 60)])),
            wishes: TimeDelta::seconds(random.weighted((1, 20), &[(1, 60)])),
            ports: random.weighted((2, 1_000), &[(1, 30)]),
        }
    }
}

/// Where virtual time begins: 2026-01-01 00:00:00 UTC.
pub(crate) const BEGINNING: DateTime<Utc> =
    DateTime::from_timestamp(1_767_225_600, 0).expect("a time within range");

/// Beats of an agent (`heartbeat_interval` of the registry's defaults).
pub(crate) const HEARTBEAT: TimeDelta = TimeDelta::seconds(5);

/// How often an agent says again what it runs (`REPORT_PERIOD` of its session).
pub(crate) const REPORT_PERIOD: TimeDelta = TimeDelta::seconds(15);

/// As in the registry's defaults: 15 s of silence make a suspect, 30 s a loss.
pub(crate) const LIVENESS: liveness::Rules = liveness::Rules {
    heartbeat_interval: std::time::Duration::from_secs(5),
    suspect_after_missed: 3,
    lost_after_missed: 6,
    mass_silence_percent: 50,
};

/// Until an unanswered probe counts as such (`probe_timeout` of the registry's defaults).
pub(crate) const PROBE_TIMEOUT: TimeDelta = TimeDelta::seconds(2);

/// How often the registry looks for silence (`PERIOD` of its liveness task), in milliseconds.
pub(crate) const JUDGE_PERIOD_MS: i64 = 500;

/// As in the scheduler's defaults.
pub(crate) const TERMS: Terms = Terms {
    rules: Rules {
        health_timeout: TimeDelta::minutes(10),
        retry: TimeDelta::seconds(5),
    },
    grace: TimeDelta::minutes(30),
    recheck: TimeDelta::minutes(5),
};

/// Time in which a revision must be paid (`pay_within` of the scheduler's defaults).
pub(crate) const PAY_WITHIN: TimeDelta = TimeDelta::minutes(60);
