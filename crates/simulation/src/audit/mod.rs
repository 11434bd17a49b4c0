//! The invariants, checked after every event by code that shares nothing with what it checks.
//!
//! The audit hears what the engine hears, and keeps two things beside it: plain books that are searched node by node, and
//! a second engine on which every decision is replayed. An event can only break what it touches, so after each only
//! that is checked; every [`SWEEP`] events everything is.

mod application;
mod books;
mod decision;
mod machines;
mod rule;
mod settled;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, InstanceId, NodeId};
use fluxplane_placement::{DecisionRecord, Engine, Reservation, Snapshot};
use fluxplane_scheduler::domain::{
    Copy, Node,
    case::{Case, Kept},
    fleet::LeftOut,
};

pub(crate) use application::{Count, count};
pub use rule::{Rule, Violation};

use crate::{
    journal::short,
    machine::Machine,
    plane::{Plane, Turn},
};
use books::Books;
use machines::Witness;

/// Events between two looks at everything.
pub(crate) const SWEEP: u64 = 256;

/// Decisions between two that are stored as text with their whole state, read again, and replayed from that.
const STORED: u64 = 500;

/// What is kept for the checks, and what they found.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    books: Books,
    twin: Engine,
    witness: Witness,
    found: Vec<Violation>,
    decisions: u64,
}

impl Audit {
    /// Everything found since it was asked last.
    pub(crate) fn take(&mut self) -> Vec<Violation> {
        std::mem::take(&mut self.found)
    }

    pub(crate) const fn decisions(&self) -> u64 {
        self.decisions
    }

    /// The engine hears of a node.
    pub(crate) fn saw_node(&mut self, node: &Node) {
        let node = node.to_placement();
        self.twin
            .upsert_node(node.clone())
            .expect("made-up machines have capacities that can be represented");
        self.books.put_node(node);
    }

    /// The engine hears what room an application takes.
    pub(crate) fn took_rooms(&mut self, app: AppId, rooms: &[Reservation]) {
        let wrong = self.books.set_rooms(app, rooms);
        self.found.extend(wrong);
        let held: Vec<Reservation> = self.twin.copies(app).cloned().collect();
        for room in held.iter().filter(|room| !rooms.contains(room)) {
            // It was found a moment ago.
            self.twin.release(room.instance).ok();
        }
        for room in rooms.iter().filter(|room| !held.contains(room)) {
            if let Err(err) = self.twin.adopt(room.clone()) {
                self.wrong(Rule::EngineInStep, err.to_string());
            }
        }
    }

    /// A new leader filled its engine from the tables: it must equal the one that was kept in step.
    pub(crate) fn reloaded(&mut self, engine: &Snapshot, left_out: &[LeftOut], plane: &Plane) {
        for (id, record) in &plane.apps {
            let rooms: Vec<_> = record.copies.iter().filter_map(Copy::reservation).collect();
            self.took_rooms(*id, &rooms);
        }
        if *engine != self.twin.snapshot() {
            let text = "the engine that a new leader filled differs from the one kept in step";
            self.wrong(Rule::EngineInStep, text.to_owned());
        }
        for left_out in left_out {
            self.wrong(Rule::EngineInStep, left_out.to_string());
        }
    }

    /// The engine could not be told something.
    pub(crate) fn left_out(&mut self, app: AppId, left_out: &LeftOut) {
        self.wrong(
            Rule::EngineInStep,
            format!("app {}: {left_out}", short(app)),
        );
    }

    /// A step decided, on the state that was heard so far.
    pub(crate) fn decided(&mut self, before: &[Copy], case: &Case) {
        for kept in &case.changes.decisions {
            self.decisions += 1;
            let lifted = in_place(before, case, kept)
                .and_then(|instance| self.books.lift(case.app.id, instance));
            if let Some(room) = &lifted {
                // The twin holds what the books hold.
                self.twin.release(room.instance).ok();
            }
            self.found
                .extend(decision::check(&self.books, &kept.record));
            self.replay(&kept.record);
            if let Some(room) = lifted {
                self.twin.adopt(room.clone()).ok();
                self.books.put_back(room);
            }
        }
        let decided = case.changes.decisions.iter();
        let decided = decided.flat_map(|kept| &kept.record.choices);
        let decided: BTreeSet<NodeId> = decided.map(|choice| choice.chosen.node).collect();
        let made = case.changes.assignments.iter().map(|made| made.instance);
        let nodes = made.filter_map(|id| {
            let mut copies = case.copies.iter();
            copies.find(|copy| copy.instance.id == id)?.instance.node
        });
        let nodes: BTreeSet<NodeId> = nodes.collect();
        if nodes != decided {
            let text = format!(
                "app {}: the records name {decided:?}, instances go to {nodes:?}",
                short(case.app.id)
            );
            self.wrong(Rule::AsRecorded, text);
        }
    }

    fn replay(&mut self, record: &DecisionRecord) {
        if let Err(err) = self.twin.replay(record) {
            self.wrong(Rule::Replay, err.to_string());
        }
        if self.decisions % STORED == 1
            && let Err(text) = replay_stored(record, &self.twin.snapshot())
        {
            self.wrong(Rule::Replay, text);
        }
    }

    /// A step is written.
    pub(crate) fn stepped(&mut self, turn: &Turn, plane: &Plane, now: DateTime<Utc>) {
        if let Some(record) = plane.apps.get(&turn.app) {
            let wrong = application::given_up(&turn.before, &turn.case, record);
            self.found.extend(wrong);
            self.found.extend(application::check(record, plane, now));
        }
    }

    pub(crate) fn app(&mut self, id: AppId, plane: &Plane, now: DateTime<Utc>) {
        if let Some(record) = plane.apps.get(&id) {
            self.found.extend(application::check(record, plane, now));
        }
    }

    pub(crate) fn machine(&mut self, machine: &Machine, plane: &Plane) {
        self.found.extend(machines::check(machine, plane));
    }

    /// A machine is about to stop these.
    pub(crate) fn stops(
        &mut self,
        machine: &Machine,
        instances: &[(InstanceId, u64)],
        plane: &Plane,
    ) {
        for (instance, _) in instances {
            self.found
                .extend(machines::stops(machine, *instance, plane));
        }
    }

    pub(crate) fn plane_fell_silent(
        &mut self,
        machines: &BTreeMap<NodeId, Machine>,
        now: DateTime<Utc>,
    ) {
        self.witness.look(machines, now);
    }

    pub(crate) fn plane_speaks(&mut self, machines: &BTreeMap<NodeId, Machine>) {
        self.found.extend(self.witness.compare(machines));
    }

    pub(crate) fn judged(
        &mut self,
        lost: &[NodeId],
        machines: &BTreeMap<NodeId, Machine>,
        listening_since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        let wrong = machines::judged(lost, machines, listening_since, now);
        self.found.extend(wrong);
    }

    /// Looks at everything.
    pub(crate) fn sweep(
        &mut self,
        machines: &BTreeMap<NodeId, Machine>,
        plane: &Plane,
        now: DateTime<Utc>,
    ) {
        for id in plane.apps.keys() {
            self.app(*id, plane, now);
        }
        for machine in machines.values() {
            self.machine(machine, plane);
        }
    }

    /// The first thing that is not as wanted, to be asked once nothing goes wrong any more.
    pub(crate) fn unsettled(
        &self,
        machines: &BTreeMap<NodeId, Machine>,
        plane: &Plane,
    ) -> Option<String> {
        settled::unsettled(&self.books, machines, plane)
    }

    pub(crate) fn wrong(&mut self, rule: Rule, text: String) {
        self.found.push(Violation { rule, text });
    }
}

/// The instance that a decision placed where it is, if it is of that kind: made as if the instance had left its room.
fn in_place(before: &[Copy], case: &Case, kept: &Kept) -> Option<InstanceId> {
    let decided = |copy: &&Copy| copy.instance.decision == Some(kept.id);
    let copy = case.copies.iter().find(decided)?;
    let [choice] = kept.record.choices.as_slice() else {
        return None;
    };
    let was = before
        .iter()
        .find(|was| was.instance.id == copy.instance.id)?;
    (was.instance.node == Some(choice.chosen.node)).then_some(was.instance.id)
}

/// Stores a decision and its state as text, reads both, and decides again.
fn replay_stored(record: &DecisionRecord, state: &Snapshot) -> Result<(), String> {
    let again = |err: serde_json::Error| format!("a stored decision cannot be read: {err}");
    let record_text = serde_json::to_string(record).map_err(again)?;
    let state_text = serde_json::to_string(state).map_err(again)?;
    let record: DecisionRecord = serde_json::from_str(&record_text).map_err(again)?;
    let state: Snapshot = serde_json::from_str(&state_text).map_err(again)?;
    let engine = Engine::from_snapshot(state).map_err(|err| err.to_string())?;
    engine
        .replay(&record)
        .map(drop)
        .map_err(|err| err.to_string())
}
