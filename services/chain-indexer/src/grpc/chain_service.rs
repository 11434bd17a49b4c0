//! The service other services ask.

use std::sync::Arc;

use fluxplane_platform::{error::refuse, metrics::Metrics};
use fluxplane_proto::{
    chain_indexer::v1::{
        Fluxnode, GetBlockRequest, GetBlockResponse, GetFluxnodeRequest, GetFluxnodeResponse,
        GetStatusRequest, GetStatusResponse, GetTransactionRequest, GetTransactionResponse,
        ListFluxnodesRequest, ListFluxnodesResponse, ListPaymentsRequest, ListPaymentsResponse,
        chain_service_server::ChainService,
    },
    common::v1::PageInfo,
};
use tonic::{Request, Response, Status};

use super::convert;
use crate::{
    app::{Context, Error, queries},
    source::Archive,
};

#[derive(Debug, Clone)]
pub struct ChainGrpc {
    pub ctx: Context,
    /// Asked for what an index in mode plane does not keep.
    pub archive: Arc<dyn Archive>,
    pub metrics: Metrics,
}

impl ChainGrpc {
    fn answer<T>(&self, result: Result<T, Error>) -> Result<Response<T>, Status> {
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn status(&self) -> Result<GetStatusResponse, Error> {
        let status = queries::status(&self.ctx).await?;
        let tip = status.tip;
        let params = &self.ctx.rules.params;
        Ok(GetStatusResponse {
            network: params.network.to_string(),
            genesis_hash: params.genesis.hash.to_string(),
            height: tip.map_or(0, |tip| tip.height),
            hash: tip.map_or_else(String::new, |tip| tip.hash.to_string()),
            block_time: status.block_time.map(convert::timestamp),
            daemon_height: status.daemon_height,
            halted_reason: status.halted_reason,
            payment_addresses: status
                .payment_addresses
                .iter()
                .map(ToString::to_string)
                .collect(),
            sources: status.sources.into_iter().map(convert::source).collect(),
            quorum: status.quorum,
            sources_problem: status.daemon_problem,
            base_height: status.base_height,
        })
    }

    async fn block(&self, request: GetBlockRequest) -> Result<GetBlockResponse, Error> {
        let key = convert::block_key(request.key)?;
        let block = queries::block(&self.ctx, &*self.archive, &key).await?;
        Ok(GetBlockResponse {
            block: Some(convert::block_to_wire(
                &block,
                self.ctx.rules.params.addresses,
            )),
        })
    }

    async fn transaction(
        &self,
        request: GetTransactionRequest,
    ) -> Result<GetTransactionResponse, Error> {
        let txid = convert::hash("txid", &request.txid)?;
        let found = queries::transaction(&self.ctx, &*self.archive, txid).await?;
        Ok(GetTransactionResponse {
            txid: txid.to_string(),
            raw_hex: hex::encode(found.raw),
            height: found.block.map_or(0, |block| block.height),
            block_hash: found
                .block
                .map_or_else(String::new, |block| block.hash.to_string()),
            confirmations: found.confirmations,
        })
    }

    async fn fluxnode(&self, request: GetFluxnodeRequest) -> Result<GetFluxnodeResponse, Error> {
        let collateral = convert::collateral(request.collateral)?;
        let (entry, rank) = queries::fluxnode(&self.ctx, collateral).await?;
        let space = self.ctx.rules.params.addresses;
        Ok(GetFluxnodeResponse {
            fluxnode: Some(convert::fluxnode_to_wire(&entry, rank, space)),
        })
    }

    async fn fluxnodes(
        &self,
        request: ListFluxnodesRequest,
    ) -> Result<ListFluxnodesResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let tier = convert::tier_from_wire(request.tier)?;
        let list = queries::fluxnodes(&self.ctx, tier, &page).await?;
        let space = self.ctx.rules.params.addresses;
        Ok(ListFluxnodesResponse {
            fluxnodes: list
                .entries
                .iter()
                .map(|(entry, rank)| {
                    let at = |height: &u32| {
                        list.block_times
                            .get(height)
                            .copied()
                            .map(convert::timestamp)
                    };
                    Fluxnode {
                        added_at: at(&entry.added_height),
                        last_paid_at: at(&entry.last_paid_height),
                        ..convert::fluxnode_to_wire(entry, Some(*rank), space)
                    }
                })
                .collect(),
            page: Some(PageInfo {
                next_cursor: list.next_cursor,
            }),
            height: list.height,
        })
    }

    async fn payments(&self, request: ListPaymentsRequest) -> Result<ListPaymentsResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let message = convert::message_hash(&request.message_hash)?;
        let list = queries::payments(&self.ctx, message, &page).await?;
        Ok(ListPaymentsResponse {
            payments: list
                .records
                .iter()
                .map(|record| {
                    let confirmations = record.place.confirmations(list.height);
                    convert::payment_to_wire(&record.payment, &record.place, confirmations)
                })
                .collect(),
            page: Some(PageInfo {
                next_cursor: list.next_cursor,
            }),
        })
    }
}

#[tonic::async_trait]
impl ChainService for ChainGrpc {
    async fn get_status(
        &self,
        _: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        self.answer(self.status().await)
    }

    async fn get_block(
        &self,
        request: Request<GetBlockRequest>,
    ) -> Result<Response<GetBlockResponse>, Status> {
        self.answer(self.block(request.into_inner()).await)
    }

    async fn get_transaction(
        &self,
        request: Request<GetTransactionRequest>,
    ) -> Result<Response<GetTransactionResponse>, Status> {
        self.answer(self.transaction(request.into_inner()).await)
    }

    async fn get_fluxnode(
        &self,
        request: Request<GetFluxnodeRequest>,
    ) -> Result<Response<GetFluxnodeResponse>, Status> {
        self.answer(self.fluxnode(request.into_inner()).await)
    }

    async fn list_fluxnodes(
        &self,
        request: Request<ListFluxnodesRequest>,
    ) -> Result<Response<ListFluxnodesResponse>, Status> {
        self.answer(self.fluxnodes(request.into_inner()).await)
    }

    async fn list_payments(
        &self,
        request: Request<ListPaymentsRequest>,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        self.answer(self.payments(request.into_inner()).await)
    }
}
