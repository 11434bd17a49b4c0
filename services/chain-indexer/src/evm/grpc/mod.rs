//! Questions about tokens, answered from the database by every replica.

pub mod convert;

use std::{collections::BTreeSet, sync::Arc};

use fluxplane_platform::{error::refuse, metrics::Metrics};
use fluxplane_proto::{
    chain_indexer::v1::{
        GetAssetStatusRequest, GetAssetStatusResponse, ListAssetsRequest, ListAssetsResponse,
        ListTransfersRequest, ListTransfersResponse, evm_service_server::EvmService,
    },
    common::v1::PageInfo,
};
use tonic::{Request, Response, Status};

use super::{
    app::{Context, Error, queries},
    config::Token,
};

#[derive(Debug, Clone)]
pub struct EvmGrpc {
    ctx: Context,
    metrics: Metrics,
    /// Names in the configuration.
    followed: Arc<BTreeSet<String>>,
}

impl EvmGrpc {
    pub fn new(ctx: Context, metrics: Metrics, tokens: &[Token]) -> Self {
        let followed = tokens.iter().map(|token| token.name.clone()).collect();
        Self {
            ctx,
            metrics,
            followed: Arc::new(followed),
        }
    }

    fn answer<T>(&self, result: Result<T, Error>) -> Result<Response<T>, Status> {
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn assets(&self, request: ListAssetsRequest) -> Result<ListAssetsResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let (assets, next_cursor) = queries::assets(&self.ctx, &page).await?;
        Ok(ListAssetsResponse {
            assets: assets
                .iter()
                .map(|asset| convert::asset_to_wire(asset, self.followed.contains(&asset.name)))
                .collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }

    async fn status(
        &self,
        request: GetAssetStatusRequest,
    ) -> Result<GetAssetStatusResponse, Error> {
        let asset = queries::asset(&self.ctx, &request.asset).await?;
        let followed = self.followed.contains(&asset.name);
        Ok(GetAssetStatusResponse {
            asset: Some(convert::asset_to_wire(&asset, followed)),
        })
    }

    async fn transfers(
        &self,
        request: ListTransfersRequest,
    ) -> Result<ListTransfersResponse, Error> {
        let wish = request.page.clone().unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let wanted = convert::wanted(request)?;
        let found = queries::transfers(&self.ctx, &wanted, &page).await?;
        Ok(ListTransfersResponse {
            transfers: found
                .transfers()
                .map(|found| convert::found_to_wire(&found))
                .collect(),
            page: Some(PageInfo {
                next_cursor: found.next_cursor.clone(),
            }),
        })
    }
}

#[tonic::async_trait]
impl EvmService for EvmGrpc {
    async fn list_assets(
        &self,
        request: Request<ListAssetsRequest>,
    ) -> Result<Response<ListAssetsResponse>, Status> {
        self.answer(self.assets(request.into_inner()).await)
    }

    async fn get_asset_status(
        &self,
        request: Request<GetAssetStatusRequest>,
    ) -> Result<Response<GetAssetStatusResponse>, Status> {
        self.answer(self.status(request.into_inner()).await)
    }

    async fn list_transfers(
        &self,
        request: Request<ListTransfersRequest>,
    ) -> Result<Response<ListTransfersResponse>, Status> {
        self.answer(self.transfers(request.into_inner()).await)
    }
}
