//! Messages to the scheduler, and the leader's turns.

use chrono::TimeDelta;
use fluxplane_core::node::NodeState;
use fluxplane_scheduler::domain::{InstanceState, Node, observe::Report, rollout::Step};
use std::sync::Arc;

use super::World;
use crate::{
    event::Event,
    journal::{short, some},
    plane::Turn,
};

/// Time of one transaction of the leader.
const TURN: TimeDelta = TimeDelta::milliseconds(5);

impl World {
    /// Sends a message to the scheduler. Messages arrive in the order in which they were sent.
    pub(super) fn send(&mut self, message: Event) {
        let delay = TimeDelta::milliseconds(20) + self.wires.waiting(TimeDelta::milliseconds(80));
        let at = (self.now + delay).max(self.last_message_at);
        self.last_message_at = at;
        self.queue.put(at, message);
    }

    pub(super) fn nodes_changed(&mut self, nodes: Vec<Node>) -> String {
        let ids: Vec<_> = nodes.iter().map(|node| node.id).collect();
        if !self.plane.up {
            self.backlog.push(Event::NodesChanged(nodes));
            return format!("news of {} wait for the scheduler", some(&ids));
        }
        for node in nodes {
            let concerned = self.plane.node_changed(node, self.now);
            self.touched_apps.extend(concerned);
        }
        format!("the scheduler hears of {}", some(&ids))
    }

    pub(super) fn reported(&mut self, report: Report) -> String {
        let node = short(report.node);
        if !self.plane.up {
            self.backlog.push(Event::Reported(report));
            return format!("a report of {node} waits for the scheduler");
        }
        let concerned = self.plane.reported(&report, self.now);
        let news = concerned.len();
        self.touched_apps.extend(concerned);
        self.touched_nodes.insert(report.node);
        format!(
            "node {node} runs {}, {news} apps changed",
            report.instances.len()
        )
    }

    /// The scheduler is there again, with a new leader, and hears what waited.
    pub(super) fn scheduler_up(&mut self) -> String {
        self.audit.plane_speaks(&self.machines);
        self.plane.up = true;
        self.disturbed_at = self.now;
        self.plane.change_leader();
        let backlog = std::mem::take(&mut self.backlog);
        let count = backlog.len();
        for event in backlog {
            self.queue.put(self.now, event);
        }
        format!("the scheduler is up, {count} messages waited")
    }

    /// Puts the leader's next turn into the queue, when there is something to do.
    pub(super) fn foresee_turn(&mut self) {
        let Some(due_at) = self.plane.due_at() else {
            return;
        };
        let at = due_at.max(self.now + TURN);
        if self.turn_at.is_none_or(|foreseen| foreseen > at) {
            self.turn_at = Some(at);
            self.queue.put(at, Event::Turn);
        }
    }

    pub(super) fn turn(&mut self) -> String {
        if !self.plane.up {
            return "no leader".to_owned();
        }
        let turn = self
            .plane
            .turn(self.now, &mut self.audit, &mut self.saboteur);
        let Some(turn) = turn else {
            return "nothing is due".to_owned();
        };
        self.audit.stepped(&turn, &self.plane, self.now);
        self.touched_apps.insert(turn.app);
        self.note_repairs(&turn);
        for kept in &turn.case.changes.decisions {
            self.journal.seal(&kept.record.fingerprint().0);
        }
        let made = turn.case.changes.assignments.iter();
        let made: Vec<_> = made.map(|assignment| assignment.node).collect();
        self.figures.placements += u64::try_from(made.len()).unwrap_or(u64::MAX);
        for node in &turn.nodes {
            let wanted = Arc::new(self.plane.wanted(*node));
            self.desired.insert(*node, wanted);
            self.touched_nodes.insert(*node);
        }
        if !turn.nodes.is_empty() {
            let delay =
                TimeDelta::milliseconds(20) + self.wires.waiting(TimeDelta::milliseconds(80));
            self.after(delay, Event::Push(turn.nodes.clone()));
        }
        let (app, step) = (short(turn.app), name(&turn.step));
        let to = if made.is_empty() {
            String::new()
        } else {
            format!(" to {}", some(&made))
        };
        format!("app {app}: {step}{to}")
    }

    /// Instances of lost nodes that got another node in this turn.
    fn note_repairs(&mut self, turn: &Turn) {
        let replaced = turn.before.iter().filter(|before| {
            let mut after = turn.case.copies.iter();
            let after = after.find(|after| after.instance.id == before.instance.id);
            let lost = after.is_some_and(|after| after.instance.state == InstanceState::Lost);
            before.is_live() && lost
        });
        for copy in replaced {
            let machine = copy.instance.node.and_then(|id| self.machines.get(&id));
            let Some((machine, since)) = machine.and_then(|m| Some((m, m.out_since?))) else {
                continue;
            };
            let mut others = turn.case.copies.iter();
            let slot = copy.instance.slot;
            let new = others.find(|other| other.is_live() && other.instance.slot == slot);
            if let Some(new) = new {
                let time = (self.now - since).num_milliseconds();
                self.figures.placed_again.push(time);
                let in_vain = copy.instance.pending_filter.is_some();
                let there = self.registry.hears() && self.disturbed_at < since;
                let died = machine.node.state == NodeState::Lost;
                if died && there && !in_vain {
                    self.figures.placed_undisturbed.push(time);
                }
                self.repairs.insert(new.instance.id, since);
            }
        }
    }
}

fn name(step: &Step) -> String {
    match step {
        Step::Expire(expiry) => format!("expires, {expiry:?}"),
        Step::DropUpdate => "drops its update".to_owned(),
        Step::GiveUp(instances) => format!("gives up {}", some(instances)),
        Step::Stop(instances) => format!("stops {}", some(instances)),
        Step::Place { number, wishes } => {
            format!("places {} of revision {number}", wishes.len())
        }
        Step::StopRollout { cause, .. } => format!("stops its rollout: {cause}"),
        Step::Update(instance) => format!("updates {}", short(*instance)),
        Step::Wait { .. } => "waits".to_owned(),
    }
}
