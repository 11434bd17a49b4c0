//! Blocks and headers: by hash, by height, by time, and as changes of balances.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Address, Hash256, Transaction,
    describe::{self, Amount, BlockContext, SealJson, Significant, TxList, ValuePool},
};
use serde::Serialize;

use crate::{
    chain::{BlockEntry, indexed_owner},
    daemon::Daemon,
    rpc::{
        Answer, Method, Params, RpcError, answer,
        chain_state::{EMPTY_SPROUT_ROOT, empty_pools},
        params::Param,
        read,
        view::{TransactionView, view},
    },
    wallet::SPACE,
};

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "getblock",
            "\"hash|height\" ( verbosity )",
            1..=2,
            "A block: 0 as hexadecimal, 1 as an object, 2 with its transactions. A height must be written as a string.",
            getblock,
        ),
        read(
            "getblockheader",
            "\"hash\" ( verbose )",
            1..=2,
            "A header as an object, or as hexadecimal when verbose is false.",
            getblockheader,
        ),
        read(
            "getblockhash",
            "index",
            1..=1,
            "The hash of the block at a height of the best chain.",
            getblockhash,
        ),
        read(
            "getblockhashes",
            "high low ( {\"noOrphans\":true|false,\"logicalTimes\":true|false} )",
            2..=3,
            "Hashes of the blocks whose time is at least low and below high.",
            getblockhashes,
        ),
        read(
            "getblockdeltas",
            "\"hash\"",
            1..=1,
            "What a block did to the balances of addresses.",
            getblockdeltas,
        ),
    ]
}

/// Finds a block by hash.
pub(super) fn find<'d>(daemon: &'d Daemon, param: &Param) -> Result<&'d BlockEntry, RpcError> {
    daemon
        .chain
        .index()
        .get(&param.hash()?)
        .ok_or_else(RpcError::block_not_found)
}

fn find_by_hash_or_height<'d>(
    daemon: &'d Daemon,
    param: &Param,
) -> Result<&'d BlockEntry, RpcError> {
    let text = param.text()?;
    if text.len() >= 64 {
        return find(daemon, param);
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let height = digits
        .then(|| text.parse::<i32>().ok())
        .flatten()
        .ok_or_else(|| RpcError::parameter("Invalid block height parameter"))?;
    at_height(daemon, i64::from(height))
}

fn at_height(daemon: &Daemon, height: i64) -> Result<&BlockEntry, RpcError> {
    u32::try_from(height)
        .ok()
        .and_then(|height| daemon.chain.at(height))
        .ok_or_else(|| RpcError::parameter("Block height out of range"))
}

/// What the chain around a block knows.
fn context(daemon: &Daemon, entry: &BlockEntry) -> BlockContext {
    BlockContext {
        height: Some(entry.height),
        confirmations: Some(daemon.chain.confirmations(entry)),
        chainwork: Some(chain_work(entry)),
        anchor: None,
        value_pools: None,
        next_block_hash: daemon.chain.next(entry).map(|next| next.hash),
    }
}

fn getblock(daemon: &Daemon, params: &Params) -> Answer {
    let entry = find_by_hash_or_height(daemon, params.required(0)?)?;
    let verbosity = match params.get(1) {
        None => 1,
        Some(param) if param.is_number() => param.integer()?,
        Some(param) => i64::from(param.boolean()?),
    };
    match verbosity {
        0 => answer(&hex::encode(&entry.raw)),
        1 | 2 => answer(&block_json(daemon, entry, verbosity == 2)),
        _ => Err(RpcError::parameter(
            "Verbosity must be in range from 0 to 2",
        )),
    }
}

/// A block as the daemon shows it, its transactions with what the indexes know.
#[derive(Debug, Serialize)]
struct BlockView {
    hash: Hash256,
    confirmations: i64,
    size: usize,
    height: u32,
    version: i32,
    merkleroot: Hash256,
    finalsaplingroot: Hash256,
    tx: TxList<TransactionView>,
    time: u32,
    #[serde(flatten)]
    seal: SealJson,
    bits: String,
    difficulty: Significant,
    chainwork: String,
    anchor: &'static str,
    #[serde(rename = "valuePools")]
    value_pools: [ValuePool; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    previousblockhash: Option<Hash256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nextblockhash: Option<Hash256>,
}

fn block_json(daemon: &Daemon, entry: &BlockEntry, full: bool) -> BlockView {
    let block = entry.parse();
    let params = daemon.chain.params();
    let header = describe::header(params, &block.header, &context(daemon, entry));
    let tx = if full {
        let pairs = block.transactions.iter().zip(entry.txids.iter());
        TxList::Full(pairs.map(|(tx, txid)| view(daemon, tx, *txid)).collect())
    } else {
        TxList::Ids(entry.txids.to_vec())
    };
    BlockView {
        hash: entry.hash,
        confirmations: daemon.chain.confirmations(entry),
        size: block.size(),
        height: entry.height,
        version: header.version,
        merkleroot: header.merkleroot,
        finalsaplingroot: header.finalsaplingroot,
        tx,
        time: header.time,
        seal: header.seal,
        bits: header.bits,
        difficulty: Significant::difficulty(params, entry.bits),
        chainwork: chain_work(entry),
        anchor: EMPTY_SPROUT_ROOT,
        value_pools: empty_pools().map(|pool| ValuePool {
            id: pool.id.to_owned(),
            monitored: pool.monitored,
            chain_value: pool.chain_value,
            chain_value_zat: pool.chain_value_zat,
            value_delta: Amount(Sat::ZERO),
            value_delta_zat: Sat::ZERO,
        }),
        previousblockhash: header.previousblockhash,
        nextblockhash: header.nextblockhash,
    }
}

fn getblockheader(daemon: &Daemon, params: &Params) -> Answer {
    let entry = find(daemon, params.required(0)?)?;
    let verbose = params.get(1).map_or(Ok(true), Param::boolean)?;
    let header = entry.header();
    if verbose {
        let context = context(daemon, entry);
        answer(&describe::header(daemon.chain.params(), &header, &context))
    } else {
        answer(&hex::encode(header.raw()))
    }
}

fn getblockhash(daemon: &Daemon, params: &Params) -> Answer {
    let height = params.required(0)?.integer()?;
    answer(&at_height(daemon, height)?.hash)
}

#[derive(Serialize)]
struct TimedHash {
    blockhash: Hash256,
    logicalts: u32,
}

fn getblockhashes(daemon: &Daemon, params: &Params) -> Answer {
    let time = |index| {
        let value = params.required(index)?.integer()?;
        Ok::<_, RpcError>(u32::try_from(value.max(0)).unwrap_or(u32::MAX))
    };
    let (high, low) = (time(0)?, time(1)?);
    let options = params.get(2).map(Param::object).transpose()?;
    let option = |key: &str| {
        let value = options.as_ref().and_then(|options| options.get(key));
        value.map_or(Ok(false), Param::boolean)
    };
    let (active_only, logical) = (option("noOrphans")?, option("logicalTimes")?);
    let active = |hash: &Hash256| {
        let entry = daemon.chain.index().get(hash);
        entry.is_some_and(|entry| daemon.chain.is_active(entry))
    };
    let found = daemon
        .chain
        .books()
        .blocks_between(low, high)
        .filter(|(_, hash)| !active_only || active(hash));
    if logical {
        let timed = found.map(|(logicalts, blockhash)| TimedHash {
            blockhash,
            logicalts,
        });
        answer(&timed.collect::<Vec<_>>())
    } else {
        answer(&found.map(|(_, hash)| hash).collect::<Vec<_>>())
    }
}

#[derive(Serialize)]
struct BlockDeltas {
    hash: Hash256,
    confirmations: i64,
    size: usize,
    height: u32,
    version: i32,
    merkleroot: Hash256,
    deltas: Vec<TransactionDeltas>,
    time: u32,
    mediantime: u32,
    nonce: Hash256,
    bits: String,
    difficulty: Significant,
    chainwork: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previousblockhash: Option<Hash256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nextblockhash: Option<Hash256>,
}

#[derive(Serialize)]
struct TransactionDeltas {
    txid: Hash256,
    index: usize,
    inputs: Vec<InputDelta>,
    outputs: Vec<OutputDelta>,
}

#[derive(Serialize)]
struct InputDelta {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
    satoshis: Sat,
    index: usize,
    prevtxid: Hash256,
    prevout: u32,
}

#[derive(Serialize)]
struct OutputDelta {
    /// Empty where the output pays no address.
    address: String,
    satoshis: Sat,
    index: usize,
}

fn getblockdeltas(daemon: &Daemon, params: &Params) -> Answer {
    let entry = find(daemon, params.required(0)?)?;
    if !daemon.chain.is_active(entry) {
        return Err(RpcError::address("Block is an orphan"));
    }
    let block = entry.parse();
    let pairs = block.transactions.iter().zip(entry.txids.iter());
    let deltas = pairs
        .enumerate()
        .map(|(index, (transaction, txid))| TransactionDeltas {
            txid: *txid,
            index,
            inputs: input_deltas(daemon, transaction),
            outputs: output_deltas(transaction),
        })
        .collect();
    let chain = &daemon.chain;
    let header = describe::header(chain.params(), &block.header, &context(daemon, entry));
    answer(&BlockDeltas {
        hash: entry.hash,
        confirmations: chain.confirmations(entry),
        size: block.size(),
        height: entry.height,
        version: entry.version,
        merkleroot: header.merkleroot,
        deltas,
        time: entry.time,
        mediantime: chain.median_time(entry),
        nonce: match header.seal {
            SealJson::Work { nonce, .. } => nonce,
            SealJson::Node { .. } => Hash256::ZERO,
        },
        bits: header.bits,
        difficulty: Significant::difficulty(chain.params(), entry.bits),
        chainwork: chain_work(entry),
        previousblockhash: header.previousblockhash,
        nextblockhash: header.nextblockhash,
    })
}

fn input_deltas(daemon: &Daemon, transaction: &Transaction<'_>) -> Vec<InputDelta> {
    if transaction.is_coinbase() {
        return Vec::new();
    }
    let inputs = transaction.inputs().iter().enumerate();
    inputs
        .filter_map(|(index, input)| {
            let spent = daemon.chain.books().spent(&input.previous)?;
            Some(InputDelta {
                address: spent
                    .owner
                    .map(|owner| Address::of_destination(owner, SPACE)),
                satoshis: Sat::new(-spent.value.get()),
                index,
                prevtxid: input.previous.txid,
                prevout: input.previous.n,
            })
        })
        .collect()
}

fn output_deltas(transaction: &Transaction<'_>) -> Vec<OutputDelta> {
    let outputs = transaction.outputs().iter().enumerate();
    outputs
        .map(|(index, output)| OutputDelta {
            address: indexed_owner(output.script)
                .map(|owner| Address::of_destination(owner, SPACE).to_string())
                .unwrap_or_default(),
            satoshis: output.value,
            index,
        })
        .collect()
}

/// Work of the chain up to a block as 64 hexadecimal digits.
pub(super) fn chain_work(entry: &BlockEntry) -> String {
    format!("{:064x}", entry.chain_work())
}
