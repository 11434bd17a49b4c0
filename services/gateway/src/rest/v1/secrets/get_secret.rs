//! `GET /v1/secrets/{name}`

use axum::{Json, extract::State};
use fluxplane_proto::scheduler::v1::GetSecretRequest;

use super::{Secret, SecretPath};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams},
    wire::required,
};

/// Read about a secret
///
/// Its version and who uses it; never what it holds.
#[utoipa::path(
    get,
    path = "/v1/secrets/{name}",
    tag = "secrets",
    params(SecretPath),
    responses((status = 200, description = "The secret", body = Secret)),
)]
pub async fn get_secret(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<SecretPath>,
) -> Result<Json<Secret>, Failure> {
    let request = GetSecretRequest {
        caller: Some(call.caller()),
        name: path.name,
    };
    let answer = gateway.peers.secrets.get_secret(request).await?;
    Ok(Json(Secret::try_from(required("secret", answer.secret)?)?))
}
