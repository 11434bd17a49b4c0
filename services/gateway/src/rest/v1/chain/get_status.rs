//! `GET /v1/chain/status`

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use fluxplane_proto::chain_indexer::v1::GetStatusRequest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::{
    Failure, Gateway,
    wire::{optional_time, some},
};

/// How far the plane follows the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainStatus {
    /// `main`, `test`, `regtest` or `devnet`.
    #[schema(example = "main")]
    pub network: String,
    pub genesis_hash: String,
    /// Height of the last block that was applied.
    #[schema(example = 2_100_000)]
    pub height: u32,
    pub hash: String,
    pub block_time: Option<DateTime<Utc>>,
    /// Height the chain node reported last.
    pub daemon_height: u32,
    /// Why following stopped and needs a person; null while it goes on.
    pub halted_reason: Option<String>,
    /// Addresses that receive application payments at this height.
    pub payment_addresses: Vec<String>,
}

/// See how far the plane follows the chain
#[utoipa::path(
    get,
    path = "/v1/chain/status",
    tag = "chain",
    responses((status = 200, description = "The status", body = ChainStatus)),
)]
pub async fn get_status(State(gateway): State<Gateway>) -> Result<Json<ChainStatus>, Failure> {
    let status = gateway.peers.chain.get_status(GetStatusRequest {}).await?;
    Ok(Json(ChainStatus {
        halted_reason: some(&status.halted_reason).map(str::to_owned),
        network: status.network,
        genesis_hash: status.genesis_hash,
        height: status.height,
        hash: status.hash,
        block_time: optional_time("block_time", status.block_time)?,
        daemon_height: status.daemon_height,
        payment_addresses: status.payment_addresses,
    }))
}
