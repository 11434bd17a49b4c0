//! `GET /v1/chain/evm/assets`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::ListAssetsRequest;

use super::asset::EvmAsset;
use crate::rest::{
    Failure, Gateway,
    extract::QueryParams,
    page::{Page, PageQuery},
    wire::Malformed,
};

/// A page of the list.
pub type EvmAssetPage = Page<EvmAsset>;

/// List tokens on other chains
///
/// Every token contract that is or was followed, by name.
#[utoipa::path(
    get,
    path = "/v1/chain/evm/assets",
    tag = "chain",
    params(PageQuery),
    responses((status = 200, description = "A page of assets", body = EvmAssetPage)),
)]
pub async fn list_assets(
    State(gateway): State<Gateway>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<EvmAssetPage>, Failure> {
    let page = Some(page.wish()?);
    let answer = gateway
        .peers
        .evm
        .list_assets(ListAssetsRequest { page })
        .await?;
    let assets = answer.assets.into_iter().map(EvmAsset::try_from);
    let assets = assets.collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Json(Page::new(assets, answer.page)))
}
