//! `GET /v1/chain/status`

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use fluxplane_proto::chain_indexer::v1::{self as wire, GetStatusRequest};
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::{
    Failure, Gateway,
    wire::{Malformed, optional_time, some},
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
    /// Height of the last block that enough chain nodes agree on.
    pub daemon_height: u32,
    /// Why following stopped and needs a person; null while it goes on.
    pub halted_reason: Option<String>,
    /// Addresses that receive application payments at this height.
    pub payment_addresses: Vec<String>,
    /// The chain nodes that are asked.
    pub sources: Vec<ChainSource>,
    /// So many of them must agree on a block before it is believed; null before the first look.
    pub quorum: Option<u32>,
    /// Why following waits for the chain nodes; null while it goes on.
    pub sources_problem: Option<String>,
    /// Blocks up to this height are not known, because the index began from a snapshot; null when it began at the first block.
    pub base_height: Option<u32>,
}

/// A chain node that is asked, and what it said last.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainSource {
    /// As the plane's configuration calls it.
    pub name: String,
    /// Its last block; null before it answered.
    pub height: Option<u32>,
    pub hash: Option<String>,
    /// Why it cannot be asked or is not believed; null when all is well.
    pub problem: Option<String>,
    /// Whether its blocks are those the others agree on, as far as it has them.
    pub agrees: bool,
    /// When it answered last.
    pub seen_at: Option<DateTime<Utc>>,
}

impl TryFrom<wire::Source> for ChainSource {
    type Error = Malformed;

    fn try_from(source: wire::Source) -> Result<Self, Malformed> {
        let hash = some(&source.hash).map(str::to_owned);
        Ok(Self {
            name: source.name,
            height: hash.is_some().then_some(source.height),
            hash,
            problem: some(&source.problem).map(str::to_owned),
            agrees: source.agrees,
            seen_at: optional_time("source.seen_at", source.seen_at)?,
        })
    }
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
        sources_problem: some(&status.sources_problem).map(str::to_owned),
        quorum: Some(status.quorum).filter(|quorum| *quorum > 0),
        base_height: Some(status.base_height).filter(|height| *height > 0),
        sources: status
            .sources
            .into_iter()
            .map(ChainSource::try_from)
            .collect::<Result<_, _>>()?,
        network: status.network,
        genesis_hash: status.genesis_hash,
        height: status.height,
        hash: status.hash,
        block_time: optional_time("block_time", status.block_time)?,
        daemon_height: status.daemon_height,
        payment_addresses: status.payment_addresses,
    }))
}
