//! What goes wrong, and how often.

use chrono::TimeDelta;
use fluxplane_core::node::NodeState;
use fluxplane_core::{id::NodeId, place::Network};
use fluxplane_scheduler::domain::{Node, observe::Phase};

use super::World;
use crate::{
    event::{Event, Run},
    journal::short,
    machine::{Ailment, Machine},
    registry::set_state,
};

/// Kinds of trouble.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Death,
    Cut,
    Mute,
    AgentRestart,
    Flapping,
    Leaving,
    Ineligible,
    Joining,
    Measured,
    Unhealthy,
    Operator,
    Network,
    Country,
    PlaneCut,
    RegistryDown,
    SchedulerDown,
    LeaderChange,
}

/// How often each kind is drawn.
const KINDS: [(u64, Trouble); 16] = [
    (140, Trouble::Cut),
    (60, Trouble::Mute),
    (80, Trouble::AgentRestart),
    (60, Trouble::Flapping),
    (50, Trouble::Leaving),
    (40, Trouble::Ineligible),
    (70, Trouble::Joining),
    (80, Trouble::Measured),
    (100, Trouble::Unhealthy),
    (30, Trouble::Operator),
    (25, Trouble::Network),
    (8, Trouble::Country),
    (8, Trouble::PlaneCut),
    (12, Trouble::RegistryDown),
    (20, Trouble::SchedulerDown),
    (20, Trouble::LeaderChange),
];

impl World {
    pub(super) fn trouble(&mut self) -> String {
        if self.calm_since.is_some() {
            return "nothing goes wrong any more".to_owned();
        }
        let next = self.misfortune.waiting(self.scenario.trouble);
        self.after(next, Event::Trouble);
        let present = self.machines.values().filter(|machine| !machine.left);
        let present: Vec<NodeId> = present.map(Machine::id).collect();
        let Some(id) = self.misfortune.pick(&present).copied() else {
            return "no machine is left".to_owned();
        };
        let kind = self.misfortune.weighted((200, Trouble::Death), &KINDS);
        match kind {
            Trouble::Death => self.falls(id, Ailment::Off, TimeDelta::minutes(20)),
            Trouble::Cut => self.falls(id, Ailment::Cut, TimeDelta::minutes(3)),
            Trouble::Mute => self.falls(id, Ailment::Mute, TimeDelta::minutes(2)),
            Trouble::AgentRestart => self.falls(id, Ailment::Mute, TimeDelta::seconds(5)),
            Trouble::Flapping => self.flaps(id),
            Trouble::Leaving => self.leaves(id),
            Trouble::Ineligible => self.ineligible(id),
            Trouble::Joining => self.joins(),
            Trouble::Measured => self.measured(id),
            Trouble::Unhealthy => self.unhealthy(),
            Trouble::Operator => self.outage(id, "operator", |a, b| a.operator == b.operator),
            Trouble::Network => {
                let network = |node: &Node| Network::from(node.ip);
                self.outage(id, "network", |a, b| network(a) == network(b))
            }
            Trouble::Country => {
                self.outage(id, "country", |a, b| a.place.country == b.place.country)
            }
            Trouble::PlaneCut => self.registry_falls(false),
            Trouble::RegistryDown => self.registry_falls(true),
            Trouble::SchedulerDown => self.scheduler_falls(),
            Trouble::LeaderChange => {
                self.plane.change_leader();
                "another leader takes over".to_owned()
            }
        }
    }

    fn falls(&mut self, id: NodeId, ailment: Ailment, mean: TimeDelta) -> String {
        let lasts = TimeDelta::seconds(1) + self.misfortune.waiting(mean);
        self.fall(&[id], ailment, lasts)
    }

    /// Again and again for a short time: often too short to be noticed, sometimes just long enough.
    fn flaps(&mut self, id: NodeId) -> String {
        let times = self.misfortune.between(3, 8);
        let mut start = TimeDelta::zero();
        for _ in 0..times {
            let (short, long) = (TimeDelta::seconds(3), TimeDelta::seconds(40));
            let lasts = self.misfortune.span(short, long);
            let event = Event::Fall {
                nodes: vec![id],
                ailment: Ailment::Cut,
                lasts,
            };
            self.after(start, event);
            start += lasts + self.misfortune.span(TimeDelta::seconds(2), long);
        }
        format!("node {} flaps {times} times", short(id))
    }

    /// All machines that have something in common.
    fn outage(&mut self, id: NodeId, what: &str, alike: impl Fn(&Node, &Node) -> bool) -> String {
        let Some(one) = self.machines.get(&id).map(|machine| machine.node.clone()) else {
            return String::new();
        };
        let all = self.machines.values();
        let struck = all.filter(|other| !other.left && alike(&one, &other.node));
        let struck: Vec<NodeId> = struck.map(Machine::id).collect();
        let ailment = self
            .misfortune
            .weighted((2, Ailment::Cut), &[(1, Ailment::Off)]);
        let mean = TimeDelta::minutes(4);
        let lasts = TimeDelta::seconds(5) + self.misfortune.waiting(mean);
        let text = self.fall(&struck, ailment, lasts);
        format!("{what} outage, {} nodes: {text}", struck.len())
    }

    /// A machine is switched off for good. Either its operator says so, or its silence does.
    fn leaves(&mut self, id: NodeId) -> String {
        let says = self.registry.up && self.misfortune.chance(500);
        let Some(machine) = self.machines.get_mut(&id) else {
            return String::new();
        };
        machine.left = true;
        machine.containers.clear();
        machine.off_at = Some(self.now);
        let mut changed = Vec::new();
        if says {
            self.figures.node_losses += 1;
            machine.out_since = Some(self.now);
            self.registry.forget(id);
            changed.push(set_state(&mut machine.node, NodeState::Retired));
        }
        self.touched_nodes.insert(id);
        self.silence(id);
        self.announce(changed);
        format!("node {} leaves for good", short(id))
    }

    /// The collateral of a node leaves the chain's list; the machine goes on.
    fn ineligible(&mut self, id: NodeId) -> String {
        let up = self.registry.up;
        let Some(machine) = self.machines.get_mut(&id).filter(|_| up) else {
            return "a collateral moves, and the registry is down".to_owned();
        };
        match machine.node.state {
            NodeState::Joined | NodeState::Ready | NodeState::Suspect | NodeState::Lost => {}
            NodeState::Ineligible | NodeState::Retired => {
                return "a collateral moves that does not count".to_owned();
            }
        }
        self.figures.node_losses += 1;
        machine.out_since = Some(self.now);
        self.registry.forget(id);
        let changed = set_state(&mut machine.node, NodeState::Ineligible);
        self.announce(vec![changed]);
        if self.misfortune.chance(600) {
            let time = self.misfortune.waiting(TimeDelta::minutes(15));
            self.after(time, Event::Eligible(id));
        }
        format!("node {} loses its collateral", short(id))
    }

    pub(super) fn eligible(&mut self, id: NodeId) -> String {
        let Some(machine) = self.machines.get_mut(&id) else {
            return String::new();
        };
        if machine.left || machine.node.state != NodeState::Ineligible || !self.registry.up {
            return format!("node {} stays as it is", short(id));
        }
        let joined = set_state(&mut machine.node, NodeState::Joined);
        let mut changed = vec![joined];
        // The next beat makes it ready.
        if machine.silence.is_none() {
            machine.out_since = None;
            changed.push(set_state(&mut machine.node, NodeState::Ready));
        }
        self.announce(changed);
        format!("node {} has its collateral again", short(id))
    }

    fn joins(&mut self) -> String {
        let id = self.join();
        self.reconnect_later(&[id]);
        format!("node {} joins", short(id))
    }

    /// A benchmark finds more or less than the last one.
    fn measured(&mut self, id: NodeId) -> String {
        let up = self.registry.up;
        let Some(machine) = self.machines.get_mut(&id).filter(|_| up) else {
            return "a benchmark, and the registry is down".to_owned();
        };
        let capacity = self.fleet.capacity(machine.node.tier);
        machine.node.capacity = capacity;
        machine.most.cpu_milli = machine.most.cpu_milli.max(capacity.cpu_milli);
        machine.most.ram_mib = machine.most.ram_mib.max(capacity.ram_mib);
        machine.most.disk_gib = machine.most.disk_gib.max(capacity.disk_gib);
        let state = machine.node.state;
        let changed = set_state(&mut machine.node, state);
        self.announce(vec![changed]);
        format!("node {} has {capacity} now", short(id))
    }

    /// A container's probe fails for a while.
    fn unhealthy(&mut self) -> String {
        let healthy = self.machines.values().flat_map(|machine| {
            let containers = machine.containers.iter();
            let healthy = containers.filter(|(_, c)| c.phase == Phase::Healthy && !c.stopping);
            healthy.map(|(instance, container)| Run {
                node: machine.id(),
                instance: *instance,
                serial: container.serial,
            })
        });
        let healthy: Vec<Run> = healthy.collect();
        let Some(run) = self.misfortune.pick(&healthy).copied() else {
            return "nothing runs yet".to_owned();
        };
        let time = TimeDelta::seconds(5) + self.misfortune.waiting(TimeDelta::seconds(30));
        self.after(time, Event::Progress(run));
        self.progress(run)
    }

    /// The registry is down, or its own network is.
    fn registry_falls(&mut self, down: bool) -> String {
        if !self.registry.hears() {
            return "the registry hears nothing already".to_owned();
        }
        self.figures.plane_outages += 1;
        self.disturbed_at = self.now;
        if down {
            self.registry.up = false;
        } else {
            self.registry.deaf = true;
        }
        let all: Vec<NodeId> = self.machines.keys().copied().collect();
        for id in all {
            self.silence(id);
        }
        let lasts = TimeDelta::seconds(5) + self.misfortune.waiting(TimeDelta::minutes(2));
        self.after(lasts, Event::Listen { restarted: down });
        let what = if down { "is down" } else { "is cut off" };
        format!("the registry {what} for {} s", lasts.num_seconds())
    }

    fn scheduler_falls(&mut self) -> String {
        if !self.plane.up {
            return "the scheduler is down already".to_owned();
        }
        self.figures.plane_outages += 1;
        self.disturbed_at = self.now;
        self.plane.up = false;
        self.audit.plane_fell_silent(&self.machines, self.now);
        let lasts = TimeDelta::seconds(5) + self.misfortune.waiting(TimeDelta::minutes(4));
        self.after(lasts, Event::SchedulerUp);
        format!("the scheduler is down for {} s", lasts.num_seconds())
    }
}
