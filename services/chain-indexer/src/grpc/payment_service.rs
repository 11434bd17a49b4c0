//! Payments nobody can assign, and what else transactions say, for other services.

use fluxplane_platform::{error::refuse, metrics::Metrics};
use fluxplane_proto::{
    chain_indexer::v1::{
        GetPaymentRequest, GetPaymentResponse, ListChainAnchorsRequest, ListChainAnchorsResponse,
        ListPriceMessagesRequest, ListPriceMessagesResponse, ListUnmatchedPaymentsRequest,
        ListUnmatchedPaymentsResponse, payment_service_server::PaymentService,
    },
    common::v1::PageInfo,
};
use tonic::{Request, Response, Status};

use super::{convert, payments};
use crate::{
    app::{Context, Error, notes, queries},
    domain::note::Kind,
};

#[derive(Debug, Clone)]
pub struct PaymentGrpc {
    pub ctx: Context,
    pub metrics: Metrics,
}

impl PaymentGrpc {
    fn answer<T>(&self, result: Result<T, Error>) -> Result<Response<T>, Status> {
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn unmatched(
        &self,
        request: ListUnmatchedPaymentsRequest,
    ) -> Result<ListUnmatchedPaymentsResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let problem = payments::problem_from_wire(request.problem)?;
        let list = notes::unmatched_payments(&self.ctx, problem, &page).await?;
        let height = list.height;
        let records = list.records.iter();
        Ok(ListUnmatchedPaymentsResponse {
            payments: records
                .map(|record| payments::recorded_to_wire(record, height))
                .collect(),
            page: Some(PageInfo {
                next_cursor: list.next_cursor,
            }),
        })
    }

    async fn payment(&self, request: GetPaymentRequest) -> Result<GetPaymentResponse, Error> {
        let txid = convert::hash("txid", &request.txid)?;
        let (record, height) = notes::payment(&self.ctx, txid).await?;
        Ok(GetPaymentResponse {
            payment: Some(payments::recorded_to_wire(&record, height)),
        })
    }

    async fn anchors(
        &self,
        request: ListChainAnchorsRequest,
    ) -> Result<ListChainAnchorsResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let epoch = (request.epoch > 0).then_some(request.epoch);
        let list = notes::list(&self.ctx, Kind::Anchor, epoch, &page).await?;
        let last = self.ctx.rules.thresholds.last();
        let anchors = list.records.iter().filter_map(|record| {
            let standing = payments::Standing::of(record, list.height, last);
            payments::anchor_to_wire(&record.note, &standing)
        });
        Ok(ListChainAnchorsResponse {
            anchors: anchors.collect(),
            page: Some(PageInfo {
                next_cursor: list.next_cursor,
            }),
        })
    }

    async fn price_messages(
        &self,
        request: ListPriceMessagesRequest,
    ) -> Result<ListPriceMessagesResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let list = notes::list(&self.ctx, Kind::Price, None, &page).await?;
        let last = self.ctx.rules.thresholds.last();
        let messages = list.records.iter().filter_map(|record| {
            let standing = payments::Standing::of(record, list.height, last);
            payments::price_to_wire(&record.note, &standing)
        });
        Ok(ListPriceMessagesResponse {
            messages: messages.collect(),
            page: Some(PageInfo {
                next_cursor: list.next_cursor,
            }),
        })
    }
}

#[tonic::async_trait]
impl PaymentService for PaymentGrpc {
    async fn list_unmatched_payments(
        &self,
        request: Request<ListUnmatchedPaymentsRequest>,
    ) -> Result<Response<ListUnmatchedPaymentsResponse>, Status> {
        self.answer(self.unmatched(request.into_inner()).await)
    }

    async fn get_payment(
        &self,
        request: Request<GetPaymentRequest>,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        self.answer(self.payment(request.into_inner()).await)
    }

    async fn list_anchors(
        &self,
        request: Request<ListChainAnchorsRequest>,
    ) -> Result<Response<ListChainAnchorsResponse>, Status> {
        self.answer(self.anchors(request.into_inner()).await)
    }

    async fn list_price_messages(
        &self,
        request: Request<ListPriceMessagesRequest>,
    ) -> Result<Response<ListPriceMessagesResponse>, Status> {
        self.answer(self.price_messages(request.into_inner()).await)
    }
}
