//! `POST /v1/auth/sessions`

use axum::{Extension, Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Session;
use crate::{
    app,
    domain::{WalletAddress, challenge::MAX_PHRASE_CHARS},
    metrics::KindLabels,
    rest::{Failure, Gateway, extract::JsonBody, layers::Audited},
};

/// A signed phrase.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    /// The address the challenge was made for.
    #[schema(example = "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd")]
    pub address: String,
    /// The phrase of the challenge.
    #[schema(example = "17637984001235vr1jq0m2l7c4pdn8hsk3t9fgb6ue0aoi")]
    pub phrase: String,
    /// Base64 of a Bitcoin message signature, or `0x` and 130 hex digits of `personal_sign`.
    #[schema(example = "IEdvV0zS…=")]
    pub signature: String,
}

/// Sign in
///
/// Exchanges a signed phrase for a session: an access token of at most 15 minutes, and a refresh token of 14 days.
#[utoipa::path(
    post,
    path = "/v1/auth/sessions",
    tag = "auth",
    request_body = CreateSession,
    responses((status = 201, description = "The session", body = Session)),
)]
pub async fn create_session(
    State(gateway): State<Gateway>,
    JsonBody(body): JsonBody<CreateSession>,
) -> Result<(StatusCode, Extension<Audited>, Json<Session>), Failure> {
    let address = WalletAddress::parse("address", &body.address).map_err(Failure::invalid)?;
    if body.phrase.len() > MAX_PHRASE_CHARS {
        return Err(app::Error::Challenge.into());
    }
    let tokens =
        app::sign_in::sign_in(&gateway.ctx, address, &body.phrase, &body.signature).await?;
    gateway
        .metrics
        .sessions
        .get_or_create(&KindLabels { kind: "opened" })
        .inc();
    let audited = Audited {
        principal: Some(tokens.principal.clone()),
        target: None,
    };
    Ok((StatusCode::CREATED, Extension(audited), Json(tokens.into())))
}
