//! Machines and the registry that listens to them.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use fluxplane_core::id::NodeId;
use fluxplane_core::node::NodeState;
use fluxplane_scheduler::domain::{Node, observe::Phase};

use super::World;
use crate::{
    demand::{End, Temper},
    event::{Event, Run},
    journal::{short, some},
    machine::{Actions, Ailment, Container, Machine, Wanted},
    registry::set_state,
    scenario::{BEGINNING, HEARTBEAT, REPORT_PERIOD},
};

/// Beats that arrive within this time are taken together.
const TOGETHER_MS: i64 = 500;

impl World {
    /// A machine joins. It is ready once it beats.
    pub(super) fn join(&mut self) -> NodeId {
        let mut machine = self.fleet.machine();
        machine.fall_silent(self.now);
        let id = machine.id();
        self.machines.insert(id, machine);
        id
    }

    /// These machines fall ill for a while.
    pub(super) fn fall(&mut self, nodes: &[NodeId], ailment: Ailment, lasts: TimeDelta) -> String {
        if self.calm_since.is_some() {
            return "nothing goes wrong any more".to_owned();
        }
        self.illnesses += 1;
        let illness = self.illnesses;
        for id in nodes {
            let Some(machine) = self.machines.get_mut(id).filter(|machine| !machine.left) else {
                continue;
            };
            machine.ailments.insert(illness, ailment);
            if ailment == Ailment::Off {
                machine.containers.clear();
                machine.off_at = Some(self.now);
            }
            self.touched_nodes.insert(*id);
            self.silence(*id);
        }
        let nodes = nodes.to_vec();
        let text = format!("{} {ailment:?} for {} s", some(&nodes), lasts.num_seconds());
        self.after(lasts, Event::Recover { nodes, illness });
        text
    }

    /// The registry hears nothing of a machine from now on.
    pub(super) fn silence(&mut self, id: NodeId) {
        let Some(machine) = self.machines.get_mut(&id) else {
            return;
        };
        machine.fall_silent(self.now);
        let last_beat = machine.last_beat(self.now);
        if self.saboteur.agent_forgets(machine) {
            machine.wanted = Arc::new(Wanted {
                version: machine.wanted.version,
                token: machine.wanted.token,
                instances: Vec::new(),
            });
            self.act(id);
        }
        for missed in [3, 6] {
            self.foresee_look(last_beat + HEARTBEAT * missed);
        }
    }

    pub(super) fn foresee_look(&mut self, at: chrono::DateTime<chrono::Utc>) {
        if let Some(at) = self.registry.foresee(at.max(self.now)) {
            self.queue.put(at, Event::Judge);
        }
    }

    pub(super) fn recover(&mut self, nodes: &[NodeId], illness: u64) -> String {
        let mut recovered = Vec::new();
        for id in nodes {
            let Some(machine) = self.machines.get_mut(id) else {
                continue;
            };
            let was_off = machine.off();
            if machine.ailments.remove(&illness).is_none() {
                continue;
            }
            recovered.push(*id);
            if was_off && !machine.off() {
                self.boot(*id);
            }
        }
        self.reconnect_later(&recovered);
        format!("{} recover", some(&recovered))
    }

    /// A machine has power again, and starts what it was told last.
    pub(super) fn boot(&mut self, id: NodeId) {
        self.act(id);
        self.touched_nodes.insert(id);
    }

    /// Those that can be heard beat within an interval.
    pub(super) fn reconnect_later(&mut self, nodes: &[NodeId]) {
        let mut together: BTreeMap<i64, Vec<NodeId>> = BTreeMap::new();
        for id in nodes {
            if self.machines.get(id).is_some_and(Machine::healthy) && self.registry.hears() {
                let time = self.machinery.span(TimeDelta::zero(), HEARTBEAT);
                let period = time.num_milliseconds() / TOGETHER_MS + 1;
                together.entry(period).or_default().push(*id);
            }
        }
        for (period, nodes) in together {
            let time = TimeDelta::milliseconds(period * TOGETHER_MS);
            self.after(time, Event::Reconnect(nodes));
        }
    }

    pub(super) fn reconnect(&mut self, nodes: &[NodeId]) -> String {
        let mut heard = Vec::new();
        let mut changed = Vec::new();
        for id in nodes {
            let Some(machine) = self.machines.get_mut(id) else {
                continue;
            };
            if !machine.healthy() || !self.registry.hears() || machine.silence.is_none() {
                continue;
            }
            machine.silence = None;
            self.registry.forget(*id);
            heard.push(*id);
            match machine.node.state {
                NodeState::Joined | NodeState::Suspect | NodeState::Lost => {
                    machine.out_since = None;
                    changed.push(set_state(&mut machine.node, NodeState::Ready));
                }
                NodeState::Ready | NodeState::Ineligible | NodeState::Retired => {}
            }
            self.update(*id);
        }
        self.announce(changed);
        format!("{} beat", some(&heard))
    }

    pub(super) fn push(&mut self, nodes: &[NodeId]) -> String {
        for id in nodes {
            let heard = self.machines.get(id).is_some_and(|m| m.silence.is_none());
            if heard {
                self.update(*id);
            }
        }
        format!("{} get what they shall run", some(nodes))
    }

    /// A machine that is heard gets what it shall run, acts on it, and says what it runs.
    fn update(&mut self, id: NodeId) {
        let Some(machine) = self.machines.get_mut(&id) else {
            return;
        };
        if let Some(wanted) = self.desired.get(&id) {
            machine.take(wanted);
        }
        self.act(id);
        self.report(id);
    }

    fn act(&mut self, id: NodeId) {
        let Some(machine) = self.machines.get_mut(&id) else {
            return;
        };
        // After a power cut the images are at hand.
        let rebooted = machine.off_at.is_some() && machine.containers.is_empty();
        let Actions { started, stopping } = machine.act(&mut self.serials);
        self.audit.stops(machine, &stopping, &self.plane);
        self.touched_nodes.insert(id);
        for (instance, serial) in stopping {
            let seconds = self.machinery.between(1, 10);
            let time = TimeDelta::seconds(i64::try_from(seconds).unwrap_or(1));
            let run = Run {
                node: id,
                instance,
                serial,
            };
            self.after(time, Event::Stopped(run));
        }
        for (instance, serial) in started {
            let run = Run {
                node: id,
                instance,
                serial,
            };
            let pull = self
                .temper(run)
                .map_or(TimeDelta::zero(), |temper| temper.pull);
            let time = if rebooted {
                TimeDelta::milliseconds(100)
            } else {
                self.machinery.waiting(pull)
            };
            self.after(time, Event::Progress(run));
        }
    }

    fn temper(&self, run: Run) -> Option<Temper> {
        let container = self
            .machines
            .get(&run.node)?
            .containers
            .get(&run.instance)?;
        self.tempers.get(&container.revision).copied()
    }

    pub(super) fn progress(&mut self, run: Run) -> String {
        let temper = self.temper(run);
        let machine = self.machines.get_mut(&run.node);
        let container = machine
            .and_then(|machine| machine.containers.get_mut(&run.instance))
            .filter(|container| container.serial == run.serial && !container.stopping);
        let (Some(container), Some(temper)) = (container, temper) else {
            return format!("instance {} is gone already", short(run.instance));
        };
        let next = match (container.phase, temper.end) {
            (Phase::Pulling, _) => Phase::Starting,
            (Phase::Starting | Phase::Unhealthy, End::Healthy) => Phase::Healthy,
            (Phase::Starting | Phase::Unhealthy, End::Failed) => Phase::Failed,
            (Phase::Healthy, _) => Phase::Unhealthy,
            (same @ (Phase::Starting | Phase::Unhealthy), End::Never)
            | (same @ (Phase::Failed | Phase::Stopped), _) => same,
        };
        container.phase = next;
        let text = format!(
            "instance {} on {} is {next:?}",
            short(run.instance),
            short(run.node)
        );
        if next == Phase::Starting && temper.end != End::Never {
            let time = self.machinery.waiting(temper.start);
            self.after(time, Event::Progress(run));
        }
        if next == Phase::Healthy
            && let Some(since) = self.repairs.remove(&run.instance)
        {
            let time = (self.now - since).num_milliseconds();
            self.figures.healthy_again.push(time);
        }
        self.report(run.node);
        text
    }

    pub(super) fn stopped(&mut self, run: Run) -> String {
        let Some(machine) = self.machines.get_mut(&run.node) else {
            return String::new();
        };
        let stops = |container: &Container| container.serial == run.serial && container.stopping;
        if machine.containers.get(&run.instance).is_some_and(stops) {
            machine.containers.remove(&run.instance);
        }
        self.touched_nodes.insert(run.node);
        self.report(run.node);
        format!(
            "instance {} on {} has stopped",
            short(run.instance),
            short(run.node)
        )
    }

    /// A machine that is heard says what it runs.
    fn report(&mut self, id: NodeId) {
        let Some(machine) = self.machines.get(&id) else {
            return;
        };
        if machine.silence.is_some() {
            return;
        }
        let report = machine.report(self.now);
        let leaving = machine
            .containers
            .iter()
            .find(|(_, container)| container.stopping);
        let leaving = leaving.map(|(instance, _)| *instance);
        if !self.saboteur.loses_report(id, leaving) {
            self.send(Event::Reported(report));
        }
    }

    /// Every agent says again what it runs. Most say nothing new; only what the scheduler does not know yet is sent.
    pub(super) fn again(&mut self) -> String {
        self.after(REPORT_PERIOD, Event::Again);
        let heard = self.machines.values().filter(|m| m.silence.is_none());
        let news = heard.filter(|machine| self.plane.is_news(&machine.report(self.now), self.now));
        let news: Vec<NodeId> = news.map(Machine::id).collect();
        for id in &news {
            self.report(*id);
        }
        format!("agents say again what they run, {} with news", news.len())
    }

    /// The registry tells of nodes that changed.
    pub(super) fn announce(&mut self, nodes: Vec<Node>) {
        if !nodes.is_empty() {
            self.send(Event::NodesChanged(nodes));
        }
    }

    /// The registry looks for silence.
    pub(super) fn judge(&mut self) -> String {
        let listening_since = self.registry.listening_since;
        let since = self.saboteur.judged_since(listening_since, BEGINNING);
        let look = self.registry.look(&self.machines, since, self.now);
        let mut changed = Vec::new();
        let verdicts = [
            (&look.suspect, NodeState::Suspect),
            (&look.lost, NodeState::Lost),
        ];
        for (nodes, state) in verdicts {
            for id in nodes {
                let Some(machine) = self.machines.get_mut(id) else {
                    continue;
                };
                if state == NodeState::Lost {
                    self.figures.node_losses += 1;
                    machine.out_since = machine.silence.map(|silence| silence.since);
                }
                changed.push(set_state(&mut machine.node, state));
            }
        }
        self.audit
            .judged(&look.lost, &self.machines, listening_since, self.now);
        self.announce(changed);
        if let Some(at) = look.again {
            self.foresee_look(at);
        }
        let mass = if look.mass_silence {
            ", most are silent"
        } else {
            ""
        };
        format!(
            "suspect: {}; lost: {}{mass}",
            some(&look.suspect),
            some(&look.lost)
        )
    }

    /// The registry is there again, or hears again.
    pub(super) fn listen(&mut self, restarted: bool) -> String {
        self.registry.up = true;
        self.registry.deaf = false;
        self.disturbed_at = self.now;
        if restarted {
            self.registry.listening_since = self.now;
        }
        let all: Vec<NodeId> = self.machines.keys().copied().collect();
        self.reconnect_later(&all);
        for missed in [3, 6] {
            self.foresee_look(self.now + HEARTBEAT * missed);
        }
        "the registry listens".to_owned()
    }
}
