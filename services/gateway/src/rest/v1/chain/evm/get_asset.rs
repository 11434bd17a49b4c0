//! `GET /v1/chain/evm/assets/{asset}`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::GetAssetStatusRequest;
use serde::Deserialize;

use super::asset::EvmAsset;
use crate::rest::{Failure, Gateway, extract::PathParams, wire::required};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AssetPath {
    /// Name of the asset.
    #[param(example = "ethereum")]
    pub asset: String,
}

/// Read a token on another chain
#[utoipa::path(
    get,
    path = "/v1/chain/evm/assets/{asset}",
    tag = "chain",
    params(AssetPath),
    responses((status = 200, description = "The asset", body = EvmAsset)),
)]
pub async fn get_asset(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<AssetPath>,
) -> Result<Json<EvmAsset>, Failure> {
    let request = GetAssetStatusRequest { asset: path.asset };
    let answer = gateway.peers.evm.get_asset_status(request).await?;
    let asset = required("asset", answer.asset)?;
    Ok(Json(EvmAsset::try_from(asset)?))
}
