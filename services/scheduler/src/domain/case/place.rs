//! Finding nodes for slots that have none, or whose node is gone.

use fluxplane_core::id::{InstanceId, NodeId};
use fluxplane_placement::{Decision, DecisionRecord};

use super::{Case, Kept, Means, Outcome, assignment, seed};
use crate::domain::{
    Copy, Instance, InstanceState, Revision, Stage, Standing, Workload,
    rollout::{Vacancy, Wish},
};

impl Case {
    /// Looks for a node for each wish, all in one decision, so that the copies stand apart from each other.
    pub(super) fn place(&mut self, number: u32, mut wishes: Vec<Wish>, means: &mut Means<'_>) {
        let (Some(workload), Some(revision)) = (means.workload, self.revision(number).cloned())
        else {
            return;
        };
        // What served before comes first when there is not room for all.
        wishes.sort_by_key(|wish| (!matches!(wish.vacancy, Vacancy::Lost(_)), wish.slot));
        let count = u32::try_from(wishes.len()).unwrap_or(u32::MAX);
        let request = workload.request(self.app.id, count);
        let id = means.ids.next();
        let Decision { placements, record } = means.fleet.plan(&request, seed(id));
        let mut nodes = placements.into_iter();
        for wish in wishes {
            match nodes.next() {
                Some(node) => self.fill(wish, node, &revision, workload, id, means),
                None => self.leave_open(wish, &revision, workload, id, &record, means),
            }
        }
        self.keep(id, number, record);
    }

    pub(super) fn keep(&mut self, id: uuid::Uuid, number: u32, record: DecisionRecord) {
        let outcome = Outcome::of(&record);
        self.changes.decisions.push(Kept {
            id,
            number,
            record,
            outcome,
        });
    }

    fn fill(
        &mut self,
        wish: Wish,
        node: NodeId,
        revision: &Revision,
        workload: &Workload,
        decision: uuid::Uuid,
        means: &mut Means<'_>,
    ) {
        let place = describe(means, node);
        let slot = wish.slot;
        match wish.vacancy {
            Vacancy::Empty => {
                let id = self.add(slot, revision, workload, means);
                self.assign(id, node, revision, workload, means.traceparent);
                self.decided(id, decision);
                self.tell_instance(
                    Stage::Placed,
                    id,
                    format!("instance {slot} goes to {place}"),
                );
            }
            Vacancy::Pending(id) => {
                self.assign(id, node, revision, workload, means.traceparent);
                self.decided(id, decision);
                self.tell_instance(
                    Stage::Placed,
                    id,
                    format!("instance {slot} goes to {place}"),
                );
            }
            Vacancy::Lost(old) => {
                let left = self.leave(old, InstanceState::Lost, "another instance took its slot");
                let id = self.add(slot, revision, workload, means);
                self.assign(id, node, revision, workload, means.traceparent);
                self.decided(id, decision);
                let from = left.map_or_else(String::new, |node| format!("node {node} is lost; "));
                self.tell_instance(
                    Stage::Replaced,
                    id,
                    format!("{from}instance {slot} goes to {place}"),
                );
            }
        }
    }

    /// Notes why a slot stays without a working node, and what would help.
    fn leave_open(
        &mut self,
        wish: Wish,
        revision: &Revision,
        workload: &Workload,
        decision: uuid::Uuid,
        record: &DecisionRecord,
        means: &mut Means<'_>,
    ) {
        let Some(pending) = &record.pending else {
            return;
        };
        let id = match wish.vacancy {
            Vacancy::Empty => self.add(wish.slot, revision, workload, means),
            Vacancy::Pending(id) | Vacancy::Lost(id) => id,
        };
        let filter = pending.strictest.map(filter_name);
        let (now, reason) = (self.now, pending.to_string());
        let waits = matches!(wish.vacancy, Vacancy::Empty | Vacancy::Pending(_));
        let slot = wish.slot;
        let mut news = false;
        if let Some(copy) = self.change(id) {
            if waits {
                copy.instance.revision = revision.id;
                (copy.number, copy.rollout) = (revision.number, revision.rollout);
                (copy.resources, copy.ports) = (workload.resources, workload.ports.clone());
            }
            news = copy.instance.pending_filter != filter || copy.instance.tried_at.is_none();
            // Nobody knows how an instance on a lost node is; when the node returns, its report says.
            let state = if waits {
                InstanceState::Pending
            } else {
                InstanceState::Unhealthy
            };
            copy.instance.enter(state, &reason, now);
            copy.instance.tried_at = Some(now);
            copy.instance.pending_filter = filter;
        }
        self.decided(id, decision);
        // The numbers in the reason change with every node; told is only what is new in kind.
        if news {
            self.tell_instance(
                Stage::Pending,
                id,
                format!("instance {slot} waits for a node: {reason}"),
            );
        }
    }

    /// A further instance without a node.
    pub(super) fn add(
        &mut self,
        slot: u32,
        revision: &Revision,
        workload: &Workload,
        means: &Means<'_>,
    ) -> InstanceId {
        let id: InstanceId = means.ids.next().into();
        self.copies.push(Copy {
            instance: Instance::new(id, self.app.id, slot, revision.id, self.now),
            number: revision.number,
            rollout: revision.rollout,
            resources: workload.resources,
            ports: workload.ports.clone(),
            standing: None,
        });
        self.changes.inserted.insert(id);
        id
    }

    /// Gives an instance its node, or its node's instance another revision.
    pub(super) fn assign(
        &mut self,
        id: InstanceId,
        node: NodeId,
        revision: &Revision,
        workload: &Workload,
        traceparent: &str,
    ) {
        let (now, secrets) = (self.now, self.app.secrets);
        let Some(copy) = self.change(id) else { return };
        copy.instance.assign(node, revision.id, now);
        copy.instance.secrets = secrets;
        traceparent.clone_into(&mut copy.instance.traceparent);
        (copy.number, copy.rollout) = (revision.number, revision.rollout);
        (copy.resources, copy.ports) = (workload.resources, workload.ports.clone());
        copy.standing = Some(Standing::Ready);
        let made = assignment(copy, revision.id);
        self.changes.nodes.insert(node);
        self.changes.assignments.extend(made);
    }

    /// Takes an instance out of its node's desired state. Returns the node.
    pub(super) fn leave(
        &mut self,
        id: InstanceId,
        state: InstanceState,
        reason: &str,
    ) -> Option<NodeId> {
        let now = self.now;
        let copy = self.change(id)?;
        copy.instance.enter(state, reason, now);
        copy.instance.tried_at = None;
        let node = copy.instance.node;
        if node.is_none() {
            copy.instance.released_at = Some(now);
        }
        self.changes.nodes.extend(node);
        node
    }
}

/// The filter as it stands in records and metrics.
fn filter_name(filter: fluxplane_placement::Filter) -> String {
    match serde_json::to_value(filter) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(_) | Err(_) => format!("{filter:?}"),
    }
}

/// A node for people.
pub(super) fn describe(means: &Means<'_>, id: NodeId) -> String {
    let place = means.fleet.node(id).map(|node| {
        let place = &node.place;
        format!(
            " in {}_{}_{}, operator {}",
            place.continent, place.country, place.region, node.operator
        )
    });
    format!("node {id}{}", place.unwrap_or_default())
}
