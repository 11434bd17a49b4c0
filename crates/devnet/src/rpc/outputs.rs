//! Single outputs, and all unspent ones together.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Hash256, OutPoint,
    describe::{Amount, ScriptPubKeyJson, script_pub_key},
    encode::Sink as _,
    hash::Sha256d,
};
use serde::Serialize;

use crate::{
    chain::Coin,
    daemon::Daemon,
    mempool::MEMPOOL_HEIGHT,
    rpc::{Answer, Method, Params, RpcError, answer, params::Param, read, view::spent_output},
    wallet::SPACE,
};

mod coins_format;

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "gettxout",
            "\"txid\" n ( includemempool )",
            2..=3,
            "An unspent output, or null.",
            gettxout,
        ),
        read(
            "gettxoutsetinfo",
            "",
            0..=0,
            "Figures of all unspent outputs.",
            gettxoutsetinfo,
        ),
        read(
            "getspentinfo",
            "{\"txid\":\"id\",\"index\":n}",
            1..=1,
            "Which input spent an output.",
            getspentinfo,
        ),
    ]
}

#[derive(Serialize)]
struct TxOut {
    bestblock: Hash256,
    confirmations: u32,
    value: Amount,
    #[serde(rename = "scriptPubKey")]
    script_pub_key: ScriptPubKeyJson,
    version: u32,
    coinbase: bool,
}

fn gettxout(daemon: &Daemon, params: &Params) -> Answer {
    let txid = params.required(0)?.hash()?;
    let n = params.required(1)?.integer()?;
    let with_mempool = params.get(2).map_or(Ok(true), Param::boolean)?;
    let coins = daemon.chain.coins();
    let coin = u32::try_from(n).ok().and_then(|n| {
        let outpoint = OutPoint::new(txid, n);
        if !with_mempool {
            return coins.get(&outpoint).cloned();
        }
        let unspent = daemon.mempool.spender(&outpoint).is_none();
        daemon.mempool.coin(&outpoint, coins).filter(|_| unspent)
    });
    let tip = daemon.chain.tip();
    answer(&coin.map(|coin: Coin| TxOut {
        bestblock: tip.hash,
        confirmations: if coin.height == MEMPOOL_HEIGHT {
            0
        } else {
            tip.height - coin.height + 1
        },
        value: Amount(coin.value),
        script_pub_key: script_pub_key(coin.script.as_script(), SPACE),
        version: coin.version,
        coinbase: coin.coinbase,
    }))
}

#[derive(Serialize)]
struct TxOutSetInfo {
    height: u32,
    bestblock: Hash256,
    transactions: usize,
    txouts: usize,
    bytes_serialized: usize,
    hash_serialized: Hash256,
    total_amount: Amount,
}

/// The daemon walks its database, in which the unspent outputs of a transaction are one record (fluxd `CCoinsViewDB::GetStats`).
fn gettxoutsetinfo(daemon: &Daemon, _: &Params) -> Answer {
    let tip = daemon.chain.tip();
    let mut hash = Sha256d::new();
    hash.put(tip.hash.as_wire());
    let mut info = TxOutSetInfo {
        height: tip.height,
        bestblock: tip.hash,
        transactions: 0,
        txouts: 0,
        bytes_serialized: 0,
        hash_serialized: Hash256::ZERO,
        total_amount: Amount(Sat::ZERO),
    };
    let all: Vec<(&OutPoint, &Coin)> = daemon.chain.coins().iter().collect();
    for record in all.chunk_by(|(one, _), (other, _)| one.txid == other.txid) {
        info.transactions += 1;
        info.txouts += record.len();
        info.bytes_serialized += 32 + coins_format::record_size(record);
        coins_format::hash_record(&mut hash, record);
        let total = record.iter().map(|(_, coin)| coin.value.get()).sum::<i64>();
        info.total_amount = Amount(Sat::new(info.total_amount.0.get() + total));
    }
    info.hash_serialized = hash.finish();
    answer(&info)
}

#[derive(Serialize)]
struct SpentInfo {
    txid: Hash256,
    index: usize,
    height: i64,
}

fn getspentinfo(daemon: &Daemon, params: &Params) -> Answer {
    let object = params.required(0)?.object()?;
    let txid = object
        .get("txid")
        .filter(|txid| txid.is_text())
        .ok_or_else(|| RpcError::address("Invalid txid, must be a string"))?
        .hash()?;
    let index = object
        .get("index")
        .filter(|index| index.is_number())
        .ok_or_else(|| RpcError::address("Invalid index, must be an integer"))?
        .integer()?;
    let spent = u32::try_from(index)
        .ok()
        .and_then(|n| spent_output(daemon, &OutPoint::new(txid, n)))
        .ok_or_else(|| RpcError::address("Unable to get spent info"))?;
    answer(&SpentInfo {
        txid: spent.txid,
        index: spent.input,
        height: spent.height.map_or(-1, i64::from),
    })
}
