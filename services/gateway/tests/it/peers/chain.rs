//! The chain indexer, faked.

use fluxplane_proto::{
    chain_indexer::v1::{
        Block, GetBlockRequest, GetBlockResponse, GetFluxnodeRequest, GetFluxnodeResponse,
        GetStatusRequest, GetStatusResponse, GetTransactionRequest, GetTransactionResponse,
        ListFluxnodesRequest, ListFluxnodesResponse, ListPaymentsRequest, ListPaymentsResponse,
        Output, Source, chain_service_server::ChainService,
    },
    common::v1::PageInfo,
};
use tonic::{Request, Response, Status};

use super::{
    World,
    data::{PAYMENT_ADDRESS, RAW_TRANSACTION, at},
    not_found,
};

/// The second one never answered.
fn source(number: u8) -> Source {
    let answered = number == 1;
    Source {
        name: format!("node-{number}"),
        height: if answered { 2_100_001 } else { 0 },
        hash: if answered {
            hex::encode([4; 32])
        } else {
            String::new()
        },
        problem: if answered {
            String::new()
        } else {
            "it does not answer".to_owned()
        },
        agrees: answered,
        seen_at: at(7).filter(|_| answered),
    }
}

#[tonic::async_trait]
impl ChainService for World {
    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        self.enter("get_status", &request, None, "")?;
        Ok(Response::new(GetStatusResponse {
            network: "devnet".to_owned(),
            genesis_hash: hex::encode([1; 32]),
            height: 2_100_000,
            hash: hex::encode([2; 32]),
            block_time: at(0),
            daemon_height: 2_100_001,
            halted_reason: String::new(),
            payment_addresses: vec![PAYMENT_ADDRESS.to_owned()],
            sources: vec![source(1), source(2)],
            quorum: 2,
            sources_problem: String::new(),
            base_height: 0,
        }))
    }

    async fn get_block(
        &self,
        request: Request<GetBlockRequest>,
    ) -> Result<Response<GetBlockResponse>, Status> {
        self.enter("get_block", &request, None, "")?;
        let output = Output {
            amount_sat: 1_400_000_000,
            address: String::new(),
            script_hex: "6a".to_owned(),
        };
        let block = Block {
            height: 2_100_000,
            hash: hex::encode([2; 32]),
            previous_hash: hex::encode([3; 32]),
            time: at(0),
            size_bytes: 1_000,
            txids: vec![hex::encode([8; 32])],
            coinbase_outputs: vec![output],
        };
        Ok(Response::new(GetBlockResponse { block: Some(block) }))
    }

    async fn get_transaction(
        &self,
        request: Request<GetTransactionRequest>,
    ) -> Result<Response<GetTransactionResponse>, Status> {
        self.enter("get_transaction", &request, None, "")?;
        Ok(Response::new(GetTransactionResponse {
            txid: request.get_ref().txid.clone(),
            raw_hex: RAW_TRANSACTION.to_owned(),
            height: 0,
            block_hash: String::new(),
            confirmations: 0,
        }))
    }

    async fn get_fluxnode(
        &self,
        request: Request<GetFluxnodeRequest>,
    ) -> Result<Response<GetFluxnodeResponse>, Status> {
        let collateral = request.get_ref().collateral.clone();
        self.enter("get_fluxnode", &request, None, "")?;
        let state = self.state();
        let found = state
            .fluxnodes
            .iter()
            .find(|node| node.collateral == collateral)
            .cloned();
        let fluxnode = found.ok_or_else(|| not_found("the fluxnode"))?;
        Ok(Response::new(GetFluxnodeResponse {
            fluxnode: Some(fluxnode),
        }))
    }

    async fn list_fluxnodes(
        &self,
        request: Request<ListFluxnodesRequest>,
    ) -> Result<Response<ListFluxnodesResponse>, Status> {
        self.enter("list_fluxnodes", &request, None, "")?;
        let first = request
            .get_ref()
            .page
            .as_ref()
            .is_none_or(|page| page.cursor.is_empty());
        let (fluxnodes, next) = if first {
            (self.state().fluxnodes.clone(), "more")
        } else {
            (Vec::new(), "")
        };
        let page = Some(PageInfo {
            next_cursor: next.to_owned(),
        });
        Ok(Response::new(ListFluxnodesResponse {
            fluxnodes,
            page,
            height: 2_100_000,
        }))
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        self.enter("list_payments", &request, None, "")?;
        let payments = self.state().payments.clone();
        Ok(Response::new(ListPaymentsResponse {
            payments,
            page: None,
        }))
    }
}
