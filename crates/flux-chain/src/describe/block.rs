//! Blocks and headers as JSON (fluxd `src/rpc/blockchain.cpp`, `blockToJSON`, `blockheaderToJSON`).

use fluxplane_core::Sat;
use serde::Serialize;

use crate::{
    block::Block,
    describe::{
        Amount,
        number::Significant,
        transaction::{TransactionJson, transaction},
    },
    hash::Hash256,
    header::{Header, Seal},
    params::ChainParams,
};

/// What the chain around a block knows. Fields that are `None` are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockContext {
    /// Taken from the coinbase of a block when not given.
    pub height: Option<u32>,
    pub confirmations: Option<i64>,
    /// 64 hexadecimal digits.
    pub chainwork: Option<String>,
    /// Root of the Sprout commitment tree.
    pub anchor: Option<Hash256>,
    pub value_pools: Option<Vec<ValuePool>>,
    pub next_block_hash: Option<Hash256>,
}

/// A shielded pool after a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValuePool {
    pub id: String,
    pub monitored: bool,
    #[serde(rename = "chainValue")]
    pub chain_value: Amount,
    #[serde(rename = "chainValueZat")]
    pub chain_value_zat: Sat,
    #[serde(rename = "valueDelta")]
    pub value_delta: Amount,
    #[serde(rename = "valueDeltaZat")]
    pub value_delta_zat: Sat,
}

/// The transactions of a block: ids only, or described.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum TxList<T> {
    Ids(Vec<Hash256>),
    Full(Vec<T>),
}

/// A block as `getblock` shows it with verbosity 1 or 2.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockJson<T = TransactionJson> {
    pub hash: Hash256,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<i64>,
    pub size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    pub version: i32,
    pub merkleroot: Hash256,
    pub finalsaplingroot: Hash256,
    pub tx: TxList<T>,
    pub time: u32,
    #[serde(flatten)]
    pub seal: SealJson,
    pub bits: String,
    difficulty: Significant,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chainwork: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Hash256>,
    #[serde(rename = "valuePools", skip_serializing_if = "Option::is_none")]
    pub value_pools: Option<Vec<ValuePool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previousblockhash: Option<Hash256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nextblockhash: Option<Hash256>,
}

/// A header as `getblockheader` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeaderJson {
    pub hash: Hash256,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    pub version: i32,
    pub merkleroot: Hash256,
    pub finalsaplingroot: Hash256,
    pub time: u32,
    #[serde(flatten)]
    pub seal: SealJson,
    pub bits: String,
    difficulty: Significant,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chainwork: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previousblockhash: Option<Hash256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nextblockhash: Option<Hash256>,
}

/// What entitles the block. The collateral is shortened as in the daemon; the header has it whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub enum SealJson {
    #[serde(rename = "PON")]
    Node {
        collateral: String,
        blocksig: String,
    },
    #[serde(rename = "POW")]
    Work { nonce: Hash256, solution: String },
}

/// Describes a header.
pub fn header(params: &ChainParams, header: &Header<'_>, context: &BlockContext) -> HeaderJson {
    let hash = header.hash();
    HeaderJson {
        hash,
        confirmations: context.confirmations,
        height: context.height.or_else(|| genesis_height(params, &hash)),
        version: header.version,
        merkleroot: header.merkle_root,
        finalsaplingroot: header.final_sapling_root,
        time: header.time,
        seal: seal(header),
        bits: format!("{:08x}", header.bits),
        difficulty: Significant::difficulty(params, header.bits),
        chainwork: context.chainwork.clone(),
        previousblockhash: previous(header),
        nextblockhash: context.next_block_hash,
    }
}

/// Describes a block with its transactions, or with their ids when `verbose` is false.
pub fn block(
    params: &ChainParams,
    block: &Block<'_>,
    context: &BlockContext,
    verbose: bool,
) -> BlockJson {
    let txids = block.txids();
    let tx = if verbose {
        let described = block.transactions.iter().zip(txids);
        TxList::Full(
            described
                .map(|(tx, txid)| transaction(tx, Some(txid), params.addresses))
                .collect(),
        )
    } else {
        TxList::Ids(txids)
    };
    block_with(params, block, context, tx)
}

/// Describes a block whose transactions are described already.
pub(crate) fn block_with<T>(
    params: &ChainParams,
    block: &Block<'_>,
    context: &BlockContext,
    tx: TxList<T>,
) -> BlockJson<T> {
    let header = &block.header;
    let hash = header.hash();
    let height = context
        .height
        .or_else(|| genesis_height(params, &hash))
        .or_else(|| block.claimed_height());
    BlockJson {
        hash,
        confirmations: context.confirmations,
        size: block.size(),
        height,
        version: header.version,
        merkleroot: header.merkle_root,
        finalsaplingroot: header.final_sapling_root,
        tx,
        time: header.time,
        seal: seal(header),
        bits: format!("{:08x}", header.bits),
        difficulty: Significant::difficulty(params, header.bits),
        chainwork: context.chainwork.clone(),
        anchor: context.anchor,
        value_pools: context.value_pools.clone(),
        previousblockhash: previous(header),
        nextblockhash: context.next_block_hash,
    }
}

fn genesis_height(params: &ChainParams, hash: &Hash256) -> Option<u32> {
    (*hash == params.genesis.hash).then_some(0)
}

fn previous(header: &Header<'_>) -> Option<Hash256> {
    Some(header.previous).filter(|previous| *previous != Hash256::ZERO)
}

fn seal(header: &Header<'_>) -> SealJson {
    match &header.seal {
        Seal::Node {
            collateral,
            signature,
        } => SealJson::Node {
            collateral: collateral.short_text(),
            blocksig: hex::encode(signature),
        },
        Seal::Work { nonce, solution } => SealJson::Work {
            nonce: *nonce,
            solution: hex::encode(solution),
        },
    }
}
