//! An instance: one copy of an application in one slot, on one node or waiting for one.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    NodeState, Resources,
    id::{AppId, InstanceId, NodeId, RevisionId},
};
use fluxplane_placement::Reservation;
use uuid::Uuid;

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InstanceState {
    /// Has no node.
    Pending,
    /// Has a node that has not reported it yet.
    Assigned,
    Pulling,
    Starting,
    Healthy,
    Unhealthy,
    Failed,
    /// Being removed from its node.
    Stopping,
    Stopped,
    /// Its node was lost; another instance took its slot.
    Lost,
}

impl InstanceState {
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Assigned,
        Self::Pulling,
        Self::Starting,
        Self::Healthy,
        Self::Unhealthy,
        Self::Failed,
        Self::Stopping,
        Self::Stopped,
        Self::Lost,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Assigned => "assigned",
            Self::Pulling => "pulling",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Lost => "lost",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it fills its slot.
    pub const fn is_live(self) -> bool {
        match self {
            Self::Pending
            | Self::Assigned
            | Self::Pulling
            | Self::Starting
            | Self::Healthy
            | Self::Unhealthy
            | Self::Failed => true,
            Self::Stopping | Self::Stopped | Self::Lost => false,
        }
    }

    /// Whether it is over for good.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Stopped | Self::Lost)
    }
}

/// A copy of an application. Columns of the table of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    pub id: InstanceId,
    pub app: AppId,
    /// Which of the wanted copies this is, from 0.
    pub slot: u32,
    pub state: InstanceState,
    /// Why it is in this state, when that is not plain.
    pub reason: String,
    /// The filter that removed most nodes when it was tried last.
    pub pending_filter: Option<String>,
    /// The revision whose containers it runs or shall run.
    pub revision: RevisionId,
    pub node: Option<NodeId>,
    /// Which assignment this is; grows with each.
    pub epoch: u64,
    pub decision: Option<Uuid>,
    /// Trace of the deployment, as told to the node.
    pub traceparent: String,
    pub created_at: DateTime<Utc>,
    pub assigned_at: Option<DateTime<Utc>>,
    /// Version of the node's desired state that first held this assignment.
    pub told_version: Option<u64>,
    /// The node said that it acts on that version.
    pub told_at: Option<DateTime<Utc>>,
    /// First time it was healthy in this assignment.
    pub healthy_at: Option<DateTime<Utc>>,
    pub state_since: DateTime<Utc>,
    /// When the report arrived that changed it last.
    pub observed_at: Option<DateTime<Utc>>,
    /// When a node was last looked for in vain.
    pub tried_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    /// Version of the node's desired state that first lacked it.
    pub left_version: Option<u64>,
    /// Since when its node is known not to run it.
    pub released_at: Option<DateTime<Utc>>,
    /// What the application's number of secrets' changes was when this assignment was made.
    pub secrets: u64,
}

impl Instance {
    /// A copy that has no node yet.
    pub fn new(
        id: InstanceId,
        app: AppId,
        slot: u32,
        revision: RevisionId,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            app,
            slot,
            state: InstanceState::Pending,
            reason: String::new(),
            pending_filter: None,
            revision,
            node: None,
            epoch: 0,
            decision: None,
            traceparent: String::new(),
            created_at: now,
            assigned_at: None,
            told_version: None,
            told_at: None,
            healthy_at: None,
            state_since: now,
            observed_at: None,
            tried_at: None,
            ended_at: None,
            left_version: None,
            released_at: None,
            secrets: 0,
        }
    }

    /// Whether it takes room on its node, as far as is known.
    pub const fn holds_room(&self) -> bool {
        self.node.is_some() && self.released_at.is_none()
    }

    pub fn enter(&mut self, state: InstanceState, reason: impl Into<String>, now: DateTime<Utc>) {
        if self.state != state {
            self.state_since = now;
        }
        self.state = state;
        self.reason = reason.into();
        if state.has_ended() && self.ended_at.is_none() {
            self.ended_at = Some(now);
            self.tried_at = None;
        }
    }

    /// Gives it a node, or another revision on its node.
    pub fn assign(&mut self, node: NodeId, revision: RevisionId, now: DateTime<Utc>) {
        self.enter(InstanceState::Assigned, "", now);
        self.state_since = now;
        self.pending_filter = None;
        self.node = Some(node);
        self.revision = revision;
        self.epoch += 1;
        self.assigned_at = Some(now);
        self.told_version = None;
        self.told_at = None;
        self.healthy_at = None;
        self.tried_at = None;
    }
}

/// Whether an instance can count on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Takes new work.
    Ready,
    /// Keeps what it runs and takes nothing new: suspect, or not connected yet.
    Unsure,
    /// Lost, without collateral, or retired: what it runs is replaced.
    Gone,
}

impl From<NodeState> for Standing {
    fn from(state: NodeState) -> Self {
        match state {
            NodeState::Ready => Self::Ready,
            NodeState::Joined | NodeState::Suspect => Self::Unsure,
            NodeState::Lost | NodeState::Ineligible | NodeState::Retired => Self::Gone,
        }
    }
}

/// An instance with what its revision and its node say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    pub instance: Instance,
    /// Of its revision.
    pub number: u32,
    /// Rollout of its revision.
    pub rollout: u32,
    /// What it takes of its node.
    pub resources: Resources,
    pub ports: Vec<u16>,
    /// Of its node; `None` while it has none.
    pub standing: Option<Standing>,
}

impl Copy {
    pub fn is_live(&self) -> bool {
        self.instance.state.is_live()
    }

    pub fn is_gone(&self) -> bool {
        self.standing == Some(Standing::Gone)
    }

    /// Healthy, on a node that can be counted on.
    pub fn serves(&self) -> bool {
        self.instance.state == InstanceState::Healthy && !self.is_gone()
    }

    /// What it takes of its node, if anything.
    pub fn reservation(&self) -> Option<Reservation> {
        let node = self.instance.node.filter(|_| self.instance.holds_room())?;
        Some(Reservation {
            instance: self.instance.id,
            app: self.instance.app,
            node,
            resources: self.resources,
            ports: self.ports.iter().copied().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for state in InstanceState::ALL {
            assert_eq!(InstanceState::from_name(state.name()), Some(state));
        }
    }

    #[test]
    fn a_new_assignment_forgets_what_the_old_one_reached() {
        let now = DateTime::UNIX_EPOCH;
        let id = |n| Uuid::from_u128(n);
        let mut instance = Instance::new(id(1).into(), id(2).into(), 0, id(3).into(), now);
        assert!(!instance.holds_room());
        instance.assign(id(4).into(), id(3).into(), now);
        instance.healthy_at = Some(now);
        instance.enter(InstanceState::Healthy, "", now);
        instance.assign(id(4).into(), id(5).into(), now);
        assert_eq!((instance.epoch, instance.healthy_at), (2, None));
        assert_eq!(instance.state, InstanceState::Assigned);
        assert!(instance.holds_room());
        instance.enter(InstanceState::Stopped, "", now);
        assert!(instance.ended_at.is_some() && instance.holds_room());
    }
}
