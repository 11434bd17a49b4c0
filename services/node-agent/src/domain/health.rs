//! Whether an instance is healthy, from one look after the other.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Phase;

/// Looks that must fail in a row before a healthy instance is said to be unhealthy: one lost connection is no outage.
const FAILURES: u32 = 2;

/// First pause between looks at an instance that starts; doubles up to [`Pace::until_healthy`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How often an instance is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// While it starts or is unhealthy.
    pub until_healthy: Duration,
    /// While it is healthy.
    pub healthy: Duration,
    /// So long it may take to answer for the first time.
    pub start_grace: Duration,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// All containers run and all probes succeeded.
    Well,
    /// The containers run and a probe failed.
    Ill(String),
    /// The application's own probes say that it can take no clients, after as many bad answers as it allows.
    Down(String),
    /// Nothing tells: the engine could not be asked, or a probe has no verdict yet.
    Unknown(String),
}

/// What a look says about the time since the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The instance is healthy now.
    Healthy,
    /// It has stopped being healthy; when is known no better than the last success.
    Ended,
    /// Nothing.
    Silent,
}

/// What is to be reported after a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub phase: Phase,
    pub reason: String,
    pub evidence: Evidence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Healthy,
    Unhealthy,
}

/// The health of one instance since its containers were started.
#[derive(Debug, Clone)]
pub struct Health {
    pace: Pace,
    state: State,
    /// When the state was entered.
    since: DateTime<Utc>,
    /// Failed looks in a row.
    failures: u32,
}

impl Health {
    /// Its containers were started just now.
    pub const fn starting(pace: Pace, at: DateTime<Utc>) -> Self {
        Self {
            pace,
            state: State::Starting,
            since: at,
            failures: 0,
        }
    }

    /// Takes one look into account.
    pub fn observe(&mut self, look: Look, at: DateTime<Utc>) -> Finding {
        match (look, self.state) {
            (Look::Well, _) => {
                self.failures = 0;
                self.enter(State::Healthy, at);
                self.finding(String::new(), Evidence::Healthy)
            }
            (Look::Unknown(_), State::Healthy) => self.finding(String::new(), Evidence::Silent),
            (Look::Unknown(reason), State::Starting | State::Unhealthy) => {
                // So that questions to one that starts slow down.
                self.failures = self.failures.saturating_add(1);
                self.finding(reason, Evidence::Silent)
            }
            (Look::Ill(reason), State::Starting) => {
                self.failures = self.failures.saturating_add(1);
                if at - self.since >= delta(self.pace.start_grace) {
                    self.enter(State::Unhealthy, at);
                }
                self.finding(reason, Evidence::Silent)
            }
            (Look::Ill(reason), State::Healthy) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures < FAILURES {
                    return self.finding(String::new(), Evidence::Silent);
                }
                self.enter(State::Unhealthy, at);
                self.finding(reason, Evidence::Ended)
            }
            (Look::Down(reason), State::Healthy) => {
                self.enter(State::Unhealthy, at);
                self.finding(reason, Evidence::Ended)
            }
            (Look::Down(reason), State::Starting)
                if at - self.since < delta(self.pace.start_grace) =>
            {
                self.failures = self.failures.saturating_add(1);
                self.finding(reason, Evidence::Silent)
            }
            (Look::Down(reason), State::Starting) => {
                self.enter(State::Unhealthy, at);
                self.finding(reason, Evidence::Silent)
            }
            (Look::Ill(reason) | Look::Down(reason), State::Unhealthy) => {
                self.finding(reason, Evidence::Silent)
            }
        }
    }

    /// How long until the next look.
    pub fn next_look(&self) -> Duration {
        match self.state {
            State::Starting => {
                let growing = FIRST_PAUSE.saturating_mul(1_u32 << self.failures.min(16));
                growing.min(self.pace.until_healthy)
            }
            State::Healthy if self.failures == 0 => self.pace.healthy,
            State::Healthy | State::Unhealthy => self.pace.until_healthy,
        }
    }

    /// How long it has been healthy without a break; `None` when it is not.
    pub fn healthy_for(&self, at: DateTime<Utc>) -> Option<TimeDelta> {
        (self.state == State::Healthy && self.failures == 0).then(|| at - self.since)
    }

    fn enter(&mut self, state: State, at: DateTime<Utc>) {
        if self.state != state {
            self.state = state;
            self.since = at;
        }
    }

    const fn finding(&self, reason: String, evidence: Evidence) -> Finding {
        let phase = match self.state {
            State::Starting => Phase::Starting,
            State::Healthy => Phase::Healthy,
            State::Unhealthy => Phase::Unhealthy,
        };
        Finding {
            phase,
            reason,
            evidence,
        }
    }
}

fn delta(span: Duration) -> TimeDelta {
    TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        until_healthy: Duration::from_secs(2),
        healthy: Duration::from_secs(10),
        start_grace: Duration::from_secs(30),
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn ill() -> Look {
        Look::Ill("refused".to_owned())
    }

    #[test]
    fn a_slow_start_is_no_illness_until_the_grace_is_over() {
        let mut health = Health::starting(PACE, at(0));
        assert_eq!(health.observe(ill(), at(1)).phase, Phase::Starting);
        assert_eq!(health.observe(ill(), at(29)).phase, Phase::Starting);
        let finding = health.observe(ill(), at(30));
        assert_eq!(
            (finding.phase, finding.reason.as_str()),
            (Phase::Unhealthy, "refused")
        );
        assert_eq!(health.observe(Look::Well, at(31)).phase, Phase::Healthy);
    }

    #[test]
    fn one_lost_probe_is_no_outage_and_two_end_the_evidence() {
        let mut health = Health::starting(PACE, at(0));
        health.observe(Look::Well, at(1));
        assert_eq!(health.next_look(), PACE.healthy);
        let first = health.observe(ill(), at(11));
        assert_eq!(
            (first.phase, first.evidence),
            (Phase::Healthy, Evidence::Silent)
        );
        assert_eq!(health.next_look(), PACE.until_healthy);
        let second = health.observe(ill(), at(13));
        assert_eq!(
            (second.phase, second.evidence),
            (Phase::Unhealthy, Evidence::Ended)
        );
        assert_eq!(health.healthy_for(at(13)), None);
    }

    #[test]
    fn an_engine_that_is_away_changes_nothing() {
        let mut health = Health::starting(PACE, at(0));
        health.observe(Look::Well, at(1));
        let finding = health.observe(Look::Unknown("away".to_owned()), at(100));
        assert_eq!(
            (finding.phase, finding.evidence),
            (Phase::Healthy, Evidence::Silent)
        );
        assert_eq!(health.healthy_for(at(100)), Some(TimeDelta::seconds(99)));
    }

    #[test]
    fn what_the_application_s_own_probes_say_counts_at_once() {
        let mut health = Health::starting(PACE, at(0));
        let down = || Look::Down("not ready".to_owned());
        assert_eq!(health.observe(down(), at(1)).phase, Phase::Starting);
        health.observe(Look::Well, at(2));
        let finding = health.observe(down(), at(3));
        assert_eq!(
            (finding.phase, finding.evidence),
            (Phase::Unhealthy, Evidence::Ended)
        );
        let mut slow = Health::starting(PACE, at(0));
        assert_eq!(slow.observe(down(), at(31)).phase, Phase::Unhealthy);
    }

    #[test]
    fn looks_at_a_starting_instance_slow_down_to_the_pace() {
        let mut health = Health::starting(PACE, at(0));
        let mut pauses = Vec::new();
        for _ in 0..7 {
            pauses.push(health.next_look().as_millis());
            health.observe(ill(), at(1));
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
    }
}
