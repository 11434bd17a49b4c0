//! Blocks. The index keeps no headers, so that fields of a header are left out.

use axum::extract::State;
use fluxplane_flux_chain::describe::TransactionJson;
use fluxplane_proto::chain_indexer::v1::{
    Block, GetBlockRequest, GetBlockResponse, get_block_request::Key,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

use super::{
    INVALID_ADDRESS_OR_KEY, INVALID_PARAMETER, address_space, status, transactions, unknown,
};
use crate::rest::{
    Gateway,
    fluxos::{
        envelope::{Data, Refused},
        params::Params,
    },
    wire::{required, some, time},
};

/// Digits of a hash.
const HASH_CHARS: usize = 64;

/// Transactions that are fetched to describe a block, and how many at a time.
const MAX_TRANSACTIONS: usize = 2_000;
const AT_A_TIME: usize = 16;

/// `GET /daemon/getblockcount`
pub async fn count(State(gateway): State<Gateway>) -> Result<Data<u32>, Refused> {
    Ok(Data(status(&gateway).await?.height))
}

/// `GET /daemon/getbestblockhash`
pub async fn best_hash(State(gateway): State<Gateway>) -> Result<Data<String>, Refused> {
    Ok(Data(status(&gateway).await?.hash))
}

/// `GET /daemon/getblockhash/:index?`
pub async fn hash(State(gateway): State<Gateway>, params: Params) -> Result<Data<String>, Refused> {
    let index = params.need("index")?;
    let height = index
        .parse()
        .map_err(|_| Refused::daemon(INVALID_PARAMETER, "Block height out of range"))?;
    Ok(Data(find(&gateway, Key::Height(height)).await?.hash))
}

/// A block, as `getblock` shows it.
#[derive(Debug, Serialize)]
pub struct BlockView {
    hash: String,
    confirmations: u32,
    size: u32,
    height: u32,
    tx: Transactions,
    time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    previousblockhash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nextblockhash: Option<String>,
}

/// Ids with verbosity 1, all of them with 2.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Transactions {
    Ids(Vec<String>),
    Whole(Vec<TransactionJson>),
}

/// `GET /daemon/getblock/:hashheight?/:verbosity?`
pub async fn block(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Data<BlockView>, Refused> {
    let key = key(params.need("hashheight")?)?;
    let whole = match params.get("verbosity") {
        "1" => false,
        // What FluxOS asks for when its caller does not say.
        "" | "2" => true,
        "0" => {
            return Err(Refused::not_implemented(
                "The plane keeps no raw blocks; ask with verbosity 1 or 2, or read GET /v1/chain/blocks/{height_or_hash}.",
            ));
        }
        _ => {
            return Err(Refused::daemon(
                INVALID_PARAMETER,
                "Verbosity must be in range from 0 to 2",
            ));
        }
    };
    let (block, status) = tokio::try_join!(find(&gateway, key), status(&gateway))?;
    let next = if block.height < status.height {
        Some(find(&gateway, Key::Height(block.height + 1)).await?.hash)
    } else {
        None
    };
    let tx = if whole {
        Transactions::Whole(described(&gateway, &block, address_space(&status)).await?)
    } else {
        Transactions::Ids(block.txids)
    };
    Ok(Data(BlockView {
        confirmations: status.height.saturating_sub(block.height) + 1,
        size: block.size_bytes,
        height: block.height,
        tx,
        time: time("block.time", block.time)?.timestamp(),
        previousblockhash: some(&block.previous_hash).map(str::to_owned),
        nextblockhash: next,
        hash: block.hash,
    }))
}

fn key(text: &str) -> Result<Key, Refused> {
    if text.len() == HASH_CHARS {
        return Ok(Key::Hash(text.to_ascii_lowercase()));
    }
    text.parse()
        .map(Key::Height)
        .map_err(|_| Refused::daemon(INVALID_PARAMETER, "Block height out of range"))
}

pub(super) async fn find(gateway: &Gateway, key: Key) -> Result<Block, Refused> {
    let (code, missing) = match &key {
        Key::Height(_) => (INVALID_PARAMETER, "Block height out of range"),
        Key::Hash(_) => (INVALID_ADDRESS_OR_KEY, "Block not found"),
    };
    let request = GetBlockRequest { key: Some(key) };
    let answer: GetBlockResponse = gateway
        .peers
        .chain
        .get_block(request)
        .await
        .map_err(|remote| unknown(remote, code, missing))?;
    Ok(required("block", answer.block)?)
}

async fn described(
    gateway: &Gateway,
    block: &Block,
    space: fluxplane_flux_chain::address::AddressSpace,
) -> Result<Vec<TransactionJson>, Refused> {
    if block.txids.len() > MAX_TRANSACTIONS {
        return Err(Refused::error(format!(
            "The block has {} transactions; more than {MAX_TRANSACTIONS} are not shown at once. Ask with verbosity 1.",
            block.txids.len()
        )));
    }
    stream::iter(block.txids.clone())
        .map(|txid| async move { transactions::bare(gateway, &txid, space).await })
        .buffered(AT_A_TIME)
        .try_collect()
        .await
}
