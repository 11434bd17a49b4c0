//! `POST /v1/nodes/join-tokens`

use axum::{Json, extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use fluxplane_proto::{common::v1 as common, node_registry::v1::CreateJoinTokenRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OutPoint;
use crate::rest::{
    Failure, Gateway,
    extract::{Call, JsonBody},
    wire::time,
};

/// A machine that shall join.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateJoinToken {
    /// The collateral of its start transaction.
    pub collateral: OutPoint,
    /// Life of the token in seconds, 60 to 3600.
    #[schema(minimum = 60, maximum = 3_600, default = 3_600)]
    pub ttl_seconds: Option<u32>,
}

/// A one-time permission to join.
#[derive(Serialize, ToSchema)]
pub struct JoinToken {
    /// Shown once.
    #[schema(example = "fxj_3b1f…")]
    pub token: String,
    pub expires_at: DateTime<Utc>,
    /// Where the agent dials.
    #[schema(example = "https://join.example:7443")]
    pub join_endpoint: String,
    /// PEM of the authority that the agent must find behind that endpoint.
    pub ca_pem: String,
}

/// Get permission to join a machine
///
/// The token is bound to you as operator and to the collateral, works once, and lives at most an hour.
#[utoipa::path(
    post,
    path = "/v1/nodes/join-tokens",
    tag = "nodes",
    request_body = CreateJoinToken,
    responses((status = 201, description = "The token", body = JoinToken)),
)]
pub async fn create_join_token(
    State(gateway): State<Gateway>,
    call: Call,
    JsonBody(body): JsonBody<CreateJoinToken>,
) -> Result<(StatusCode, Json<JoinToken>), Failure> {
    let OutPoint { txid, vout } = body.collateral;
    let request = CreateJoinTokenRequest {
        caller: Some(call.caller()),
        idempotency_key: call.key()?,
        collateral: Some(common::OutPoint { txid, vout }),
        ttl_seconds: body.ttl_seconds.unwrap_or_default(),
    };
    let answer = gateway.peers.registry.create_join_token(request).await?;
    let token = JoinToken {
        token: answer.token,
        expires_at: time("expires_at", answer.expires_at)?,
        join_endpoint: answer.join_endpoint,
        ca_pem: answer.ca_pem,
    };
    Ok((StatusCode::CREATED, Json(token)))
}
