//! The address index: balances, unspent outputs, changes, transactions, and what waits.

use std::collections::BTreeSet;

use fluxplane_core::Sat;
use fluxplane_flux_chain::{Address, Hash256, script::Destination};
use serde::Serialize;

use crate::{
    chain::{AddressDelta, indexed_owner},
    daemon::Daemon,
    rpc::{Answer, Method, Params, RpcError, answer, params::Param, read},
    wallet::SPACE,
};

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "getaddressbalance",
            "{\"addresses\":[\"address\",...]}",
            1..=1,
            "What addresses hold, and what they ever received, in sat.",
            getaddressbalance,
        ),
        read(
            "getaddressutxos",
            "{\"addresses\":[\"address\",...],\"chainInfo\":true|false}",
            1..=1,
            "The unspent outputs of addresses.",
            getaddressutxos,
        ),
        read(
            "getaddressdeltas",
            "{\"addresses\":[\"address\",...],\"start\":n,\"end\":n,\"chainInfo\":true|false}",
            1..=1,
            "Every change of the balances of addresses.",
            getaddressdeltas,
        ),
        read(
            "getaddresstxids",
            "{\"addresses\":[\"address\",...],\"start\":n,\"end\":n}",
            1..=1,
            "The transactions of addresses.",
            getaddresstxids,
        ),
        read(
            "getaddressmempool",
            "{\"addresses\":[\"address\",...]}",
            1..=1,
            "Changes of the balances of addresses that wait for a block.",
            getaddressmempool,
        ),
    ]
}

/// The addresses of a call: a text, or an object with a list.
fn owners(params: &Params) -> Result<Vec<Destination>, RpcError> {
    let param = params.required(0)?;
    let list: Vec<Param> = if param.is_text() {
        vec![param.clone()]
    } else if param.is_object() {
        let object = param.object()?;
        let list = object.get("addresses").filter(|list| list.is_array());
        let wrong = || RpcError::address("Addresses is expected to be an array");
        list.ok_or_else(wrong)?.array()?.iter().cloned().collect()
    } else {
        return Err(RpcError::address("Invalid address"));
    };
    list.iter()
        .map(|param| {
            let address = param.address()?;
            let script = address.script();
            indexed_owner(script.as_script()).ok_or_else(|| RpcError::address("Invalid address"))
        })
        .collect()
}

fn option(params: &Params, key: &str) -> Result<bool, RpcError> {
    let param = params.required(0)?;
    if !param.is_object() {
        return Ok(false);
    }
    let object = param.object()?;
    object.get(key).map_or(Ok(false), Param::boolean)
}

/// The heights a call asks for; `None` when it asks for all.
fn height_range(daemon: &Daemon, params: &Params) -> Result<Option<(u32, u32)>, RpcError> {
    let param = params.required(0)?;
    if !param.is_object() {
        return Ok(None);
    }
    let object = param.object()?;
    // If either is missing, the other is ignored.
    let (Some(start), Some(end)) = (object.get("start"), object.get("end")) else {
        return Ok(None);
    };
    let (start, end) = (start.integer()?, end.integer()?);
    if start <= 0 || end <= 0 {
        let text = "Start and end are expected to be greater than zero";
        return Err(RpcError::address(text));
    }
    if end < start {
        let text = "End value is expected to be greater than start";
        return Err(RpcError::address(text));
    }
    let height = |value| {
        u32::try_from(value)
            .ok()
            .filter(|height| *height <= daemon.chain.height())
            .ok_or_else(|| RpcError::address("Start or end is outside chain range"))
    };
    Ok(Some((height(start)?, height(end)?)))
}

/// Changes of addresses in a range, address by address.
fn deltas<'d>(
    daemon: &'d Daemon,
    owners: &'d [Destination],
    range: Option<(u32, u32)>,
) -> impl Iterator<Item = (Destination, &'d AddressDelta)> {
    let (from, to) = range.unwrap_or((0, u32::MAX));
    owners.iter().flat_map(move |owner| {
        daemon
            .chain
            .books()
            .deltas(owner)
            .filter(move |delta| (from..=to).contains(&delta.height))
            .map(|delta| (*owner, delta))
    })
}

fn address(owner: Destination) -> Address {
    Address::of_destination(owner, SPACE)
}

#[derive(Serialize)]
struct Balance {
    balance: Sat,
    received: Sat,
}

fn getaddressbalance(daemon: &Daemon, params: &Params) -> Answer {
    let owners = owners(params)?;
    let (mut balance, mut received) = (0, 0);
    for (_, delta) in deltas(daemon, &owners, None) {
        balance += delta.value.get();
        received += delta.value.get().max(0);
    }
    answer(&Balance {
        balance: Sat::new(balance),
        received: Sat::new(received),
    })
}

#[derive(Serialize)]
struct Unspent {
    address: Address,
    txid: Hash256,
    #[serde(rename = "outputIndex")]
    output_index: u32,
    script: String,
    satoshis: Sat,
    height: u32,
}

#[derive(Serialize)]
struct UnspentWithChain {
    utxos: Vec<Unspent>,
    hash: Hash256,
    height: u32,
}

fn getaddressutxos(daemon: &Daemon, params: &Params) -> Answer {
    let with_chain = option(params, "chainInfo")?;
    let owners = owners(params)?;
    let mut utxos: Vec<Unspent> = owners
        .iter()
        .flat_map(|owner| {
            let address = address(*owner);
            let script = hex::encode(&*address.script());
            daemon
                .chain
                .books()
                .unspent(owner)
                .map(move |(outpoint, coin)| Unspent {
                    address,
                    txid: outpoint.txid,
                    output_index: outpoint.n,
                    script: script.clone(),
                    satoshis: coin.value,
                    height: coin.height,
                })
        })
        .collect();
    utxos.sort_by_key(|utxo| utxo.height);
    if !with_chain {
        return answer(&utxos);
    }
    let tip = daemon.chain.tip();
    answer(&UnspentWithChain {
        utxos,
        hash: tip.hash,
        height: tip.height,
    })
}

#[derive(Serialize)]
struct Delta {
    address: Address,
    blockindex: usize,
    height: u32,
    index: usize,
    satoshis: Sat,
    txid: Hash256,
}

#[derive(Serialize)]
struct DeltasWithChain {
    deltas: Vec<Delta>,
    start: BlockRefView,
    end: BlockRefView,
}

#[derive(Serialize)]
struct BlockRefView {
    hash: Hash256,
    height: u32,
}

fn getaddressdeltas(daemon: &Daemon, params: &Params) -> Answer {
    let range = height_range(daemon, params)?;
    let owners = owners(params)?;
    let with_chain = option(params, "chainInfo")?;
    let deltas = deltas(daemon, &owners, range)
        .map(|(owner, delta)| Delta {
            address: address(owner),
            blockindex: delta.block_index,
            height: delta.height,
            index: delta.index,
            satoshis: delta.value,
            txid: delta.txid,
        })
        .collect::<Vec<_>>();
    let Some((start, end)) = range.filter(|_| with_chain) else {
        return answer(&deltas);
    };
    let at = |height| {
        let entry = daemon.chain.at(height);
        let outside = || RpcError::address("Start or end is outside chain range");
        let hash = entry.ok_or_else(outside)?.hash;
        Ok::<_, RpcError>(BlockRefView { hash, height })
    };
    answer(&DeltasWithChain {
        deltas,
        start: at(start)?,
        end: at(end)?,
    })
}

fn getaddresstxids(daemon: &Daemon, params: &Params) -> Answer {
    let range = height_range(daemon, params)?;
    let owners = owners(params)?;
    // By height, then by the text of the id, each once.
    let found: BTreeSet<(u32, String)> = deltas(daemon, &owners, range)
        .map(|(_, delta)| (delta.height, delta.txid.to_string()))
        .collect();
    let txids: Vec<String> = found.into_iter().map(|(_, txid)| txid).collect();
    answer(&txids)
}

#[derive(Serialize)]
struct WaitingDelta {
    address: Address,
    txid: Hash256,
    index: usize,
    satoshis: Sat,
    timestamp: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevtxid: Option<Hash256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevout: Option<u32>,
}

fn getaddressmempool(daemon: &Daemon, params: &Params) -> Answer {
    let owners = owners(params)?;
    let wanted = |owner: Option<Destination>| owner.filter(|owner| owners.contains(owner));
    let mut found = Vec::new();
    for entry in daemon.mempool.iter() {
        let transaction = entry.parse();
        let base = |address, index, satoshis| WaitingDelta {
            address,
            txid: entry.txid,
            index,
            satoshis,
            timestamp: entry.time,
            prevtxid: None,
            prevout: None,
        };
        for (index, input) in transaction.inputs().iter().enumerate() {
            let coin = daemon.mempool.coin(&input.previous, daemon.chain.coins());
            let Some(coin) = coin else { continue };
            if let Some(owner) = wanted(indexed_owner(coin.script.as_script())) {
                let spent = Sat::new(-coin.value.get());
                found.push(WaitingDelta {
                    prevtxid: Some(input.previous.txid),
                    prevout: Some(input.previous.n),
                    ..base(address(owner), index, spent)
                });
            }
        }
        for (index, output) in transaction.outputs().iter().enumerate() {
            if let Some(owner) = wanted(indexed_owner(output.script)) {
                found.push(base(address(owner), index, output.value));
            }
        }
    }
    // Entries come in the order they came, which is the order of their times.
    answer(&found)
}
