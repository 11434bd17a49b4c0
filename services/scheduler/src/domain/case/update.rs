//! One instance takes on the current revision: where it is if that is possible, else elsewhere.

use fluxplane_core::id::InstanceId;
use fluxplane_placement::Decision;

use super::{Case, Means, place::describe, seed};
use crate::domain::{InstanceState, Stage};

impl Case {
    pub(super) fn update(&mut self, id: InstanceId, means: &mut Means<'_>) {
        let (Some(workload), Some(revision)) = (means.workload, self.current().cloned()) else {
            return;
        };
        let Some((slot, Some(node))) = self
            .position(id)
            .and_then(|at| self.copies.get(at))
            .map(|copy| (copy.instance.slot, copy.instance.node))
        else {
            return;
        };
        let number = revision.number;
        let request = workload.request(self.app.id, 1);
        let decision = means.ids.next();
        let same_containers = self
            .position(id)
            .and_then(|at| self.copies.get(at))
            .is_some_and(|copy| copy.rollout == revision.rollout);
        let pins_allow = means
            .fleet
            .node(node)
            .is_some_and(|here| workload.pins_allow(node, &here.outpoint, here.ip));
        if pins_allow {
            let here = means.fleet.plan_in_place(id, &request, seed(decision));
            if !here.placements.is_empty() {
                self.assign(id, node, &revision, workload, means.traceparent);
                self.decided(id, decision);
                self.keep(decision, number, here.record);
                let what = if same_containers {
                    "the new values of its secrets".to_owned()
                } else {
                    format!("revision {number}")
                };
                self.tell_instance(
                    Stage::Placed,
                    id,
                    format!("instance {slot} takes on {what} on its node"),
                );
                return;
            }
        }
        let Decision { placements, record } = means.fleet.plan(&request, seed(decision));
        match (placements.first(), &record.pending) {
            (Some(to), _) => {
                let place = describe(means, *to);
                self.leave(id, InstanceState::Stopping, "moves to another node");
                let new = self.add(slot, &revision, workload, means);
                self.assign(new, *to, &revision, workload, means.traceparent);
                self.decided(new, decision);
                self.tell_instance(
                    Stage::Moved,
                    new,
                    format!(
                        "revision {number} does not fit node {node}; instance {slot} goes to {place}"
                    ),
                );
            }
            (None, pending) => {
                let why = pending
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let now = self.now;
                let mut news = false;
                if let Some(copy) = self.change(id) {
                    news = copy.instance.tried_at.is_none();
                    copy.instance.tried_at = Some(now);
                    copy.instance.reason = format!("revision {number} fits no node: {why}");
                }
                self.decided(id, decision);
                if news {
                    self.tell_instance(
                        Stage::Pending,
                        id,
                        format!("instance {slot} keeps its revision, {number} fits no node: {why}"),
                    );
                }
            }
        }
        self.keep(decision, number, record);
    }

    /// What the instance shows is true of the containers, whichever revision number they go by.
    pub(super) fn stop_rollout(&mut self, instance: InstanceId, cause: String) {
        let Some(rollout) = self.current().map(|revision| revision.rollout) else {
            return;
        };
        let number = self.app.current;
        self.tell_instance(
            Stage::UpdateStopped,
            instance,
            format!("the update to revision {number} stopped: {cause}"),
        );
        self.change_revision(rollout, |revision, _| revision.failure = Some(cause));
    }
}
