//! The node registry: who beats, who is silent, who is lost. It judges with the code of the real one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::id::NodeId;
use fluxplane_core::node::NodeState;
use fluxplane_node_registry::domain::liveness::{self, Suspicion, Verdict, Watched};
use fluxplane_scheduler::domain::Node;

use crate::{
    machine::Machine,
    scenario::{BEGINNING, JUDGE_PERIOD_MS, LIVENESS, PROBE_TIMEOUT},
};

/// The registry.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) up: bool,
    /// It is up and hears nobody: its own network is cut.
    pub(crate) deaf: bool,
    pub(crate) listening_since: DateTime<Utc>,
    /// Since when nodes are suspect.
    suspects: BTreeMap<NodeId, DateTime<Utc>>,
    /// Looks for silence that are foreseen.
    looks: BTreeSet<DateTime<Utc>>,
}

/// What one look came to.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) suspect: Vec<NodeId>,
    pub(crate) lost: Vec<NodeId>,
    pub(crate) mass_silence: bool,
    /// When to look again.
    pub(crate) again: Option<DateTime<Utc>>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            up: true,
            deaf: false,
            listening_since: BEGINNING,
            suspects: BTreeMap::new(),
            looks: BTreeSet::new(),
        }
    }

    pub(crate) const fn hears(&self) -> bool {
        self.up && !self.deaf
    }

    /// The look at or after `at`, unless it is foreseen already.
    pub(crate) fn foresee(&mut self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let past = (at - BEGINNING).num_milliseconds();
        let periods = past.div_euclid(JUDGE_PERIOD_MS) + i64::from(past % JUDGE_PERIOD_MS != 0);
        let at = BEGINNING + TimeDelta::milliseconds(periods * JUDGE_PERIOD_MS);
        self.looks.insert(at).then_some(at)
    }

    /// Looks for silence. `judged_since` is when silence began to count.
    pub(crate) fn look(
        &mut self,
        machines: &BTreeMap<NodeId, Machine>,
        judged_since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Look {
        self.looks.remove(&now);
        let mut look = Look::default();
        if !self.up {
            return look;
        }
        let watched: Vec<Watched> = machines
            .values()
            .filter(|machine| machine.is_watched())
            .map(|machine| Watched {
                id: machine.id(),
                suspicion: self.suspicion(machine, now),
                last_heartbeat_at: machine.last_beat(now),
            })
            .collect();
        let judgement = liveness::judge(&watched, judged_since, now, LIVENESS);
        for (id, verdict) in &judgement.verdicts {
            match verdict {
                Verdict::Suspect { .. } => {
                    self.suspects.insert(*id, now);
                    look.suspect.push(*id);
                }
                Verdict::Lost { .. } => {
                    self.suspects.remove(id);
                    look.lost.push(*id);
                }
            }
        }
        look.mass_silence = judgement.mass_silence;
        if !look.suspect.is_empty() {
            look.again = Some(now + PROBE_TIMEOUT);
        } else if !self.suspects.is_empty() {
            // Nothing new can be known sooner than the next beat would have come.
            look.again = Some(now + TimeDelta::seconds(5));
        }
        look
    }

    /// The outcome of the plane's probe. An answer comes at once, its absence after a time.
    fn suspicion(&self, machine: &Machine, now: DateTime<Utc>) -> Option<Suspicion> {
        if machine.node.state != NodeState::Suspect {
            return None;
        }
        let since = self.suspects.get(&machine.id()).copied().unwrap_or(now);
        Some(if machine.answers() && !self.deaf {
            Suspicion::Reachable
        } else if now - since >= PROBE_TIMEOUT {
            Suspicion::Unreachable
        } else {
            Suspicion::NotProbed
        })
    }

    /// It beats, or is judged by something else than silence.
    pub(crate) fn forget(&mut self, id: NodeId) {
        self.suspects.remove(&id);
    }
}

/// Changes the state of a node, and gives what is announced.
pub(crate) fn set_state(node: &mut Node, state: NodeState) -> Node {
    node.state = state;
    node.version += 1;
    node.clone()
}
