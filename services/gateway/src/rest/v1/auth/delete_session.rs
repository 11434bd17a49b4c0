//! `DELETE /v1/auth/sessions/current`

use axum::{extract::State, http::StatusCode};

use crate::{
    app,
    metrics::KindLabels,
    rest::{Failure, Gateway, extract::Call},
};

/// Sign out
///
/// Ends the session of the token that is presented; all its tokens are worthless from then on.
#[utoipa::path(
    delete,
    path = "/v1/auth/sessions/current",
    tag = "auth",
    responses((status = 204, description = "The session ended")),
)]
pub async fn delete_session(
    State(gateway): State<Gateway>,
    call: Call,
) -> Result<StatusCode, Failure> {
    app::sign_out::sign_out(&gateway.ctx, call.principal.session).await?;
    gateway
        .metrics
        .sessions
        .get_or_create(&KindLabels { kind: "signed_out" })
        .inc();
    Ok(StatusCode::NO_CONTENT)
}
