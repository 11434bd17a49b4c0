//! Addresses, signed messages, the clock, help and the end.

use fluxplane_flux_chain::{
    Address, PublicKey,
    address::AddressKind,
    message::{CompactSignature, CompactSignatureError, Magic},
    script::multisig,
};
use serde::Serialize;

use crate::{
    daemon::Daemon,
    rpc::{
        Answer, Method, Params, RpcError, all_methods, answer, error::TYPE, find_method,
        params::Param, read, write,
    },
    wallet::SPACE,
};

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "validateaddress",
            "\"address\"",
            1..=1,
            "What there is to know about an address.",
            validateaddress,
        ),
        read(
            "verifymessage",
            "\"address\" \"signature\" \"message\"",
            3..=3,
            "Whether the owner of an address signed a message.",
            verifymessage,
        ),
        read(
            "signmessage",
            "\"address\" \"message\"",
            2..=2,
            "Signs a message with a key of the developer's wallet.",
            signmessage,
        ),
        read(
            "createmultisig",
            "nrequired [\"key\",...]",
            2..=2,
            "The address and redeem script of a multisig.",
            createmultisig,
        ),
        read(
            "estimatefee",
            "nblocks",
            1..=1,
            "No estimate: blocks are never full.",
            |_, _| answer(&-1),
        ),
        write(
            "setmocktime",
            "timestamp",
            1..=1,
            "Sets the clock; 0 goes back to the machine's.",
            setmocktime,
        ),
        read(
            "help",
            "( \"command\" )",
            0..=1,
            "All methods, or one in detail.",
            help,
        ),
        read("stop", "", 0..=1, "Ends the server.", stop),
    ]
}

#[derive(Serialize)]
struct Validated {
    isvalid: bool,
    #[serde(flatten)]
    detail: Option<AddressDetail>,
}

#[derive(Serialize)]
struct AddressDetail {
    address: Address,
    #[serde(rename = "scriptPubKey")]
    script_pub_key: String,
    ismine: bool,
    iswatchonly: bool,
    isscript: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pubkey: Option<PublicKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iscompressed: Option<bool>,
}

fn validateaddress(daemon: &Daemon, params: &Params) -> Answer {
    let text = params.required(0)?.text()?;
    let detail = Address::parse_in(&text, SPACE).ok().map(|address| {
        let is_script = address.kind == AddressKind::Script;
        let key = daemon.key_of(&address.hash).filter(|_| !is_script);
        let key = key.map(|key| key.public_key());
        AddressDetail {
            address,
            script_pub_key: hex::encode(&*address.script()),
            ismine: key.is_some(),
            iswatchonly: false,
            isscript: is_script,
            pubkey: key,
            iscompressed: key.map(|key| key.is_compressed()),
        }
    });
    answer(&Validated {
        isvalid: detail.is_some(),
        detail,
    })
}

/// The address of a key, for messages.
fn key_address(param: &Param) -> Result<Address, RpcError> {
    let address = Address::parse_in(&param.text()?, SPACE)
        .map_err(|_| RpcError::new(TYPE, "Invalid address"))?;
    if address.kind == AddressKind::Script {
        return Err(RpcError::new(TYPE, "Address does not refer to key"));
    }
    Ok(address)
}

fn verifymessage(_: &Daemon, params: &Params) -> Answer {
    let address = key_address(params.required(0)?)?;
    let signature = params.required(1)?.text()?;
    let message = params.required(2)?.text()?;
    match CompactSignature::from_base64(&signature) {
        Ok(signature) => {
            answer(&signature.verify_id(&address.hash, Magic::FLUX, message.as_bytes()))
        }
        Err(CompactSignatureError::Base64) => Err(RpcError::address("Malformed base64 encoding")),
        Err(CompactSignatureError::Length(_)) => answer(&false),
    }
}

fn signmessage(daemon: &Daemon, params: &Params) -> Answer {
    let address = key_address(params.required(0)?)?;
    let message = params.required(1)?.text()?;
    let key = daemon
        .key_of(&address.hash)
        .ok_or_else(|| RpcError::new(-4, "Private key not available"))?;
    let signature = CompactSignature::sign(&key, Magic::FLUX, message.as_bytes());
    answer(&signature.to_base64())
}

#[derive(Serialize)]
struct Multisig {
    address: Address,
    #[serde(rename = "redeemScript")]
    redeem_script: String,
}

fn createmultisig(_: &Daemon, params: &Params) -> Answer {
    let required = params.required(0)?.integer()?;
    let keys = params.required(1)?.array()?;
    let keys: Vec<PublicKey> = keys
        .iter()
        .map(|key| {
            let text = key.text()?;
            let wrong = || RpcError::misc(format!(" Invalid public key: {text}"));
            let key: PublicKey = text.parse().map_err(|_| wrong())?;
            key.point().map(|_| key).ok_or_else(wrong)
        })
        .collect::<Result<_, _>>()?;
    let required = u8::try_from(required).unwrap_or(u8::MAX);
    let redeem = multisig(required, &keys).map_err(|error| RpcError::misc(error.to_string()))?;
    answer(&Multisig {
        address: Address::of_redeem_script(redeem.as_script(), SPACE),
        redeem_script: hex::encode(&*redeem),
    })
}

fn setmocktime(daemon: &mut Daemon, params: &Params) -> Answer {
    let time = params.required(0)?.integer()?;
    let time = u32::try_from(time)
        .map_err(|_| RpcError::parameter(format!("timestamp {time}: write Unix seconds, or 0")))?;
    daemon.set_mock_time((time != 0).then_some(time));
    answer(&())
}

fn help(_: &Daemon, params: &Params) -> Answer {
    let Some(name) = params.get(0) else {
        let mut lines: Vec<String> = all_methods().iter().map(Method::synopsis).collect();
        lines.sort_unstable();
        return answer(&lines.join("\n"));
    };
    let name = name.text()?;
    match find_method(&name) {
        Some(method) => answer(&method.help()),
        None => answer(&format!("help: unknown command: {name}")),
    }
}

fn stop(daemon: &Daemon, _: &Params) -> Answer {
    daemon.controls.stop.cancel();
    answer(&"Flux server stopping")
}
