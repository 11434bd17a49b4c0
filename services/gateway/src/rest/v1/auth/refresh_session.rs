//! `POST /v1/auth/sessions:refresh`

use axum::{Extension, Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Session;
use crate::{
    app,
    domain::{Token, TokenKind},
    metrics::KindLabels,
    rest::{Failure, Gateway, extract::JsonBody, layers::Audited},
};

/// A refresh token that was not used yet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshSession {
    #[schema(example = "fxr_9b02…")]
    pub refresh_token: String,
}

/// Go on with new tokens
///
/// A refresh token works once. One that comes back ends its session for everyone who has it, because nobody can tell the
/// owner from a thief then; sign in again.
#[utoipa::path(
    post,
    path = "/v1/auth/sessions:refresh",
    tag = "auth",
    request_body = RefreshSession,
    responses((status = 200, description = "The session with new tokens", body = Session)),
)]
pub async fn refresh_session(
    State(gateway): State<Gateway>,
    JsonBody(body): JsonBody<RefreshSession>,
) -> Result<(Extension<Audited>, Json<Session>), Failure> {
    let token =
        Token::parse(TokenKind::Refresh, &body.refresh_token).ok_or(app::Error::RefreshToken)?;
    let result = app::refresh::refresh(&gateway.ctx, &token).await;
    let kind = match &result {
        Ok(_) => Some("refreshed"),
        Err(app::Error::RefreshReused) => Some("reuse_ended"),
        Err(_) => None,
    };
    if let Some(kind) = kind {
        gateway
            .metrics
            .sessions
            .get_or_create(&KindLabels { kind })
            .inc();
    }
    let tokens = result?;
    let audited = Audited {
        principal: Some(tokens.principal.clone()),
        target: None,
    };
    Ok((Extension(audited), Json(tokens.into())))
}
