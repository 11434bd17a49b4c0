//! One application in the leader's hands: everything about it, and what a step changes.
//!
//! A step is carried out here, in memory; what changed is then written in one transaction. So the decision is made without
//! waiting for anything, and either all of it is in the database or nothing.

mod end;
mod place;
mod settle;
mod update;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::{
    IdSource,
    id::{InstanceId, NodeId, RevisionId},
};
use fluxplane_placement::DecisionRecord;
use uuid::Uuid;

pub use settle::{Milestone, Settled};

use super::{
    App, Copy, Entry, Revision, Stage, Workload,
    desired::Assignment,
    fleet::Fleet,
    rollout::{Containers, Deadlines, Goal, Rules, Situation, Step, next_step},
};

/// Times that a case depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub rules: Rules,
    /// Further time for a payment that was seen in full.
    pub grace: TimeDelta,
    /// Longest time an application stays unlooked at.
    pub recheck: TimeDelta,
}

/// What was decided, to be kept.
#[derive(Debug, Clone)]
pub struct Kept {
    pub id: Uuid,
    /// Revision that was placed.
    pub number: u32,
    pub record: DecisionRecord,
    /// Time the decision took is measured by the caller; this is what it came to.
    pub outcome: Outcome,
}

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Every copy found a node.
    Placed,
    /// Some did.
    Partly,
    /// None did.
    Pending,
}

impl Outcome {
    pub const ALL: [Self; 3] = [Self::Placed, Self::Partly, Self::Pending];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Partly => "partly",
            Self::Pending => "pending",
        }
    }

    fn of(record: &DecisionRecord) -> Self {
        match (&record.pending, record.choices.is_empty()) {
            (None, _) => Self::Placed,
            (Some(_), false) => Self::Partly,
            (Some(_), true) => Self::Pending,
        }
    }
}

/// What a step changed.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub inserted: BTreeSet<InstanceId>,
    pub updated: BTreeSet<InstanceId>,
    /// Nodes that shall run something else than before.
    pub nodes: BTreeSet<NodeId>,
    pub assignments: Vec<Assignment>,
    pub decisions: Vec<Kept>,
    /// Decisions that instances no longer refer to.
    pub superseded: BTreeSet<Uuid>,
    /// Numbers of revisions that changed.
    pub revisions: BTreeSet<u32>,
    pub entries: Vec<Entry>,
    /// The application ended.
    pub ended: bool,
}

/// One application.
#[derive(Debug, Clone)]
pub struct Case {
    pub app: App,
    before: App,
    /// Those that were not dropped, oldest first.
    pub revisions: Vec<Revision>,
    /// Instances that live, or still take room.
    pub copies: Vec<Copy>,
    pub changes: Changes,
    pub now: DateTime<Utc>,
    terms: Terms,
}

/// What a step works with besides the case.
#[derive(Debug)]
pub struct Means<'a> {
    pub fleet: &'a mut Fleet,
    /// Of the revision that [`Case::needs`] names.
    pub workload: Option<&'a Workload>,
    pub ids: &'a dyn IdSource,
    /// Trace of the deployment, W3C.
    pub traceparent: &'a str,
}

impl Case {
    pub fn new(
        app: App,
        revisions: Vec<Revision>,
        copies: Vec<Copy>,
        now: DateTime<Utc>,
        terms: Terms,
    ) -> Self {
        Self {
            before: app.clone(),
            app,
            revisions,
            copies,
            changes: Changes::default(),
            now,
            terms,
        }
    }

    pub fn next_step(&self) -> Step {
        next_step(&self.situation())
    }

    /// The revision whose workload a step needs.
    pub fn needs(&self, step: &Step) -> Option<&Revision> {
        match step {
            Step::Place { number, .. } => self.revision(*number),
            Step::Update(_) => self.current(),
            Step::Expire(_)
            | Step::DropUpdate
            | Step::GiveUp(_)
            | Step::Stop(_)
            | Step::StopRollout { .. }
            | Step::Wait { .. } => None,
        }
    }

    /// Carries out a step in memory.
    pub fn carry_out(&mut self, step: Step, means: &mut Means<'_>) {
        self.note_start();
        match step {
            Step::Expire(expiry) => self.expire(expiry),
            Step::DropUpdate => self.drop_update(),
            Step::GiveUp(instances) => self.give_up(&instances),
            Step::Stop(instances) => self.stop(&instances),
            Step::Place { number, wishes } => self.place(number, wishes, means),
            Step::StopRollout { instance, cause } => self.stop_rollout(instance, cause),
            Step::Update(instance) => self.update(instance, means),
            Step::Wait { .. } => {}
        }
    }

    pub fn situation(&self) -> Situation<'_> {
        let current = self.current();
        let deadline = |revision: &Revision| {
            let awaits = revision.awaits_payment();
            awaits.then(|| revision.unpaid_deadline(self.terms.grace))
        };
        let pending = self.app.pending.and_then(|number| self.revision(number));
        Situation {
            now: self.now,
            rules: self.terms.rules,
            deadlines: Deadlines {
                unpaid: current.and_then(deadline),
                term: self.app.expires_at,
                update: pending.and_then(deadline),
            },
            ended: self.app.state.has_ended(),
            target: current
                .filter(|revision| revision.funded_at.is_some())
                .map(|revision| self.goal(revision)),
            stable: self.stable(),
            copies: &self.copies,
        }
    }

    /// Why the rollout of the current containers stopped, if it did.
    pub fn failure(&self) -> Option<&str> {
        self.base(self.current()?).failure.as_deref()
    }

    pub fn revision(&self, number: u32) -> Option<&Revision> {
        self.revisions
            .iter()
            .find(|revision| revision.number == number)
    }

    fn current(&self) -> Option<&Revision> {
        self.revision(self.app.current)
    }

    /// The revision that brought the containers of `revision`.
    fn base<'a>(&'a self, revision: &'a Revision) -> &'a Revision {
        self.revision(revision.rollout).unwrap_or(revision)
    }

    /// The newest earlier revision with other containers that are known to work.
    fn stable(&self) -> Option<Goal> {
        let target = self.current()?;
        let earlier = self.revisions.iter().rev().filter(|revision| {
            let base = self.base(revision);
            revision.number < target.number
                && revision.rollout != target.rollout
                && revision.funded_at.is_some()
                && base.proven_at.is_some()
                && base.failure.is_none()
        });
        earlier.map(|revision| self.goal(revision)).next()
    }

    fn goal(&self, revision: &Revision) -> Goal {
        let base = self.base(revision);
        Goal {
            number: revision.number,
            rollout: revision.rollout,
            instances: revision.instances,
            containers: match (&base.failure, base.finished_at, base.proven_at) {
                (Some(_), _, _) => Containers::Failed,
                (None, Some(_), _) => Containers::RolledOut,
                (None, None, Some(_)) => Containers::Proven,
                (None, None, None) => Containers::Unproven,
            },
            finished: revision.finished_at.is_some(),
            secrets: self.app.secrets,
        }
    }

    fn position(&self, id: InstanceId) -> Option<usize> {
        self.copies.iter().position(|copy| copy.instance.id == id)
    }

    /// The instance as it is to be changed; the change will be written.
    fn change(&mut self, id: InstanceId) -> Option<&mut Copy> {
        let position = self.position(id)?;
        if !self.changes.inserted.contains(&id) {
            self.changes.updated.insert(id);
        }
        self.copies.get_mut(position)
    }

    fn change_revision(&mut self, number: u32, change: impl FnOnce(&mut Revision, DateTime<Utc>)) {
        let now = self.now;
        let found = self
            .revisions
            .iter_mut()
            .find(|revision| revision.number == number);
        if let Some(revision) = found {
            change(revision, now);
            self.changes.revisions.insert(number);
        }
    }

    fn tell(&mut self, entry: Entry) {
        self.changes.entries.push(entry);
    }

    fn tell_app(&mut self, stage: Stage, message: impl Into<String>) {
        let entry = Entry::app(stage, self.app.current, message);
        self.tell(entry);
    }

    fn tell_instance(&mut self, stage: Stage, id: InstanceId, message: impl Into<String>) {
        let Some(copy) = self.position(id).and_then(|at| self.copies.get(at)) else {
            return;
        };
        let (node, number) = (copy.instance.node, copy.number);
        self.tell(Entry::instance(stage, id, node, number, message));
    }

    /// Refers an instance to the decision that is behind it now.
    fn decided(&mut self, id: InstanceId, decision: Uuid) {
        let before = self
            .change(id)
            .and_then(|copy| copy.instance.decision.replace(decision));
        self.changes.superseded.extend(before);
    }

    /// The first look at an update that is funded.
    fn note_start(&mut self) {
        let started = self
            .current()
            .is_none_or(|revision| revision.funded_at.is_none() || revision.started_at.is_some());
        if started || self.app.state.has_ended() {
            return;
        }
        let number = self.app.current;
        self.change_revision(number, |revision, now| revision.started_at = Some(now));
        if number > 1 {
            self.tell_app(
                Stage::UpdateStarted,
                format!("the update to revision {number} begins"),
            );
        }
    }
}

/// What tells the next decision's ties apart: the random part of its id.
fn seed(decision: Uuid) -> u64 {
    let (_, low) = decision.as_u64_pair();
    low
}

/// An assignment of an instance that has just been made.
fn assignment(copy: &Copy, revision: RevisionId) -> Option<Assignment> {
    let instance = &copy.instance;
    Some(Assignment {
        instance: instance.id,
        app: instance.app,
        revision,
        node: instance.node?,
        epoch: instance.epoch,
        assigned_at: instance.assigned_at?,
    })
}

#[cfg(test)]
mod tests;
