//! `GET /v1/chain/blocks/{height_or_hash}`

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use fluxplane_core::error::Violation;
use fluxplane_proto::chain_indexer::v1::{self as wire, GetBlockRequest, get_block_request::Key};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{
    Failure, Gateway,
    amount::Amount,
    extract::PathParams,
    wire::{required, some, time},
};

/// Digits of a block hash.
const HASH_CHARS: usize = 64;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BlockPath {
    /// Height, or hash of 64 hex digits.
    #[param(example = "2100000")]
    pub height_or_hash: String,
}

/// A block of the best chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct Block {
    pub height: u32,
    pub hash: String,
    pub previous_hash: String,
    pub time: DateTime<Utc>,
    pub size_bytes: u32,
    pub txids: Vec<String>,
    /// Whom the block pays.
    pub coinbase_outputs: Vec<Output>,
}

/// An output of a transaction.
#[derive(Debug, Serialize, ToSchema)]
pub struct Output {
    pub amount: Amount,
    /// Null when the script has no address form.
    pub address: Option<String>,
    /// Hex.
    pub script: String,
}

/// Read a block
#[utoipa::path(
    get,
    path = "/v1/chain/blocks/{height_or_hash}",
    tag = "chain",
    params(BlockPath),
    responses((status = 200, description = "The block", body = Block)),
)]
pub async fn get_block(
    State(gateway): State<Gateway>,
    PathParams(path): PathParams<BlockPath>,
) -> Result<Json<Block>, Failure> {
    let request = GetBlockRequest {
        key: Some(key(&path.height_or_hash)?),
    };
    let answer = gateway.peers.chain.get_block(request).await?;
    let block = required("block", answer.block)?;
    Ok(Json(Block {
        height: block.height,
        hash: block.hash,
        previous_hash: block.previous_hash,
        time: time("block.time", block.time)?,
        size_bytes: block.size_bytes,
        txids: block.txids,
        coinbase_outputs: block
            .coinbase_outputs
            .into_iter()
            .map(Output::from)
            .collect(),
    }))
}

impl From<wire::Output> for Output {
    fn from(output: wire::Output) -> Self {
        Self {
            amount: Amount::flux(output.amount_sat),
            address: some(&output.address).map(str::to_owned),
            script: output.script_hex,
        }
    }
}

fn key(text: &str) -> Result<Key, Failure> {
    if let Ok(height) = text.parse() {
        return Ok(Key::Height(height));
    }
    if text.len() == HASH_CHARS && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(Key::Hash(text.to_ascii_lowercase()));
    }
    let rule = "a height, or a hash of 64 hex digits";
    let remedy = "read /v1/chain/status for the newest of both";
    Err(Failure::invalid(Violation::new(
        "height_or_hash",
        text,
        rule,
        remedy,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_height_and_sixty_four_hex_digits_a_hash() {
        assert_eq!(key("2100000").unwrap(), Key::Height(2_100_000));
        let hash = "AB".repeat(32);
        assert_eq!(key(&hash).unwrap(), Key::Hash("ab".repeat(32)));
        for wrong in ["", "-1", "99999999999", "abc", &"g".repeat(64)] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }
}
