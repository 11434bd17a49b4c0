//! `GET /v1/apps/{name}/instances/{instance_id}/decision`

use axum::{Json, extract::State};
use fluxplane_proto::scheduler::v1::GetDecisionRequest;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{InstancePath, instance::instance_of};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams},
    wire::json,
};

/// Why an instance is where it is, or why it waits.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decision {
    pub instance_id: Uuid,
    /// The decision record: inputs digest, nodes removed by each filter, top scores, seed. It replays to the same answer.
    #[schema(value_type = Object)]
    pub record: Box<RawValue>,
    /// The same in words.
    pub explanation: String,
}

/// Ask why an instance is where it is
#[utoipa::path(
    get,
    path = "/v1/apps/{name}/instances/{instance_id}/decision",
    tag = "apps",
    params(InstancePath),
    responses((status = 200, description = "The decision", body = Decision)),
)]
pub async fn get_decision(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<InstancePath>,
) -> Result<Json<Decision>, Failure> {
    let instance_id = instance_of(&gateway, &call, path).await?.instance_id;
    let request = GetDecisionRequest {
        caller: Some(call.caller()),
        instance_id: instance_id.to_string(),
    };
    let answer = gateway.peers.scheduler.get_decision(request).await?;
    let record = json("record_json", answer.record_json)?;
    Ok(Json(Decision {
        instance_id,
        record,
        explanation: answer.explanation,
    }))
}
