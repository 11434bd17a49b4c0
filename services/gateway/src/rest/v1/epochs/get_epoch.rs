//! `GET /v1/epochs/{number}`

use axum::{Json, extract::State};
use fluxplane_proto::billing::v1::GetEpochRequest;

use super::{EpochPath, epoch::Epoch};
use crate::rest::{Failure, Gateway, extract::PathParams, wire::required};

/// Read a settlement epoch
#[utoipa::path(
    get,
    path = "/v1/epochs/{number}",
    tag = "settlement",
    params(EpochPath),
    responses((status = 200, description = "The epoch", body = Epoch)),
)]
pub async fn get_epoch(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<EpochPath>,
) -> Result<Json<Epoch>, Failure> {
    let answer = gateway
        .peers
        .billing
        .get_epoch(GetEpochRequest {
            number: path.number,
        })
        .await?;
    Ok(Json(Epoch::try_from(required("epoch", answer.epoch)?)?))
}
