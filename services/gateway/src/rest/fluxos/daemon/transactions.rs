//! Transactions.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use fluxplane_flux_chain::{
    Hash256, Transaction,
    address::AddressSpace,
    describe::{self, TransactionContext, TransactionJson},
};
use fluxplane_proto::chain_indexer::v1::{
    GetTransactionRequest, GetTransactionResponse, get_block_request::Key,
};

use super::{INVALID_ADDRESS_OR_KEY, address_space, blocks, status, unknown};
use crate::rest::{
    Gateway,
    fluxos::{
        envelope::{Data, Refused},
        params::Params,
    },
    wire::{Malformed, time},
};

/// fluxd's text (`src/rpc/rawtransaction.cpp`).
const UNKNOWN: &str = "No information available about transaction";

/// `GET /daemon/getrawtransaction/:txid?/:verbose?`
pub async fn raw(State(gateway): State<Gateway>, params: Params) -> Result<Response, Refused> {
    let txid = params.need("txid")?;
    let found = find(&gateway, txid).await?;
    if matches!(params.get("verbose"), "" | "0" | "false") {
        return Ok(Data(found.raw_hex).into_response());
    }
    let space = address_space(&status(&gateway).await?);
    let mut shown = shown(&found, space)?;
    shown.context = context(&gateway, &found).await?;
    shown.hex = Some(found.raw_hex);
    Ok(Data(shown).into_response())
}

/// A transaction without its place in the chain, as a block shows it.
pub(super) async fn bare(
    gateway: &Gateway,
    txid: &str,
    space: AddressSpace,
) -> Result<TransactionJson, Refused> {
    let found = find(gateway, txid).await?;
    Ok(shown(&found, space)?)
}

async fn find(gateway: &Gateway, txid: &str) -> Result<GetTransactionResponse, Refused> {
    let request = GetTransactionRequest {
        txid: txid.to_ascii_lowercase(),
    };
    let answer = gateway.peers.chain.get_transaction(request).await;
    answer.map_err(|remote| unknown(remote, INVALID_ADDRESS_OR_KEY, UNKNOWN))
}

fn shown(
    found: &GetTransactionResponse,
    space: AddressSpace,
) -> Result<TransactionJson, Malformed> {
    let bytes =
        hex::decode(&found.raw_hex).map_err(|err| Malformed::value("transaction.raw", err))?;
    let transaction =
        Transaction::parse(&bytes).map_err(|err| Malformed::value("transaction.raw", err))?;
    Ok(describe::transaction(&transaction, None, space))
}

/// Where it stands; nothing while it waits for a block.
async fn context(
    gateway: &Gateway,
    found: &GetTransactionResponse,
) -> Result<TransactionContext, Refused> {
    if found.block_hash.is_empty() {
        return Ok(TransactionContext::default());
    }
    let block = blocks::find(gateway, Key::Hash(found.block_hash.clone())).await?;
    let at = time("block.time", block.time)?.timestamp();
    let at = u32::try_from(at).ok();
    let hash: Hash256 = found
        .block_hash
        .parse()
        .map_err(|err| Malformed::value("transaction.block_hash", err))?;
    Ok(TransactionContext {
        blockhash: Some(hash),
        height: Some(found.height.into()),
        confirmations: Some(found.confirmations.into()),
        time: at,
        blocktime: at,
    })
}
