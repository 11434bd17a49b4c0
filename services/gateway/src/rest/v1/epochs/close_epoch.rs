//! `POST /v1/epochs:close`

use axum::{Extension, Json, extract::State, response::IntoResponse};
use fluxplane_proto::billing::v1::CloseEpochRequest;

use super::epoch::Epoch;
use crate::rest::{Failure, Gateway, extract::Call, layers::Audited, wire::required};

/// Close the running epoch now
///
/// For administrators: instead of at its time.
#[utoipa::path(
    post,
    path = "/v1/epochs:close",
    tag = "settlement",
    responses((status = 200, description = "The epoch that closed", body = Epoch)),
)]
pub async fn close_epoch(
    State(gateway): State<Gateway>,
    call: Call,
) -> Result<impl IntoResponse, Failure> {
    let request = CloseEpochRequest {
        caller: Some(call.caller()),
        idempotency_key: call.key()?,
    };
    let answer = gateway.peers.billing.close_epoch(request).await?;
    let epoch = Epoch::try_from(required("epoch", answer.epoch)?)?;
    let target = Some(format!("/v1/epochs/{}", epoch.number));
    Ok((
        Extension(Audited {
            principal: None,
            target,
        }),
        Json(epoch),
    ))
}
