//! `GET /v1/chain/outputs/{txid}/{vout}`

use axum::{Json, extract::State};
use fluxplane_proto::{
    chain_indexer::v1::{self as wire, GetOutputRequest},
    common::v1 as common,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{
    Failure, Gateway,
    amount::Amount,
    extract::PathParams,
    v1::nodes::OutPoint,
    wire::{required, some},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OutputPath {
    /// Transaction that makes the output, 64 hex digits.
    pub txid: String,
    /// Number of the output.
    pub vout: u32,
}

/// An output of the best chain, spent or not.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChainOutput {
    pub outpoint: OutPoint,
    pub amount: Amount,
    /// Null when the script has no address form.
    pub address: Option<String>,
    /// Hex.
    pub script: String,
    /// Block that made it.
    pub height: u32,
    /// Null while nothing spends it.
    pub spent_by: Option<Spend>,
    /// The answer is as of this block.
    pub tip_height: u32,
}

/// What spends an output.
#[derive(Debug, Serialize, ToSchema)]
pub struct Spend {
    pub txid: String,
    /// Number of the input that spends.
    pub vin: u32,
    pub height: u32,
}

impl From<wire::Spend> for Spend {
    fn from(spend: wire::Spend) -> Self {
        Self {
            txid: spend.txid,
            vin: spend.vin,
            height: spend.height,
        }
    }
}

/// Read an output
///
/// What it holds, for whom, and what spends it.
#[utoipa::path(
    get,
    path = "/v1/chain/outputs/{txid}/{vout}",
    tag = "chain",
    params(OutputPath),
    responses((status = 200, description = "The output", body = ChainOutput)),
)]
pub async fn get_output(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<OutputPath>,
) -> Result<Json<ChainOutput>, Failure> {
    let OutputPath { txid, vout } = path;
    let request = GetOutputRequest {
        outpoint: Some(common::OutPoint { txid, vout }),
    };
    let answer = gateway.peers.ledger.get_output(request).await?;
    let output = required("output", answer.output)?;
    Ok(Json(ChainOutput {
        outpoint: OutPoint::from_wire("output.outpoint", output.outpoint)?,
        amount: Amount::flux(output.value_sat),
        address: some(&output.address).map(str::to_owned),
        script: output.script_hex,
        height: output.height,
        spent_by: output.spent_by.map(Spend::from),
        tip_height: answer.tip_height,
    }))
}
