//! Billing and the validator, faked.

use std::pin::Pin;

use fluxplane_proto::{
    billing::v1::{
        CloseEpochRequest, CloseEpochResponse, CreateQuoteRequest, CreateQuoteResponse,
        EstimatePriceRequest, EstimatePriceResponse, EvidenceInterval, FluxDiscount,
        GetAccountRequest, GetAccountResponse, GetEpochRequest, GetEpochResponse,
        GetInvoiceRequest, GetInvoiceResponse, GetLineProofRequest, GetLineProofResponse,
        GetQuoteRequest, GetQuoteResponse, GetRateRequest, GetRateResponse, ListEarningsRequest,
        ListEarningsResponse, ListEpochsRequest, ListEpochsResponse, ListInvoicesRequest,
        ListInvoicesResponse, OverrideRateRequest, OverrideRateResponse, Rate, StreamLeavesRequest,
        StreamLeavesResponse, billing_service_server::BillingService,
    },
    validator::v1::{
        GetAnchorRequest, GetAnchorResponse, ListAnchorsRequest, ListAnchorsResponse,
        validator_service_server::ValidatorService,
    },
};
use futures::{Stream, StreamExt as _, stream};
use tonic::{Request, Response, Status};

use super::{
    World,
    data::{flux, quote, rate, usd},
    not_found,
};

type Leaves = Pin<Box<dyn Stream<Item = Result<StreamLeavesResponse, Status>> + Send>>;

#[tonic::async_trait]
impl BillingService for World {
    async fn create_quote(
        &self,
        request: Request<CreateQuoteRequest>,
    ) -> Result<Response<CreateQuoteResponse>, Status> {
        let inner = request.get_ref();
        self.enter(
            "create_quote",
            &request,
            inner.caller.as_ref(),
            &inner.idempotency_key,
        )?;
        let quote = quote(&inner.caller.clone().unwrap_or_default().principal);
        self.state().quotes.push(quote.clone());
        Ok(Response::new(CreateQuoteResponse { quote: Some(quote) }))
    }

    async fn get_quote(
        &self,
        request: Request<GetQuoteRequest>,
    ) -> Result<Response<GetQuoteResponse>, Status> {
        let id = request.get_ref().quote_id.clone();
        self.enter("get_quote", &request, None, "")?;
        let quote = self
            .state()
            .quotes
            .iter()
            .find(|quote| quote.quote_id == id)
            .cloned();
        let quote = quote.ok_or_else(|| not_found(&format!("quote {id}")))?;
        Ok(Response::new(GetQuoteResponse { quote: Some(quote) }))
    }

    async fn estimate_price(
        &self,
        request: Request<EstimatePriceRequest>,
    ) -> Result<Response<EstimatePriceResponse>, Status> {
        self.enter("estimate_price", &request, None, "")?;
        Ok(Response::new(EstimatePriceResponse {
            price: flux(369_000_000),
            price_usd: usd(2_330_000),
            discount: FluxDiscount::Percent.into(),
            discount_percent: 5,
        }))
    }

    async fn get_account(
        &self,
        request: Request<GetAccountRequest>,
    ) -> Result<Response<GetAccountResponse>, Status> {
        self.enter("get_account", &request, None, "")?;
        Ok(Response::new(GetAccountResponse {
            available: flux(500),
            held: flux(400),
            spent: flux(300),
        }))
    }

    async fn list_invoices(
        &self,
        request: Request<ListInvoicesRequest>,
    ) -> Result<Response<ListInvoicesResponse>, Status> {
        let owner = request.get_ref().owner.clone();
        self.enter("list_invoices", &request, None, "")?;
        let mut invoices = self.state().invoices.clone();
        invoices.retain(|invoice| invoice.owner == owner);
        Ok(Response::new(ListInvoicesResponse {
            invoices,
            page: None,
        }))
    }

    async fn get_invoice(
        &self,
        request: Request<GetInvoiceRequest>,
    ) -> Result<Response<GetInvoiceResponse>, Status> {
        let inner = request.get_ref();
        self.enter("get_invoice", &request, None, "")?;
        let state = self.state();
        let mut invoices = state.invoices.iter();
        let found = invoices
            .find(|invoice| invoice.invoice_id == inner.invoice_id && invoice.owner == inner.owner);
        let invoice = found.cloned().ok_or_else(|| not_found("the invoice"))?;
        Ok(Response::new(GetInvoiceResponse {
            invoice: Some(invoice),
        }))
    }

    async fn get_line_proof(
        &self,
        request: Request<GetLineProofRequest>,
    ) -> Result<Response<GetLineProofResponse>, Status> {
        self.enter("get_line_proof", &request, None, "")?;
        Ok(Response::new(GetLineProofResponse {
            epoch: 12,
            leaf: vec![1, 2, 3],
            leaf_index: 5,
            tree_size: 8,
            path: vec![vec![0xaa; 32], vec![0xbb; 32]],
            root: vec![0xab; 32],
            previous_root: vec![0xcd; 32],
            anchor_txid: hex::encode([9; 32]),
            anchor_height: 2_100_000,
            owner_salt: vec![4; 16],
            evidence: vec![EvidenceInterval {
                from_unix_s: 1_767_614_400,
                to_unix_s: 1_767_618_000,
            }],
        }))
    }

    async fn list_earnings(
        &self,
        request: Request<ListEarningsRequest>,
    ) -> Result<Response<ListEarningsResponse>, Status> {
        self.enter("list_earnings", &request, None, "")?;
        let earnings = self.state().earnings.clone();
        Ok(Response::new(ListEarningsResponse {
            earnings,
            page: None,
        }))
    }

    async fn list_epochs(
        &self,
        request: Request<ListEpochsRequest>,
    ) -> Result<Response<ListEpochsResponse>, Status> {
        self.enter("list_epochs", &request, None, "")?;
        let epochs = self.state().epochs.clone();
        Ok(Response::new(ListEpochsResponse { epochs, page: None }))
    }

    async fn get_epoch(
        &self,
        request: Request<GetEpochRequest>,
    ) -> Result<Response<GetEpochResponse>, Status> {
        let number = request.get_ref().number;
        self.enter("get_epoch", &request, None, "")?;
        let epoch = self
            .state()
            .epochs
            .iter()
            .find(|epoch| epoch.number == number)
            .cloned();
        let epoch = epoch.ok_or_else(|| not_found(&format!("epoch {number}")))?;
        Ok(Response::new(GetEpochResponse { epoch: Some(epoch) }))
    }

    type StreamLeavesStream = Leaves;

    async fn stream_leaves(
        &self,
        request: Request<StreamLeavesRequest>,
    ) -> Result<Response<Leaves>, Status> {
        self.enter("stream_leaves", &request, None, "")?;
        let leaves = self.state().leaves.clone();
        Ok(Response::new(stream::iter(leaves).boxed()))
    }

    async fn close_epoch(
        &self,
        request: Request<CloseEpochRequest>,
    ) -> Result<Response<CloseEpochResponse>, Status> {
        let inner = request.get_ref();
        self.enter(
            "close_epoch",
            &request,
            inner.caller.as_ref(),
            &inner.idempotency_key,
        )?;
        let epoch = self.state().epochs.first().cloned();
        Ok(Response::new(CloseEpochResponse { epoch }))
    }

    async fn get_rate(
        &self,
        request: Request<GetRateRequest>,
    ) -> Result<Response<GetRateResponse>, Status> {
        self.enter("get_rate", &request, None, "")?;
        Ok(Response::new(GetRateResponse {
            sources: rate().sources,
            rate: Some(rate()),
            problem: String::new(),
        }))
    }

    async fn override_rate(
        &self,
        request: Request<OverrideRateRequest>,
    ) -> Result<Response<OverrideRateResponse>, Status> {
        let inner = request.get_ref();
        self.enter(
            "override_rate",
            &request,
            inner.caller.as_ref(),
            &inner.idempotency_key,
        )?;
        let statement = inner.statement.clone().unwrap();
        let rate = Rate {
            micro_usd: statement.micro_usd,
            source: format!("set by {}: {}", statement.signer, statement.reason),
            statement: Some(statement),
            ..rate()
        };
        Ok(Response::new(OverrideRateResponse { rate: Some(rate) }))
    }
}

#[tonic::async_trait]
impl ValidatorService for World {
    async fn get_anchor(
        &self,
        request: Request<GetAnchorRequest>,
    ) -> Result<Response<GetAnchorResponse>, Status> {
        let epoch = request.get_ref().epoch;
        self.enter("get_anchor", &request, None, "")?;
        let anchor = self
            .state()
            .anchors
            .iter()
            .find(|anchor| anchor.epoch == epoch)
            .cloned();
        let anchor = anchor.ok_or_else(|| not_found("the anchor"))?;
        Ok(Response::new(GetAnchorResponse {
            anchor: Some(anchor),
        }))
    }

    async fn list_anchors(
        &self,
        _: Request<ListAnchorsRequest>,
    ) -> Result<Response<ListAnchorsResponse>, Status> {
        Err(Status::unimplemented("the gateway does not ask"))
    }
}
