//! Instances that are not wanted any more, and applications that are over.

use fluxplane_core::id::InstanceId;

use super::Case;
use crate::domain::{AppState, InstanceState, Stage, rollout::Expiry};

impl Case {
    pub(super) fn expire(&mut self, expiry: Expiry) {
        let reason = match expiry {
            Expiry::Unpaid => "it was not paid in time",
            Expiry::TermOver => "its paid term is over",
        };
        let (number, pending) = (self.app.current, self.app.pending);
        if expiry == Expiry::Unpaid {
            self.change_revision(number, |revision, now| revision.dropped_at = Some(now));
        }
        if let Some(number) = pending {
            self.change_revision(number, |revision, now| revision.dropped_at = Some(now));
        }
        self.tell_app(Stage::Expired, format!("the application expired: {reason}"));
        let now = self.now;
        self.app.end(AppState::Expired, reason, now);
        self.changes.ended = true;
    }

    pub(super) fn drop_update(&mut self) {
        let Some(number) = self.app.pending.take() else {
            return;
        };
        self.change_revision(number, |revision, now| revision.dropped_at = Some(now));
        let message = format!("revision {number} was not paid in time; nothing changes");
        self.tell_app(Stage::UpdateLapsed, message);
    }

    pub(super) fn stop(&mut self, instances: &[InstanceId]) {
        let reason = match self.app.state {
            AppState::Cancelled => "the application was cancelled",
            AppState::Expired => "the application expired",
            AppState::AwaitingPayment
            | AppState::Deploying
            | AppState::Running
            | AppState::Degraded => "fewer instances are wanted",
        };
        for id in instances {
            let Some(copy) = self.position(*id).and_then(|at| self.copies.get(at)) else {
                continue;
            };
            let slot = copy.instance.slot;
            let answers = copy.instance.node.is_some() && !copy.is_gone();
            let (state, stage) = if answers {
                (InstanceState::Stopping, Stage::Stopping)
            } else {
                (InstanceState::Stopped, Stage::Stopped)
            };
            self.leave(*id, state, reason);
            self.tell_instance(stage, *id, format!("instance {slot} stops: {reason}"));
        }
    }

    /// Their desired state says so already; should a node come back, it removes them.
    pub(super) fn give_up(&mut self, instances: &[InstanceId]) {
        let now = self.now;
        for id in instances {
            let Some(copy) = self.change(*id) else {
                continue;
            };
            let slot = copy.instance.slot;
            copy.instance
                .enter(InstanceState::Stopped, "its node is lost", now);
            let message = format!("instance {slot} stopped with its node, which is lost");
            self.tell_instance(Stage::Stopped, *id, message);
        }
    }
}
