//! An instance as the application's owner sees it.

use chrono::{DateTime, Utc};
use fluxplane_proto::scheduler::v1::{self as wire, ListInstancesRequest};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::InstancePath;
use crate::rest::{
    Failure, Gateway,
    extract::Call,
    wire::{Malformed, id, optional_id, optional_time, time},
};

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// Has no node; see `reason`.
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

/// One copy of an application.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "fields are named as in the JSON")]
pub struct Instance {
    pub instance_id: Uuid,
    /// Which of the wanted copies this is, from 0.
    pub slot: u32,
    pub state: InstanceState,
    /// Why it is in this state, when that is not plain.
    pub reason: String,
    pub revision_id: Uuid,
    pub revision_number: u32,
    /// Null while pending.
    pub node_id: Option<Uuid>,
    /// Grows with every move; an older holder of the slot is fenced off by it.
    pub assignment_epoch: u64,
    /// Where each port is reached, `host:port`, in the order of the specification.
    #[schema(example = json!(["203.0.113.9:31352"]))]
    pub endpoints: Vec<String>,
    pub created_at: DateTime<Utc>,
    /// When it became healthy first.
    pub healthy_at: Option<DateTime<Utc>>,
}

impl TryFrom<wire::Instance> for Instance {
    type Error = Malformed;

    fn try_from(instance: wire::Instance) -> Result<Self, Malformed> {
        Ok(Self {
            instance_id: id("instance_id", &instance.instance_id)?,
            slot: instance.slot,
            state: state(instance.state)?,
            reason: instance.reason,
            revision_id: id("revision_id", &instance.revision_id)?,
            revision_number: instance.revision_number,
            node_id: optional_id("node_id", &instance.node_id)?,
            assignment_epoch: instance.assignment_epoch,
            endpoints: instance.endpoints,
            created_at: time("created_at", instance.created_at)?,
            healthy_at: optional_time("healthy_at", instance.healthy_at)?,
        })
    }
}

fn state(state: i32) -> Result<InstanceState, Malformed> {
    match wire::InstanceState::try_from(state) {
        Ok(wire::InstanceState::Pending) => Ok(InstanceState::Pending),
        Ok(wire::InstanceState::Assigned) => Ok(InstanceState::Assigned),
        Ok(wire::InstanceState::Pulling) => Ok(InstanceState::Pulling),
        Ok(wire::InstanceState::Starting) => Ok(InstanceState::Starting),
        Ok(wire::InstanceState::Healthy) => Ok(InstanceState::Healthy),
        Ok(wire::InstanceState::Unhealthy) => Ok(InstanceState::Unhealthy),
        Ok(wire::InstanceState::Failed) => Ok(InstanceState::Failed),
        Ok(wire::InstanceState::Stopping) => Ok(InstanceState::Stopping),
        Ok(wire::InstanceState::Stopped) => Ok(InstanceState::Stopped),
        Ok(wire::InstanceState::Lost) => Ok(InstanceState::Lost),
        Ok(wire::InstanceState::Unspecified) | Err(_) => {
            Err(Malformed::value("instance.state", state))
        }
    }
}

/// The instances of an application of the caller.
pub(super) async fn instances(
    gateway: &Gateway,
    call: &Call,
    name: String,
    include_ended: bool,
) -> Result<Vec<Instance>, Failure> {
    let request = ListInstancesRequest {
        caller: Some(call.caller()),
        name,
        include_ended,
    };
    let answer = gateway.peers.scheduler.list_instances(request).await?;
    let instances = answer.instances.into_iter().map(Instance::try_from);
    Ok(instances.collect::<Result<_, Malformed>>()?)
}

/// The instance a path names, if it is one of that application.
pub(super) async fn instance_of(
    gateway: &Gateway,
    call: &Call,
    path: InstancePath,
) -> Result<Instance, Failure> {
    let InstancePath { name, instance_id } = path;
    instances(gateway, call, name.clone(), true)
        .await?
        .into_iter()
        .find(|instance| instance.instance_id == instance_id)
        .ok_or_else(|| {
            Failure::not_found(format!("application {name} has no instance {instance_id}"))
        })
}
