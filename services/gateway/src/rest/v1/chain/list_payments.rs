//! `GET /v1/chain/payments/{message_hash}`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::{self as wire, ListPaymentsRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{
    Failure, Gateway,
    amount::Amount,
    extract::{PathParams, QueryParams},
    page::{Page, PageQuery},
    wire::some,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PaymentsPath {
    /// Hash of a signed message, 64 hex digits.
    pub message_hash: String,
}

/// A payment that carries a message hash.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainPayment {
    pub txid: String,
    pub message_hash: String,
    /// Outputs to payment addresses.
    pub outputs: Vec<PaidOutput>,
    pub total: Amount,
    /// Null while in the mempool.
    pub height: Option<u32>,
    pub block_hash: Option<String>,
    pub confirmations: u32,
}

/// An output to a payment address.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaidOutput {
    pub vout: u32,
    pub address: String,
    pub amount: Amount,
}

impl From<wire::Payment> for ChainPayment {
    fn from(payment: wire::Payment) -> Self {
        let block_hash = some(&payment.block_hash).map(str::to_owned);
        let outputs = payment.outputs.into_iter().map(|output| PaidOutput {
            vout: output.vout,
            address: output.address,
            amount: Amount::flux(output.amount_sat),
        });
        Self {
            txid: payment.txid,
            message_hash: payment.message_hash,
            outputs: outputs.collect(),
            total: Amount::flux(payment.total_sat),
            height: block_hash.is_some().then_some(payment.height),
            block_hash,
            confirmations: payment.confirmations,
        }
    }
}

/// A page of the list.
pub type ChainPaymentPage = Page<ChainPayment>;

/// List payments for a message
///
/// Oldest first, from the mempool on.
#[utoipa::path(
    get,
    path = "/v1/chain/payments/{message_hash}",
    tag = "chain",
    params(PaymentsPath, PageQuery),
    responses((status = 200, description = "The payments", body = ChainPaymentPage)),
)]
pub async fn list_payments(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<PaymentsPath>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<ChainPaymentPage>, Failure> {
    let request = ListPaymentsRequest {
        message_hash: path.message_hash,
        page: Some(page.wish()?),
    };
    let answer = gateway.peers.chain.list_payments(request).await?;
    let payments = answer
        .payments
        .into_iter()
        .map(ChainPayment::from)
        .collect();
    Ok(Json(Page::new(payments, answer.page)))
}
