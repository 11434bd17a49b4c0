//! Questions and commands of other services.

use std::pin::Pin;

use fluxplane_platform::{db::idempotency, error::refuse, metrics::Metrics};
use fluxplane_proto::{
    billing::v1::{
        CloseEpochRequest, CloseEpochResponse, CreateQuoteRequest, CreateQuoteResponse,
        EstimatePriceRequest, EstimatePriceResponse, GetAccountRequest, GetAccountResponse,
        GetEpochRequest, GetEpochResponse, GetInvoiceRequest, GetInvoiceResponse,
        GetLineProofRequest, GetLineProofResponse, GetQuoteRequest, GetQuoteResponse,
        GetRateRequest, GetRateResponse, ListEarningsRequest, ListEarningsResponse,
        ListEpochsRequest, ListEpochsResponse, ListInvoicesRequest, ListInvoicesResponse,
        OverrideRateRequest, OverrideRateResponse, StreamLeavesRequest, StreamLeavesResponse,
        billing_service_server::BillingService,
    },
    common::v1::PageInfo,
};
use futures::Stream;
use tonic::{Request, Response, Status};

use super::{convert, leaves, rates};
use crate::app::{
    self, Context, Error,
    create_quote::CreateQuote,
    estimate_price::EstimatePrice,
    prove_line::{self, Trees},
    queries,
};
use crate::clients::scheduler::Scheduler;

#[derive(Debug, Clone)]
pub struct BillingGrpc {
    pub ctx: Context,
    pub scheduler: Scheduler,
    pub trees: Trees,
    pub metrics: Metrics,
}

impl BillingGrpc {
    fn answer<T>(&self, result: Result<T, Error>) -> Result<Response<T>, Status> {
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn new_quote(
        &self,
        mut request: CreateQuoteRequest,
    ) -> Result<CreateQuoteResponse, Error> {
        let owner = request.caller.take().unwrap_or_default().principal;
        let key = std::mem::take(&mut request.idempotency_key);
        let idempotency = idempotency::Request::new(&owner, &key, "CreateQuote", &request)
            .map_err(|violation| Error::Invalid(vec![violation]))?;
        let command = CreateQuote {
            owner,
            spec_json: request.spec_json,
            update_of: request.update_of,
        };
        let quote =
            app::create_quote::create_quote(&self.ctx, &self.scheduler, &idempotency, command)
                .await?;
        Ok(CreateQuoteResponse {
            quote: Some(convert::quote_to_wire(quote)),
        })
    }

    async fn quote(&self, request: GetQuoteRequest) -> Result<GetQuoteResponse, Error> {
        let id = convert::id("quote_id", &request.quote_id)?;
        let quote = queries::get_quote(&self.ctx, id).await?;
        Ok(GetQuoteResponse {
            quote: Some(convert::quote_to_wire(quote)),
        })
    }

    async fn estimate(
        &self,
        request: EstimatePriceRequest,
    ) -> Result<EstimatePriceResponse, Error> {
        let question = EstimatePrice {
            spec_json: request.spec_json,
            update_of: request.update_of,
            owner: request.owner,
        };
        let estimate = app::estimate_price::estimate_price(&self.ctx, question).await?;
        Ok(convert::estimate_to_wire(estimate))
    }

    async fn account(&self, request: GetAccountRequest) -> Result<GetAccountResponse, Error> {
        let balance = queries::get_account(&self.ctx, &request.owner).await?;
        Ok(GetAccountResponse {
            available: Some(convert::flux(balance.available)),
            held: Some(convert::flux(balance.held)),
            spent: Some(convert::flux(balance.spent)),
        })
    }

    async fn invoices(&self, request: ListInvoicesRequest) -> Result<ListInvoicesResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let (bills, next_cursor) = queries::list_invoices(&self.ctx, &request.owner, &page).await?;
        Ok(ListInvoicesResponse {
            invoices: bills.into_iter().map(convert::bill_to_wire).collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }

    async fn invoice(&self, request: GetInvoiceRequest) -> Result<GetInvoiceResponse, Error> {
        let id = convert::id("invoice_id", &request.invoice_id)?;
        let bill = queries::get_invoice(&self.ctx, id, &request.owner).await?;
        Ok(GetInvoiceResponse {
            invoice: Some(convert::bill_to_wire(bill)),
        })
    }

    async fn line_proof(
        &self,
        request: GetLineProofRequest,
    ) -> Result<GetLineProofResponse, Error> {
        let id = convert::id("invoice_id", &request.invoice_id)?;
        let (ctx, trees) = (&self.ctx, &self.trees);
        let (line, owner) = (request.line_number, &request.owner);
        let proven = prove_line::prove_line(ctx, trees, id, line, owner).await?;
        Ok(convert::proof_to_wire(proven))
    }

    async fn earnings(&self, request: ListEarningsRequest) -> Result<ListEarningsResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let (earnings, next_cursor) =
            queries::list_earnings(&self.ctx, &request.operator, &page).await?;
        Ok(ListEarningsResponse {
            earnings: earnings.iter().map(convert::earning_to_wire).collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }

    async fn epochs(&self, request: ListEpochsRequest) -> Result<ListEpochsResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let (epochs, next_cursor) = queries::list_epochs(&self.ctx, &page).await?;
        Ok(ListEpochsResponse {
            epochs: epochs.into_iter().map(convert::epoch_to_wire).collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }

    async fn epoch(&self, request: GetEpochRequest) -> Result<GetEpochResponse, Error> {
        let epoch = queries::get_epoch(&self.ctx, request.number).await?;
        Ok(GetEpochResponse {
            epoch: Some(convert::epoch_to_wire(epoch)),
        })
    }

    async fn leaves(&self, request: StreamLeavesRequest) -> Result<LeafStream, Error> {
        let mut conn = self.ctx.pool.acquire().await?;
        prove_line::closed(&mut conn, request.epoch).await?;
        Ok(Box::pin(leaves::stream(self.ctx.clone(), request.epoch)))
    }

    async fn rate(&self, GetRateRequest {}: GetRateRequest) -> Result<GetRateResponse, Error> {
        let outlook = app::rates::outlook(&self.ctx).await?;
        Ok(rates::outlook_to_wire(outlook))
    }

    async fn set_rate(
        &self,
        mut request: OverrideRateRequest,
    ) -> Result<OverrideRateResponse, Error> {
        let principal = request.caller.take().unwrap_or_default().principal;
        let key = std::mem::take(&mut request.idempotency_key);
        let idempotency = idempotency::Request::new(&principal, &key, "OverrideRate", &request)
            .map_err(|violation| Error::Invalid(vec![violation]))?;
        let statement = request.statement.unwrap_or_default();
        let command = rates::command(principal, statement);
        let rate = app::rates::override_rate(&self.ctx, &idempotency, command).await?;
        Ok(OverrideRateResponse {
            rate: Some(rates::rate_to_wire(rate)),
        })
    }

    async fn close(&self, mut request: CloseEpochRequest) -> Result<CloseEpochResponse, Error> {
        let principal = request.caller.take().unwrap_or_default().principal;
        let key = std::mem::take(&mut request.idempotency_key);
        let idempotency = idempotency::Request::new(&principal, &key, "CloseEpoch", &request)
            .map_err(|violation| Error::Invalid(vec![violation]))?;
        let epoch = app::epochs::close_now(&self.ctx, &idempotency).await?;
        Ok(CloseEpochResponse {
            epoch: Some(convert::epoch_to_wire(epoch)),
        })
    }
}

type LeafStream = Pin<Box<dyn Stream<Item = Result<StreamLeavesResponse, Status>> + Send>>;

#[tonic::async_trait]
impl BillingService for BillingGrpc {
    async fn create_quote(
        &self,
        request: Request<CreateQuoteRequest>,
    ) -> Result<Response<CreateQuoteResponse>, Status> {
        self.answer(self.new_quote(request.into_inner()).await)
    }

    async fn get_quote(
        &self,
        request: Request<GetQuoteRequest>,
    ) -> Result<Response<GetQuoteResponse>, Status> {
        self.answer(self.quote(request.into_inner()).await)
    }

    async fn estimate_price(
        &self,
        request: Request<EstimatePriceRequest>,
    ) -> Result<Response<EstimatePriceResponse>, Status> {
        self.answer(self.estimate(request.into_inner()).await)
    }

    async fn get_account(
        &self,
        request: Request<GetAccountRequest>,
    ) -> Result<Response<GetAccountResponse>, Status> {
        self.answer(self.account(request.into_inner()).await)
    }

    async fn list_invoices(
        &self,
        request: Request<ListInvoicesRequest>,
    ) -> Result<Response<ListInvoicesResponse>, Status> {
        self.answer(self.invoices(request.into_inner()).await)
    }

    async fn get_invoice(
        &self,
        request: Request<GetInvoiceRequest>,
    ) -> Result<Response<GetInvoiceResponse>, Status> {
        self.answer(self.invoice(request.into_inner()).await)
    }

    async fn get_line_proof(
        &self,
        request: Request<GetLineProofRequest>,
    ) -> Result<Response<GetLineProofResponse>, Status> {
        self.answer(self.line_proof(request.into_inner()).await)
    }

    async fn list_earnings(
        &self,
        request: Request<ListEarningsRequest>,
    ) -> Result<Response<ListEarningsResponse>, Status> {
        self.answer(self.earnings(request.into_inner()).await)
    }

    async fn list_epochs(
        &self,
        request: Request<ListEpochsRequest>,
    ) -> Result<Response<ListEpochsResponse>, Status> {
        self.answer(self.epochs(request.into_inner()).await)
    }

    async fn get_epoch(
        &self,
        request: Request<GetEpochRequest>,
    ) -> Result<Response<GetEpochResponse>, Status> {
        self.answer(self.epoch(request.into_inner()).await)
    }

    type StreamLeavesStream = LeafStream;

    async fn stream_leaves(
        &self,
        request: Request<StreamLeavesRequest>,
    ) -> Result<Response<LeafStream>, Status> {
        self.answer(self.leaves(request.into_inner()).await)
    }

    async fn get_rate(
        &self,
        request: Request<GetRateRequest>,
    ) -> Result<Response<GetRateResponse>, Status> {
        self.answer(self.rate(request.into_inner()).await)
    }

    async fn override_rate(
        &self,
        request: Request<OverrideRateRequest>,
    ) -> Result<Response<OverrideRateResponse>, Status> {
        self.answer(self.set_rate(request.into_inner()).await)
    }

    async fn close_epoch(
        &self,
        request: Request<CloseEpochRequest>,
    ) -> Result<Response<CloseEpochResponse>, Status> {
        self.answer(self.close(request.into_inner()).await)
    }
}
