//! `DELETE /v1/secrets/{name}`

use axum::{Json, extract::State};
use fluxplane_proto::scheduler::v1::DeleteSecretRequest;
use serde::Deserialize;

use super::{Secret, SecretPath};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams, QueryParams},
    wire::required,
};

#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteOptions {
    /// Also when living applications name it. Their containers run on; those that are made from then on cannot start.
    pub force: Option<bool>,
}

/// Destroy a secret
///
/// For good: the key it was sealed with goes with it. Refused while a living application names it, unless forced.
#[utoipa::path(
    delete,
    path = "/v1/secrets/{name}",
    tag = "secrets",
    params(SecretPath, DeleteOptions),
    responses((status = 200, description = "What the secret was", body = Secret)),
)]
pub async fn delete_secret(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<SecretPath>,
    QueryParams(options): QueryParams<DeleteOptions>,
) -> Result<Json<Secret>, Failure> {
    let request = DeleteSecretRequest {
        caller: Some(call.caller()),
        idempotency_key: call.key()?,
        name: path.name,
        force: options.force.unwrap_or_default(),
    };
    let answer = gateway.peers.secrets.delete_secret(request).await?;
    Ok(Json(Secret::try_from(required(
        "deleted",
        answer.deleted,
    )?)?))
}
