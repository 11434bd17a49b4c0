//! `GET /v1/epochs/{number}/anchor`

use axum::{Json, extract::State};
use fluxplane_proto::validator::v1::GetAnchorRequest;

use super::{EpochPath, anchor::Anchor};
use crate::rest::{Failure, Gateway, extract::PathParams, wire::required};

/// Read the anchor of an epoch
///
/// As the validator sees it, which recomputed the root from the published leaves before it signed.
#[utoipa::path(
    get,
    path = "/v1/epochs/{number}/anchor",
    tag = "settlement",
    params(EpochPath),
    responses((status = 200, description = "The anchor", body = Anchor)),
)]
pub async fn get_anchor(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<EpochPath>,
) -> Result<Json<Anchor>, Failure> {
    let request = GetAnchorRequest { epoch: path.number };
    let answer = gateway.peers.validator.get_anchor(request).await?;
    Ok(Json(Anchor::try_from(required("anchor", answer.anchor)?)?))
}
