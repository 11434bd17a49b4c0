//! `createrawtransaction`: a transaction to be signed.

use std::collections::BTreeSet;

use fluxplane_flux_chain::{
    Address, OutPoint,
    build::{Output, Unsigned, Utxo},
    params::{DEFAULT_EXPIRY_DELTA, EXPIRING_SOON},
    script::ScriptBuf,
    tx::{Body, Transaction},
};

use crate::{
    chain::EXPIRY_THRESHOLD,
    daemon::Daemon,
    rpc::{
        Answer, Method, Params, RpcError, answer,
        params::{Object, Param},
        read,
    },
    wallet::SPACE,
};

pub(super) fn methods() -> Vec<Method> {
    vec![read(
        "createrawtransaction",
        "[{\"txid\":\"id\",\"vout\":n},...] {\"address\":amount,...} ( locktime ) ( expiryheight )",
        2..=4,
        "A transaction with these inputs and outputs, neither signed nor sent. There is no key for data: add such an output to the \
         hexadecimal yourself.",
        createrawtransaction,
    )]
}

/// An input, and a sequence that was asked for.
struct Input {
    outpoint: OutPoint,
    sequence: Option<u32>,
}

fn createrawtransaction(daemon: &Daemon, params: &Params) -> Answer {
    let (Some(inputs), Some(outputs)) = (params.get(0), params.get(1)) else {
        let text = "Invalid parameter, arguments 1 and 2 must be non-null";
        return Err(RpcError::parameter(text));
    };
    let lock_time = lock_time(params)?;
    let expiry_height = expiry_height(daemon, params)?;
    let inputs: Vec<Input> = inputs
        .array()?
        .iter()
        .map(read_input)
        .collect::<Result<_, _>>()?;
    let outputs = read_outputs(&outputs.object()?)?;
    let unsigned = Unsigned {
        inputs: inputs
            .iter()
            .map(|input| Utxo {
                outpoint: input.outpoint,
                value: fluxplane_core::Sat::ZERO,
                script: ScriptBuf::default(),
            })
            .collect(),
        outputs,
        change: None,
        fee: fluxplane_core::Sat::ZERO,
        lock_time,
        expiry_height,
    };
    let bytes = unsigned.serialize(&[]);
    answer(&hex::encode(with_sequences(&bytes, &inputs)))
}

fn lock_time(params: &Params) -> Result<u32, RpcError> {
    let Some(param) = params.get(2) else {
        return Ok(0);
    };
    u32::try_from(param.integer()?)
        .map_err(|_| RpcError::parameter("Invalid parameter, locktime out of range"))
}

fn expiry_height(daemon: &Daemon, params: &Params) -> Result<u32, RpcError> {
    let next = daemon.chain.height() + 1;
    let Some(param) = params.get(3) else {
        return Ok(next + DEFAULT_EXPIRY_DELTA);
    };
    let height = u32::try_from(param.integer()?)
        .ok()
        .filter(|height| *height < EXPIRY_THRESHOLD)
        .ok_or_else(|| {
            RpcError::parameter(format!(
                "Invalid parameter, expiryheight must be nonnegative and less than {EXPIRY_THRESHOLD}."
            ))
        })?;
    let least = next + EXPIRING_SOON;
    if height != 0 && height < least {
        return Err(RpcError::parameter(format!(
            "Invalid parameter, expiryheight should be at least {least} to avoid transaction expiring soon"
        )));
    }
    Ok(height)
}

fn read_input(param: &Param) -> Result<Input, RpcError> {
    let object = param.object()?;
    let null = Param::null();
    let txid = object.get("txid").unwrap_or(&null).strict_hash("txid")?;
    let vout = object
        .get("vout")
        .filter(|vout| vout.is_number())
        .ok_or_else(|| RpcError::parameter("Invalid parameter, missing vout key"))?
        .integer()?;
    let n = u32::try_from(vout)
        .map_err(|_| RpcError::parameter("Invalid parameter, vout must be positive"))?;
    let sequence = object.get("sequence").filter(|value| value.is_number());
    let sequence = sequence.map(Param::integer).transpose()?;
    let sequence = sequence.map(u32::try_from).transpose();
    Ok(Input {
        outpoint: OutPoint::new(txid, n),
        sequence: sequence
            .map_err(|_| RpcError::parameter("Invalid parameter, sequence out of range"))?,
    })
}

fn read_outputs(object: &Object) -> Result<Vec<Output>, RpcError> {
    let mut seen = BTreeSet::new();
    object
        .iter()
        .map(|(name, amount)| {
            let address = Address::parse_in(name, SPACE)
                .map_err(|_| RpcError::address(format!("Invalid Flux address: {name}")))?;
            if !seen.insert(address) {
                let text = format!("Invalid parameter, duplicated address: {name}");
                return Err(RpcError::parameter(text));
            }
            Ok(Output {
                script: address.script(),
                value: amount.amount()?,
            })
        })
        .collect()
}

/// Puts in the sequences that were asked for.
fn with_sequences(bytes: &[u8], inputs: &[Input]) -> Vec<u8> {
    let mut transaction = Transaction::parse(bytes).expect("our own serialisation is well-formed");
    if let Body::Transfer(transfer) = &mut transaction.body {
        for (made, asked) in transfer.inputs.iter_mut().zip(inputs) {
            if let Some(sequence) = asked.sequence {
                made.sequence = sequence;
            }
        }
    }
    transaction.serialize()
}
