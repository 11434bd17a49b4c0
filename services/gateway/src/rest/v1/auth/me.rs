//! `GET /v1/auth/me`

use axum::Json;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::extract::Call;

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The address that signed in.
    #[schema(example = "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd")]
    pub principal: String,
    pub session_id: Uuid,
    /// End of the access token that was presented.
    pub expires_at: DateTime<Utc>,
    /// Whether this address may do what only administrators may.
    pub admin: bool,
}

/// See who is signed in
#[utoipa::path(
    get,
    path = "/v1/auth/me",
    tag = "auth",
    responses((status = 200, description = "The session's owner", body = Me)),
)]
pub async fn me(call: Call) -> Json<Me> {
    let principal = call.principal;
    Json(Me {
        principal: principal.address,
        session_id: principal.session.uuid(),
        expires_at: principal.expires_at,
        admin: principal.admin,
    })
}
