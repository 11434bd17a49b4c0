//! `GET /v1/chain/fluxnodes/{txid}/{vout}`

use axum::{Json, extract::State};
use fluxplane_proto::{chain_indexer::v1::GetFluxnodeRequest, common::v1 as common};
use serde::Deserialize;

use super::fluxnode::Fluxnode;
use crate::rest::{Failure, Gateway, extract::PathParams, wire::required};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CollateralPath {
    /// Transaction of the collateral, 64 hex digits.
    pub txid: String,
    /// Number of its output.
    pub vout: u32,
}

/// Read a fluxnode
#[utoipa::path(
    get,
    path = "/v1/chain/fluxnodes/{txid}/{vout}",
    tag = "chain",
    params(CollateralPath),
    responses((status = 200, description = "The fluxnode", body = Fluxnode)),
)]
pub async fn get_fluxnode(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<CollateralPath>,
) -> Result<Json<Fluxnode>, Failure> {
    let CollateralPath { txid, vout } = path;
    let request = GetFluxnodeRequest {
        collateral: Some(common::OutPoint { txid, vout }),
    };
    let answer = gateway.peers.chain.get_fluxnode(request).await?;
    Ok(Json(Fluxnode::try_from(required(
        "fluxnode",
        answer.fluxnode,
    )?)?))
}
