//! What the answers to an application's own probes say about one component: whether it has started, can take clients, still
//! works.
//!
//! Every look asks, so that each proves its seconds; how often an answer counts as bad follows the probe's interval. A component
//! without probes has none of this.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::desired::{Probe, Probes};

/// A question that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Startup,
    Readiness,
    Health,
}

impl Which {
    const fn name(self) -> &'static str {
        match self {
            Self::Startup => "start-up",
            Self::Readiness => "readiness",
            Self::Health => "health",
        }
    }
}

/// What is to be said of a component after its questions were asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Ready,
    /// Not asked yet, still starting, or a bad answer that does not count alone.
    Waiting(String),
    /// It cannot take clients.
    NotReady(String),
    /// It does not work and is to be started again.
    Broken(String),
}

/// The probes of one component since its container was started.
#[derive(Debug, Clone)]
pub struct Probing {
    probes: Probes,
    /// When questions may begin, per probe, is counted from here.
    since: DateTime<Utc>,
    started: bool,
    readiness: Count,
    health: Count,
    startup: Count,
    ready: bool,
}

/// Good and bad answers in a row.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    good: u32,
    bad: u32,
    /// When a bad answer was counted last.
    counted_at: Option<DateTime<Utc>>,
}

impl Probing {
    /// Its container was started just now.
    pub const fn starting(probes: Probes, at: DateTime<Utc>) -> Self {
        let started = probes.startup.is_none();
        Self {
            probes,
            since: at,
            started,
            readiness: NONE,
            health: NONE,
            startup: NONE,
            ready: false,
        }
    }

    /// Its container ran when the agent came: nobody waits for a start that is long over.
    pub fn adopted(probes: Probes) -> Self {
        Self::starting(probes, DateTime::UNIX_EPOCH)
    }

    /// The questions to ask now, with how to ask them.
    pub fn due(&self, at: DateTime<Utc>) -> Vec<(Which, &Probe)> {
        let waited = |probe: &Probe| at >= self.since + seconds(probe.delay_s);
        let questions = if self.started {
            vec![
                (Which::Health, &self.probes.health),
                (Which::Readiness, &self.probes.readiness),
            ]
        } else {
            vec![(Which::Startup, &self.probes.startup)]
        };
        let given = questions
            .into_iter()
            .filter_map(|(which, probe)| Some((which, probe.as_ref()?)));
        given.filter(|(_, probe)| waited(probe)).collect()
    }

    /// Takes an answer into account; `Err` is a bad one.
    pub fn answered(
        &mut self,
        which: Which,
        answer: Result<(), String>,
        at: DateTime<Utc>,
    ) -> State {
        let (probe, count) = match which {
            Which::Startup => (&self.probes.startup, &mut self.startup),
            Which::Readiness => (&self.probes.readiness, &mut self.readiness),
            Which::Health => (&self.probes.health, &mut self.health),
        };
        let Some(probe) = probe else {
            return State::Ready;
        };
        let Err(cause) = answer else {
            *count = Count {
                good: count.good.saturating_add(1),
                ..NONE
            };
            let good = count.good;
            return self.well(which, good);
        };
        let rests = count
            .counted_at
            .is_some_and(|last| at < last + seconds(probe.interval_s));
        count.good = 0;
        if !rests {
            count.bad = count.bad.saturating_add(1);
            count.counted_at = Some(at);
        }
        let text = format!(
            "the {} probe failed {} of {} times: {cause}",
            which.name(),
            count.bad,
            probe.failures
        );
        let counts = count.bad >= probe.failures;
        match which {
            Which::Startup | Which::Health if counts => State::Broken(text),
            Which::Readiness if counts => {
                self.ready = false;
                State::NotReady(text)
            }
            Which::Readiness if !self.ready => State::NotReady(text),
            Which::Startup | Which::Health | Which::Readiness => State::Waiting(text),
        }
    }

    fn well(&mut self, which: Which, good: u32) -> State {
        match which {
            Which::Startup => {
                self.started = true;
                let ask = "it has started; the other probes are asked next";
                if self.probes.readiness.is_none() && self.probes.health.is_none() {
                    State::Ready
                } else {
                    State::Waiting(ask.to_owned())
                }
            }
            Which::Health => State::Ready,
            Which::Readiness => {
                let wanted = self
                    .probes
                    .readiness
                    .as_ref()
                    .map_or(1, |own| own.successes);
                self.ready = self.ready || good >= wanted;
                if self.ready {
                    State::Ready
                } else {
                    State::NotReady(format!(
                        "the readiness probe succeeded {good} of {wanted} times"
                    ))
                }
            }
        }
    }

    /// What is to be said while no question is due.
    pub fn idle(&self) -> State {
        let only_startup = self.probes.readiness.is_none() && self.probes.health.is_none();
        if self.started && only_startup {
            State::Ready
        } else {
            State::Waiting("its probes wait for their delay".to_owned())
        }
    }

    /// The longest pause until the next look.
    pub fn pace(&self) -> Option<Duration> {
        let probes = [
            &self.probes.startup,
            &self.probes.readiness,
            &self.probes.health,
        ];
        let intervals = probes.into_iter().flatten().map(|probe| probe.interval_s);
        intervals
            .min()
            .map(|s| Duration::from_secs(s.max(1).into()))
    }
}

const NONE: Count = Count {
    good: 0,
    bad: 0,
    counted_at: None,
};

fn seconds(seconds: u32) -> TimeDelta {
    TimeDelta::seconds(seconds.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn probe() -> Probe {
        Probe {
            port: 80,
            http_path: None,
            interval_s: 10,
            timeout_s: 2,
            delay_s: 0,
            failures: 3,
            successes: 1,
        }
    }

    fn bad() -> Result<(), String> {
        Err("refused".to_owned())
    }

    fn which(probing: &Probing, now: DateTime<Utc>) -> Vec<Which> {
        probing
            .due(now)
            .into_iter()
            .map(|(which, _)| which)
            .collect()
    }

    #[test]
    fn the_others_wait_for_the_start_and_a_start_that_never_comes_breaks() {
        let probes = Probes {
            startup: Some(probe()),
            readiness: Some(probe()),
            health: Some(probe()),
        };
        let mut probing = Probing::starting(probes, at(0));
        assert_eq!(which(&probing, at(0)), [Which::Startup]);
        for second in [0, 10] {
            let state = probing.answered(Which::Startup, bad(), at(second));
            assert!(matches!(state, State::Waiting(_)), "{state:?}");
        }
        let mut late = probing.clone();
        let broken = late.answered(Which::Startup, bad(), at(20));
        assert_eq!(
            broken,
            State::Broken("the start-up probe failed 3 of 3 times: refused".to_owned())
        );
        probing.answered(Which::Startup, Ok(()), at(20));
        assert_eq!(which(&probing, at(21)), [Which::Health, Which::Readiness]);
    }

    #[test]
    fn bad_answers_count_once_per_interval_and_a_good_one_forgets_them() {
        let probes = Probes {
            health: Some(probe()),
            ..Probes::default()
        };
        let mut probing = Probing::starting(probes, at(0));
        for second in [0, 1, 2, 9, 10, 11] {
            let state = probing.answered(Which::Health, bad(), at(second));
            assert!(matches!(state, State::Waiting(_)), "{second}: {state:?}");
        }
        assert_eq!(
            probing.answered(Which::Health, Ok(()), at(12)),
            State::Ready
        );
        for second in [20, 30] {
            let state = probing.answered(Which::Health, bad(), at(second));
            assert!(matches!(state, State::Waiting(_)));
        }
        let broken = probing.answered(Which::Health, bad(), at(40));
        assert!(matches!(broken, State::Broken(_)), "{broken:?}");
    }

    #[test]
    fn ready_after_enough_good_answers_and_until_enough_bad_ones() {
        let probes = Probes {
            readiness: Some(Probe {
                successes: 2,
                failures: 2,
                ..probe()
            }),
            ..Probes::default()
        };
        let mut probing = Probing::starting(probes, at(0));
        let first = probing.answered(Which::Readiness, Ok(()), at(0));
        assert!(matches!(first, State::NotReady(_)), "{first:?}");
        assert_eq!(
            probing.answered(Which::Readiness, Ok(()), at(1)),
            State::Ready
        );
        let once = probing.answered(Which::Readiness, bad(), at(2));
        assert!(matches!(once, State::Waiting(_)), "{once:?}");
        let twice = probing.answered(Which::Readiness, bad(), at(12));
        assert!(matches!(twice, State::NotReady(_)), "{twice:?}");
    }

    #[test]
    fn nobody_asks_before_the_delay_except_of_what_ran_before() {
        let probes = Probes {
            readiness: Some(Probe {
                delay_s: 5,
                ..probe()
            }),
            ..Probes::default()
        };
        let probing = Probing::starting(probes.clone(), at(1_000));
        assert!(which(&probing, at(1_004)).is_empty());
        assert!(matches!(probing.idle(), State::Waiting(_)));
        assert_eq!(which(&probing, at(1_005)), [Which::Readiness]);
        assert_eq!(probing.pace(), Some(Duration::from_secs(10)));
        assert_eq!(
            which(&Probing::adopted(probes), at(1_000)),
            [Which::Readiness]
        );
    }
}
