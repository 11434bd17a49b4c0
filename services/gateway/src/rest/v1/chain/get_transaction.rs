//! `GET /v1/chain/transactions/{txid}`

use axum::{Json, extract::State};
use fluxplane_proto::chain_indexer::v1::GetTransactionRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{Failure, Gateway, extract::PathParams, wire::some};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TransactionPath {
    /// 64 hex digits.
    pub txid: String,
}

/// A transaction of the best chain or the mempool.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transaction {
    pub txid: String,
    /// The whole transaction, hex.
    pub raw: String,
    /// Null while in the mempool.
    pub height: Option<u32>,
    pub block_hash: Option<String>,
    pub confirmations: u32,
}

/// Read a transaction
#[utoipa::path(
    get,
    path = "/v1/chain/transactions/{txid}",
    tag = "chain",
    params(TransactionPath),
    responses((status = 200, description = "The transaction", body = Transaction)),
)]
pub async fn get_transaction(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<TransactionPath>,
) -> Result<Json<Transaction>, Failure> {
    let request = GetTransactionRequest { txid: path.txid };
    let answer = gateway.peers.chain.get_transaction(request).await?;
    let block_hash = some(&answer.block_hash).map(str::to_owned);
    Ok(Json(Transaction {
        txid: answer.txid,
        raw: answer.raw_hex,
        height: block_hash.is_some().then_some(answer.height),
        block_hash,
        confirmations: answer.confirmations,
    }))
}
