//! Outputs and balances for other services.

use fluxplane_platform::{error::refuse, metrics::Metrics};
use fluxplane_proto::{
    chain_indexer::v1::{
        GetAddressRequest, GetAddressResponse, GetOutputRequest, GetOutputResponse,
        GetSupplyRequest, GetSupplyResponse, ListAddressTransactionsRequest,
        ListAddressTransactionsResponse, ListRichRequest, ListRichResponse, ListUnspentRequest,
        ListUnspentResponse, RichOwner, ledger_service_server::LedgerService,
    },
    common::v1::{PageInfo, PageRequest},
};
use serde::de::DeserializeOwned;
use tonic::{Request, Response, Status};

use super::ledger_convert as convert;
use crate::app::{Context, Error, balances, queries};

#[derive(Debug, Clone)]
pub struct LedgerGrpc {
    pub ctx: Context,
    pub metrics: Metrics,
}

impl LedgerGrpc {
    fn answer<T>(&self, result: Result<T, Error>) -> Result<Response<T>, Status> {
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn address(&self, request: GetAddressRequest) -> Result<GetAddressResponse, Error> {
        let space = self.ctx.rules.params.addresses;
        let owner = convert::owner(request.owner, space)?;
        let found = balances::address(&self.ctx, &owner).await?;
        Ok(GetAddressResponse {
            summary: Some(convert::summary(&found.answer, space)),
            height: found.height,
        })
    }

    async fn transactions(
        &self,
        request: ListAddressTransactionsRequest,
    ) -> Result<ListAddressTransactionsResponse, Error> {
        let owner = convert::owner(request.owner, self.ctx.rules.params.addresses)?;
        let page = page(request.page)?;
        let list = balances::transactions(&self.ctx, &owner, &page).await?;
        Ok(ListAddressTransactionsResponse {
            transactions: list.answer.rows.iter().map(convert::entry).collect(),
            page: Some(PageInfo {
                next_cursor: list.answer.next_cursor,
            }),
            height: list.height,
        })
    }

    async fn unspent(&self, request: ListUnspentRequest) -> Result<ListUnspentResponse, Error> {
        let owner = convert::owner(request.owner, self.ctx.rules.params.addresses)?;
        let page = page(request.page)?;
        let list = balances::unspent(&self.ctx, &owner, &page).await?;
        Ok(ListUnspentResponse {
            outputs: list.answer.rows.iter().map(convert::unspent).collect(),
            page: Some(PageInfo {
                next_cursor: list.answer.next_cursor,
            }),
            height: list.height,
        })
    }

    async fn output(&self, request: GetOutputRequest) -> Result<GetOutputResponse, Error> {
        let outpoint = convert::outpoint(request.outpoint)?;
        let found = balances::output(&self.ctx, outpoint).await?;
        let space = self.ctx.rules.params.addresses;
        Ok(GetOutputResponse {
            output: Some(convert::output(&found.answer, space)),
            tip_height: found.height,
        })
    }

    async fn rich(&self, request: ListRichRequest) -> Result<ListRichResponse, Error> {
        let page = page(request.page)?;
        let list = balances::rich(&self.ctx, &page).await?;
        let space = self.ctx.rules.params.addresses;
        let owners = list.answer.rows.iter().map(|(key, summary)| RichOwner {
            rank: key.rank,
            summary: Some(convert::summary(summary, space)),
        });
        Ok(ListRichResponse {
            owners: owners.collect(),
            page: Some(PageInfo {
                next_cursor: list.answer.next_cursor,
            }),
            height: list.height,
        })
    }

    async fn supply(&self, request: GetSupplyRequest) -> Result<GetSupplyResponse, Error> {
        let supply = balances::supply(&self.ctx, request.height).await?;
        Ok(convert::supply(&supply))
    }
}

fn page<K: DeserializeOwned>(
    wish: Option<PageRequest>,
) -> Result<fluxplane_platform::db::paging::Page<K>, Error> {
    let wish = wish.unwrap_or_default();
    queries::page(wish.size, &wish.cursor)
}

#[tonic::async_trait]
impl LedgerService for LedgerGrpc {
    async fn get_address(
        &self,
        request: Request<GetAddressRequest>,
    ) -> Result<Response<GetAddressResponse>, Status> {
        self.answer(self.address(request.into_inner()).await)
    }

    async fn list_address_transactions(
        &self,
        request: Request<ListAddressTransactionsRequest>,
    ) -> Result<Response<ListAddressTransactionsResponse>, Status> {
        self.answer(self.transactions(request.into_inner()).await)
    }

    async fn list_unspent(
        &self,
        request: Request<ListUnspentRequest>,
    ) -> Result<Response<ListUnspentResponse>, Status> {
        self.answer(self.unspent(request.into_inner()).await)
    }

    async fn get_output(
        &self,
        request: Request<GetOutputRequest>,
    ) -> Result<Response<GetOutputResponse>, Status> {
        self.answer(self.output(request.into_inner()).await)
    }

    async fn list_rich(
        &self,
        request: Request<ListRichRequest>,
    ) -> Result<Response<ListRichResponse>, Status> {
        self.answer(self.rich(request.into_inner()).await)
    }

    async fn get_supply(
        &self,
        request: Request<GetSupplyRequest>,
    ) -> Result<Response<GetSupplyResponse>, Status> {
        self.answer(self.supply(request.into_inner()).await)
    }
}
