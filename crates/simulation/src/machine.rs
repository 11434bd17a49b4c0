//! A machine and its agent: what really runs, whatever anybody knows about it.
//!
//! The agent takes the newest full set of what it shall run, keeps it through a power cut, and changes nothing while it
//! hears nothing.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::node::NodeState;
use fluxplane_core::{
    Resources,
    id::{AppId, InstanceId, NodeId, RevisionId},
};
use fluxplane_scheduler::domain::{
    Node,
    observe::{Observed, Phase, Report},
};

use crate::scenario::{BEGINNING, HEARTBEAT};

/// Why a machine is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ailment {
    /// Without power: nothing runs.
    Off,
    /// Without network: everything runs.
    Cut,
    /// It cannot reach the plane, but answers when it is asked.
    Mute,
}

/// A machine.
#[derive(Debug)]
pub(crate) struct Machine {
    /// As the registry has it.
    pub(crate) node: Node,
    pub(crate) ailments: BTreeMap<u64, Ailment>,
    /// `Some` while the registry hears nothing from it.
    pub(crate) silence: Option<Silence>,
    /// Time of the first beat after the beginning; the others follow from it.
    beat: TimeDelta,
    /// It will not come back.
    pub(crate) left: bool,
    /// When it was without power last.
    pub(crate) off_at: Option<DateTime<Utc>>,
    /// Since when instances on it need another place; `None` while they do not.
    pub(crate) out_since: Option<DateTime<Utc>>,
    /// What it shall run, as far as it knows.
    pub(crate) wanted: Arc<Wanted>,
    pub(crate) containers: BTreeMap<InstanceId, Container>,
    /// The most it ever offered.
    pub(crate) most: Resources,
}

/// Silence of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) since: DateTime<Utc>,
    /// The last beat that the registry heard.
    pub(crate) last_beat: DateTime<Utc>,
}

/// What a node shall run: always the full set.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) version: u64,
    /// Fencing token of the leader that decided.
    pub(crate) token: u64,
    pub(crate) instances: Vec<WantedInstance>,
}

/// An instance that a node shall run.
#[derive(Debug, Clone)]
pub(crate) struct WantedInstance {
    pub(crate) instance: InstanceId,
    pub(crate) epoch: u64,
    pub(crate) app: AppId,
    pub(crate) revision: RevisionId,
    pub(crate) resources: Resources,
}

/// What runs on a machine.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) epoch: u64,
    pub(crate) app: AppId,
    pub(crate) revision: RevisionId,
    pub(crate) resources: Resources,
    pub(crate) phase: Phase,
    pub(crate) stopping: bool,
    pub(crate) serial: u64,
}

/// What an agent does about its wanted set.
#[derive(Debug, Default)]
pub(crate) struct Actions {
    pub(crate) started: Vec<(InstanceId, u64)>,
    pub(crate) stopping: Vec<(InstanceId, u64)>,
}

impl Machine {
    pub(crate) fn new(node: Node, beat: TimeDelta) -> Self {
        let most = node.capacity;
        Self {
            node,
            ailments: BTreeMap::new(),
            silence: None,
            beat,
            left: false,
            off_at: None,
            out_since: None,
            wanted: Arc::default(),
            containers: BTreeMap::new(),
            most,
        }
    }

    pub(crate) fn id(&self) -> NodeId {
        self.node.id
    }

    pub(crate) fn off(&self) -> bool {
        self.left
            || self
                .ailments
                .values()
                .any(|ailment| *ailment == Ailment::Off)
    }

    /// Whether it answers the plane's own probe.
    pub(crate) fn answers(&self) -> bool {
        let silent = |ailment: &Ailment| *ailment != Ailment::Mute;
        !self.left && !self.ailments.values().any(silent)
    }

    /// Whether it can be heard by a registry that listens.
    pub(crate) fn healthy(&self) -> bool {
        !self.left && self.ailments.is_empty()
    }

    /// Whether the registry waits for its beats.
    pub(crate) fn is_watched(&self) -> bool {
        matches!(self.node.state, NodeState::Ready | NodeState::Suspect)
    }

    /// The last beat that was heard by `now`.
    pub(crate) fn last_beat(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.silence.map_or_else(
            || {
                let since = (now - BEGINNING - self.beat).num_milliseconds();
                let beats = since.div_euclid(HEARTBEAT.num_milliseconds());
                BEGINNING + self.beat + HEARTBEAT * i32::try_from(beats).unwrap_or(i32::MAX)
            },
            |silence| silence.last_beat,
        )
    }

    /// From now on the registry hears nothing.
    pub(crate) fn fall_silent(&mut self, now: DateTime<Utc>) {
        if self.silence.is_none() {
            let last_beat = self.last_beat(now);
            self.silence = Some(Silence {
                since: now,
                last_beat,
            });
        }
    }

    /// Takes what it shall run, unless it knows something newer.
    pub(crate) fn take(&mut self, wanted: &Arc<Wanted>) {
        let newer = (wanted.token, wanted.version) > (self.wanted.token, self.wanted.version);
        if newer {
            self.wanted = Arc::clone(wanted);
        }
    }

    /// Starts what it shall run and does not, stops what it shall not run. `serials` numbers the starts.
    pub(crate) fn act(&mut self, serials: &mut u64) -> Actions {
        let mut actions = Actions::default();
        if self.off() {
            return actions;
        }
        let wanted = Arc::clone(&self.wanted);
        for (id, container) in &mut self.containers {
            let still = wanted.instances.iter().any(|other| other.instance == *id);
            if !still && !container.stopping {
                container.stopping = true;
                actions.stopping.push((*id, container.serial));
            }
        }
        for instance in &wanted.instances {
            let running = self.containers.get(&instance.instance);
            if running.is_some_and(|container| container.epoch == instance.epoch) {
                continue;
            }
            *serials += 1;
            let container = Container {
                epoch: instance.epoch,
                app: instance.app,
                revision: instance.revision,
                resources: instance.resources,
                phase: Phase::Pulling,
                stopping: false,
                serial: *serials,
            };
            self.containers.insert(instance.instance, container);
            actions.started.push((instance.instance, *serials));
        }
        actions
    }

    /// Everything it runs.
    pub(crate) fn report(&self, now: DateTime<Utc>) -> Report {
        let observed = self.containers.iter().map(|(id, container)| Observed {
            instance: *id,
            epoch: container.epoch,
            phase: container.phase,
            reason: match container.phase {
                Phase::Failed => "exit status 1".to_owned(),
                Phase::Unhealthy => "the probe timed out".to_owned(),
                Phase::Pulling | Phase::Starting | Phase::Healthy | Phase::Stopped => String::new(),
            },
        });
        Report {
            node: self.id(),
            desired_version: self.wanted.version,
            instances: observed.collect(),
            received_at: now,
        }
    }
}
