//! `GET /v1/chain/supply`

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use fluxplane_proto::chain_indexer::v1::GetSupplyRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::at_height::HeightQuery;
use crate::rest::{Failure, Gateway, amount::Amount, extract::QueryParams, wire::time};

/// The coins there are after a block, counted from its bytes, beside what the schedule says.
#[derive(Debug, Serialize, ToSchema)]
pub struct Supply {
    pub height: u32,
    pub block_hash: String,
    pub block_time: DateTime<Utc>,
    /// Outputs of transactions that are not spent.
    pub transparent: Amount,
    /// Value of the shielded pools, by what went in and came out.
    pub shielded: Amount,
    /// Both.
    pub total: Amount,
    /// What the coinbase of this block paid out, fees included.
    pub coinbase: Amount,
    /// Fees of the transactions of this block.
    pub fees: Amount,
    /// What the schedule had issued up to this block; more than the total where producers took less than they might.
    pub scheduled: Amount,
    /// Scheduled less total.
    pub unclaimed: Amount,
}

/// Read the supply
///
/// Observed and scheduled, after the last block or an earlier one.
#[utoipa::path(
    get,
    path = "/v1/chain/supply",
    tag = "chain",
    params(HeightQuery),
    responses((status = 200, description = "The supply", body = Supply)),
)]
pub async fn get_supply(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<HeightQuery>,
) -> Result<Json<Supply>, Failure> {
    let request = GetSupplyRequest {
        height: query.height,
    };
    let answer = gateway.peers.ledger.get_supply(request).await?;
    Ok(Json(Supply {
        height: answer.height,
        block_hash: answer.block_hash,
        block_time: time("block_time", answer.block_time)?,
        transparent: Amount::flux(answer.transparent_sat),
        shielded: Amount::flux(answer.shielded_sat),
        total: Amount::flux(answer.total_sat),
        coinbase: Amount::flux(answer.coinbase_sat),
        fees: Amount::flux(answer.fees_sat),
        scheduled: Amount::flux(answer.scheduled_sat),
        unclaimed: Amount::flux(answer.scheduled_sat.saturating_sub(answer.total_sat)),
    }))
}
