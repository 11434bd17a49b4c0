//! The end of every step: what it makes of the application, and when to look again.

use chrono::{DateTime, Utc};

use super::Case;
use crate::domain::{AppState, Copy, Revision, Stage, rollout::Step, status};

/// A point that a revision reached, and since when it was on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// All instances have a node.
    Placed {
        submitted_at: DateTime<Utc>,
        funded_at: DateTime<Utc>,
    },
    /// All instances are healthy.
    Running {
        submitted_at: DateTime<Utc>,
        funded_at: DateTime<Utc>,
    },
}

/// What follows for the leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// When to look again; `None` when nothing can happen any more.
    pub look_again_at: Option<DateTime<Utc>>,
    /// There is a next step already.
    pub more: bool,
    pub milestones: Vec<Milestone>,
}

impl Case {
    /// Derives the application's state from its instances, and closes the case.
    pub fn settle(&mut self) -> Settled {
        let milestones = self.derive();
        let intent = self.app.pending != self.before.pending
            || self.app.current != self.before.current
            || self.app.ended_at != self.before.ended_at;
        let before = self.before.clone();
        self.app.count_change(&before, intent);
        let (look_again_at, more) = match self.next_step() {
            Step::Wait { until } => {
                let stopped = |copy: &Copy| copy.instance.state.has_ended();
                let over = self.app.state.has_ended() && self.copies.iter().all(stopped);
                let recheck = self.now + self.terms.recheck;
                let at = until.map_or(recheck, |until| until.min(recheck));
                ((!over).then_some(at), false)
            }
            Step::Expire(_)
            | Step::DropUpdate
            | Step::GiveUp(_)
            | Step::Stop(_)
            | Step::Place { .. }
            | Step::StopRollout { .. }
            | Step::Update(_) => (Some(self.now), true),
        };
        Settled {
            look_again_at,
            more,
            milestones,
        }
    }

    /// Whether anything of the application itself changed.
    pub fn app_changed(&self) -> bool {
        self.app != self.before
    }

    fn derive(&mut self) -> Vec<Milestone> {
        let failure = self.failure().map(str::to_owned);
        let Some(status) = status::derive(&self.situation(), failure.as_deref()) else {
            if self.app.state.has_ended() {
                self.app.healthy = 0;
            }
            return Vec::new();
        };
        let was_running = self.before.state == AppState::Running;
        self.app.state = status.state;
        self.app.state_reason = status.reason;
        self.app.healthy = status.healthy;
        let Some(current) = self.current().cloned() else {
            return Vec::new();
        };
        let mut milestones = Vec::new();
        let (submitted_at, funded_at) = (
            current.submitted_at,
            current.funded_at.unwrap_or(current.submitted_at),
        );
        if status.placed && current.placed_at.is_none() {
            self.change_revision(current.number, |revision, now| {
                revision.placed_at = Some(now);
            });
            milestones.push(Milestone::Placed {
                submitted_at,
                funded_at,
            });
        }
        if status.proven && self.base(&current).proven_at.is_none() {
            self.change_revision(current.rollout, |revision, now| {
                revision.proven_at = Some(now);
            });
        }
        if status.complete && current.finished_at.is_none() {
            let finish = |revision: &mut Revision, now| {
                revision.finished_at.get_or_insert(now);
            };
            self.change_revision(current.number, finish);
            self.change_revision(current.rollout, finish);
            milestones.push(Milestone::Running {
                submitted_at,
                funded_at,
            });
            let number = current.number;
            if number > 1 {
                let message = format!("every instance runs revision {number}");
                self.tell_app(Stage::UpdateFinished, message);
            }
        }
        if status.complete && !was_running && status.state == AppState::Running {
            let wanted = current.instances;
            self.tell_app(
                Stage::Running,
                format!("{wanted} of {wanted} instances are healthy"),
            );
        }
        milestones
    }
}
