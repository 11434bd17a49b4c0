//! Transactions: read, decoded, sent.

use fluxplane_flux_chain::Address;
use fluxplane_flux_chain::{
    Hash256, Transaction,
    describe::{TransactionContext, script_pub_key},
    script::{Destination, Script, ScriptBuf},
};
use serde::Serialize;

use crate::{
    daemon::Daemon,
    rpc::{
        Answer, Method, Params, RpcError, answer,
        params::Param,
        read,
        view::{full_view, view},
        write,
    },
    wallet::SPACE,
};

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "getrawtransaction",
            "\"txid\" ( verbose )",
            1..=2,
            "A transaction that waits or was mined: as hexadecimal, or as an object when verbose is not 0.",
            getrawtransaction,
        ),
        read(
            "decoderawtransaction",
            "\"hexstring\"",
            1..=1,
            "What a serialised transaction says.",
            decoderawtransaction,
        ),
        read(
            "decodescript",
            "\"hex\"",
            1..=1,
            "What a script says, and the address of its hash.",
            decodescript,
        ),
        write(
            "sendrawtransaction",
            "\"hexstring\" ( allowhighfees )",
            1..=2,
            "Takes a signed transaction, fluxnode transactions included, and tells its id.",
            sendrawtransaction,
        ),
    ]
}

fn getrawtransaction(daemon: &Daemon, params: &Params) -> Answer {
    let txid = params.required(0)?.strict_hash("parameter 1")?;
    let verbose = params.get(1).map_or(Ok(0), Param::integer)? != 0;
    if let Some(entry) = daemon.mempool.get(&txid) {
        if !verbose {
            return answer(&hex::encode(&entry.raw));
        }
        let context = TransactionContext::default();
        return answer(&full_view(daemon, &entry.parse(), txid, context));
    }
    let unknown = || RpcError::address("No information available about transaction");
    let place = daemon.chain.books().place(&txid).ok_or_else(unknown)?;
    let entry = daemon.chain.index().get(&place.block).ok_or_else(unknown)?;
    let block = entry.parse();
    let transaction = block.transactions.get(place.index).ok_or_else(unknown)?;
    if !verbose {
        return answer(&hex::encode(transaction.raw()));
    }
    let active = daemon.chain.is_active(entry);
    let context = TransactionContext {
        blockhash: Some(entry.hash),
        height: Some(if active { i64::from(entry.height) } else { -1 }),
        confirmations: Some(if active {
            daemon.chain.confirmations(entry)
        } else {
            0
        }),
        time: active.then_some(entry.time),
        blocktime: active.then_some(entry.time),
    };
    answer(&full_view(daemon, transaction, txid, context))
}

/// The bytes of a transaction in hexadecimal.
pub(super) fn transaction_bytes(param: &Param) -> Result<Vec<u8>, RpcError> {
    hex::decode(param.text()?).map_err(|_| RpcError::undecodable_transaction())
}

fn decoderawtransaction(daemon: &Daemon, params: &Params) -> Answer {
    let bytes = transaction_bytes(params.required(0)?)?;
    let transaction =
        Transaction::parse(&bytes).map_err(|_| RpcError::undecodable_transaction())?;
    let txid = transaction.txid();
    answer(&view(daemon, &transaction, txid))
}

fn sendrawtransaction(daemon: &mut Daemon, params: &Params) -> Answer {
    let bytes = transaction_bytes(params.required(0)?)?;
    let transaction =
        Transaction::parse(&bytes).map_err(|_| RpcError::undecodable_transaction())?;
    let allow_high_fees = params.get(1).map_or(Ok(false), Param::boolean)?;
    let txid: Hash256 = daemon.send(&transaction, allow_high_fees)?;
    answer(&txid)
}

#[derive(Serialize)]
struct DecodedScript {
    asm: String,
    #[serde(rename = "reqSigs", skip_serializing_if = "Option::is_none")]
    req_sigs: Option<u8>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<Address>,
    p2sh: Address,
}

fn decodescript(_: &Daemon, params: &Params) -> Answer {
    let param = params.required(0)?;
    let script = if param.text()?.is_empty() {
        ScriptBuf::default()
    } else {
        ScriptBuf::new(param.bytes("argument")?)
    };
    let script: Script<'_> = script.as_script();
    let shown = script_pub_key(script, SPACE);
    answer(&DecodedScript {
        asm: shown.asm,
        req_sigs: shown.req_sigs,
        kind: shown.kind,
        addresses: shown.addresses,
        p2sh: Address::of_destination(Destination::Script(script.id()), SPACE),
    })
}
