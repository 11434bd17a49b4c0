//! `GET /v1/chain/payments/{message_hash}`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::ListPaymentsRequest;
use serde::Deserialize;

use super::payment::ChainPayment;
use crate::rest::{
    Failure, Gateway,
    extract::{PathParams, QueryParams},
    page::{Page, PageQuery},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PaymentsPath {
    /// Hash of a signed message, 64 hex digits.
    pub message_hash: String,
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
