//! What a node shall run: always the full set, so that a node that missed a change needs only the newest.

use std::sync::Arc;

use fluxplane_core::{
    Tier,
    id::{AppId, InstanceId, NodeId, RevisionId},
};

use super::Workload;

/// Everything a node shall run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    pub node: NodeId,
    /// Decides which resources containers get where the specification makes a difference.
    pub tier: Tier,
    /// Rises with every change.
    pub version: u64,
    /// Fencing token of the leader that decided.
    pub epoch: u64,
    pub instances: Vec<DesiredInstance>,
}

/// One instance a node shall run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredInstance {
    pub id: InstanceId,
    pub epoch: u64,
    pub app: AppId,
    pub app_name: String,
    pub revision: RevisionId,
    pub workload: Arc<Workload>,
    /// What the application's number of changes of its secrets was when the assignment was made.
    pub secrets: u64,
    /// Trace of the deployment, W3C. The same for as long as the assignment lasts: nodes notice every difference.
    pub traceparent: String,
}

/// An instance got a node, or another revision on its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    pub instance: InstanceId,
    pub app: AppId,
    pub revision: RevisionId,
    pub node: NodeId,
    pub epoch: u64,
    pub assigned_at: chrono::DateTime<chrono::Utc>,
}
