//! `GET /v1/rate`

use axum::{Json, extract::State};
use fluxplane_proto::billing::v1::GetRateRequest;

use super::rate::CurrentRate;
use crate::rest::{Failure, Gateway};

/// Read the exchange rate
///
/// What a FLUX is worth now, who says so, and what became of each source's word.
#[utoipa::path(
    get,
    path = "/v1/rate",
    tag = "quotes",
    responses((status = 200, description = "The rate in force, or why there is none", body = CurrentRate)),
)]
pub async fn get_rate(State(gateway): State<Gateway>) -> Result<Json<CurrentRate>, Failure> {
    let answer = gateway.peers.billing.get_rate(GetRateRequest {}).await?;
    Ok(Json(CurrentRate::try_from(answer)?))
}
