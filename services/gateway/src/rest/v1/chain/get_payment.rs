//! `GET /v1/chain/transactions/{txid}/payment`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::GetPaymentRequest;

use super::{get_transaction::TransactionPath, payment::RecordedPayment};
use crate::rest::{Failure, Gateway, extract::PathParams, wire::required};

/// Read a payment by its transaction
///
/// Whatever it says and wherever it is: also one without a usable message, and one that a double spend took away.
#[utoipa::path(
    get,
    path = "/v1/chain/transactions/{txid}/payment",
    tag = "chain",
    params(TransactionPath),
    responses((status = 200, description = "The payment", body = RecordedPayment)),
)]
pub async fn get_payment(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<TransactionPath>,
) -> Result<Json<RecordedPayment>, Failure> {
    let request = GetPaymentRequest { txid: path.txid };
    let answer = gateway.peers.payments.get_payment(request).await?;
    let record = required("payment", answer.payment)?;
    Ok(Json(RecordedPayment::try_from(record)?))
}
