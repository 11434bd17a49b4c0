//! Tokens on other chains, faked.

use fluxplane_proto::chain_indexer::v1::{
    EvmAsset, EvmTransfer, GetAssetStatusRequest, GetAssetStatusResponse, ListAssetsRequest,
    ListAssetsResponse, ListTransfersRequest, ListTransfersResponse,
    evm_service_server::EvmService,
};
use tonic::{Request, Response, Status};

use super::{World, data::at, not_found};

const CONTRACT: &str = "0x720CD16b011b987Da3518fbf38c3071d4F0D1495";

fn asset() -> EvmAsset {
    EvmAsset {
        name: "ethereum".to_owned(),
        chain_id: 1,
        contract: CONTRACT.to_owned(),
        decimals: 8,
        start_block: 12_000_000,
        confirmations: 64,
        height: Some(20_000_000),
        hash: format!("0x{}", hex::encode([3; 32])),
        block_time: at(0),
        final_height: Some(19_999_937),
        node_height: 20_000_001,
        lag_blocks: 1,
        minted: "44000000000000000".to_owned(),
        burned: "1".to_owned(),
        observed_supply: "43999999999999999".to_owned(),
        transfer_count: 3,
        halted_reason: String::new(),
        problem: "the node answers slowly".to_owned(),
        node_seen_at: at(5),
        followed: true,
    }
}

#[tonic::async_trait]
impl EvmService for World {
    async fn list_assets(
        &self,
        request: Request<ListAssetsRequest>,
    ) -> Result<Response<ListAssetsResponse>, Status> {
        self.enter("list_assets", &request, None, "")?;
        Ok(Response::new(ListAssetsResponse {
            assets: vec![asset()],
            page: None,
        }))
    }

    async fn get_asset_status(
        &self,
        request: Request<GetAssetStatusRequest>,
    ) -> Result<Response<GetAssetStatusResponse>, Status> {
        self.enter("get_asset_status", &request, None, "")?;
        if request.get_ref().asset != "ethereum" {
            return Err(not_found("the asset"));
        }
        let mut asset = asset();
        asset.node_height = 0;
        Ok(Response::new(GetAssetStatusResponse { asset: Some(asset) }))
    }

    async fn list_transfers(
        &self,
        request: Request<ListTransfersRequest>,
    ) -> Result<Response<ListTransfersResponse>, Status> {
        self.enter("list_transfers", &request, None, "")?;
        let transfer = EvmTransfer {
            asset: "ethereum".to_owned(),
            chain_id: 1,
            contract: CONTRACT.to_owned(),
            height: 19_999_990,
            block_hash: format!("0x{}", hex::encode([4; 32])),
            block_time: at(0),
            tx_hash: format!("0x{}", hex::encode([5; 32])),
            log_index: 17,
            from: format!("0x{}", "0".repeat(40)),
            to: CONTRACT.to_owned(),
            amount: "2500000000".to_owned(),
            decimals: 8,
            confirmations: 11,
            is_final: false,
        };
        Ok(Response::new(ListTransfersResponse {
            transfers: vec![transfer],
            page: None,
        }))
    }
}
