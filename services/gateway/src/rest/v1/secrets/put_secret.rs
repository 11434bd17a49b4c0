//! `PUT /v1/secrets/{name}`

use axum::{Json, extract::State, http::StatusCode};
use fluxplane_proto::scheduler::v1::{
    PutSecretRequest, RegistryCredentials, put_secret_request::Content,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Secret, SecretPath};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, JsonBody, PathParams},
    wire::required,
};

/// What a secret shall hold: a `value`, or the credentials of a registry of images.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSecret {
    /// At most 64 KiB, without bytes of value zero.
    #[schema(write_only)]
    pub value: Option<String>,
    #[schema(write_only)]
    pub username: Option<String>,
    #[schema(write_only)]
    pub password: Option<String>,
    /// Host of the registry; leave it out for that of the image.
    #[schema(example = "ghcr.io")]
    pub registry: Option<String>,
}

/// Store a secret
///
/// A new value under an old name replaces the old one: containers that have it in their environment are made anew, one copy
/// after the other. No answer ever holds a value; whoever lost it stores another.
#[utoipa::path(
    put,
    path = "/v1/secrets/{name}",
    tag = "secrets",
    params(SecretPath),
    request_body = PutSecret,
    responses(
        (status = 200, description = "A new value of a secret", body = Secret),
        (status = 201, description = "A new secret", body = Secret),
    ),
)]
pub async fn put_secret(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<SecretPath>,
    JsonBody(body): JsonBody<PutSecret>,
) -> Result<(StatusCode, Json<Secret>), Failure> {
    let request = PutSecretRequest {
        caller: Some(call.caller()),
        idempotency_key: call.key()?,
        name: path.name,
        content: Some(content(body)?),
    };
    let answer = gateway.peers.secrets.put_secret(request).await?;
    let status = if answer.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let secret = Secret::try_from(required("secret", answer.secret)?)?;
    Ok((status, Json(secret)))
}

fn content(body: PutSecret) -> Result<Content, Failure> {
    match body {
        PutSecret {
            value: Some(value),
            username: None,
            password: None,
            registry: None,
        } => Ok(Content::Value(value)),
        PutSecret {
            value: None,
            username: Some(username),
            password: Some(password),
            registry,
        } => Ok(Content::Credentials(RegistryCredentials {
            registry: registry.unwrap_or_default(),
            username,
            password,
        })),
        _ => Err(Failure::invalid(fluxplane_core::error::Violation::new(
            "value",
            "(not shown)",
            "a secret holds either a value, or a username and a password with or without their registry",
            "send one of both",
        ))),
    }
}
