//! `signrawtransaction`: signs what it can of pay-to-public-key-hash inputs and of pay-to-script-hash inputs with a multisig script,
//! and joins signatures others made.

use std::collections::BTreeMap;

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Hash160, Hash256, OutPoint, PrivateKey, PublicKey, Transaction,
    script::{Multisig, Script, ScriptBuf, opcode},
    sighash::{SighashCache, SpentOutput},
    tx::Body,
    verify::verify_input,
};
use serde::Serialize;

use crate::{
    chain::script_error,
    daemon::Daemon,
    rpc::{Answer, Method, Params, RpcError, answer, error::DESERIALIZATION, params::Param, read},
};

const NOT_FOUND: &str = "Input not found or already spent";

pub(super) fn methods() -> Vec<Method> {
    vec![read(
        "signrawtransaction",
        "\"hexstring\" ( [{\"txid\":\"id\",\"vout\":n,\"scriptPubKey\":\"hex\",\"redeemScript\":\"hex\",\"amount\":value},...] \
         [\"privatekey\",...] sighashtype branchid )",
        1..=5,
        "Signs with the given keys, or with those of the developer's wallet when none are given.",
        signrawtransaction,
    )]
}

/// What an input spends, as far as it is known.
#[derive(Debug, Clone)]
struct Previous {
    script: ScriptBuf,
    value: Sat,
}

/// Where keys and redeem scripts come from.
struct Keys<'d> {
    daemon: &'d Daemon,
    given: Option<BTreeMap<Hash160, PrivateKey>>,
    redeem: BTreeMap<Hash160, ScriptBuf>,
}

impl Keys<'_> {
    fn of(&self, id: &Hash160) -> Option<PrivateKey> {
        match &self.given {
            Some(given) => given.get(id).cloned(),
            None => self.daemon.key_of(id),
        }
    }
}

#[derive(Serialize)]
struct Signed {
    hex: String,
    complete: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<InputError>,
}

#[derive(Serialize)]
struct InputError {
    txid: Hash256,
    vout: u32,
    #[serde(rename = "scriptSig")]
    script_sig: String,
    sequence: u32,
    error: &'static str,
}

fn signrawtransaction(daemon: &Daemon, params: &Params) -> Answer {
    let bytes = params.required(0)?.bytes("argument 1")?;
    let undecodable = |_| RpcError::undecodable_transaction();
    let transaction = Transaction::parse(&bytes).map_err(undecodable)?;
    let mut keys = Keys {
        daemon,
        given: given_keys(params)?,
        redeem: BTreeMap::new(),
    };
    let extra = previous_outputs(params, &mut keys)?;
    let hash_type = hash_type(params)?;
    let branch = branch_id(daemon, params)?;
    let Ok(cache) = SighashCache::new(&transaction) else {
        // A fluxnode transaction has no inputs: nothing is missing.
        return answer(&Signed {
            hex: hex::encode(&bytes),
            complete: true,
            errors: Vec::new(),
        });
    };
    let previous: Vec<Option<Previous>> = transaction
        .inputs()
        .iter()
        .map(|input| find_previous(daemon, &extra, &input.previous))
        .collect();
    let scripts: Vec<ScriptBuf> = transaction
        .inputs()
        .iter()
        .zip(&previous)
        .enumerate()
        .map(|(index, (input, previous))| {
            let old = input.script.to_owned();
            let Some(previous) = previous else { return old };
            let place = Place {
                cache: &cache,
                index,
                value: previous.value,
                branch,
                hash_type,
            };
            unlock(&keys, previous.script.as_script(), &old, &place).unwrap_or(old)
        })
        .collect();
    let signed = with_scripts(&transaction, &scripts);
    let errors = check(&signed, &previous, branch);
    answer(&Signed {
        hex: hex::encode(&signed),
        complete: errors.is_empty(),
        errors,
    })
}

fn given_keys(params: &Params) -> Result<Option<BTreeMap<Hash160, PrivateKey>>, RpcError> {
    let Some(param) = params.get(2) else {
        return Ok(None);
    };
    let keys = param.array()?;
    let keys = keys.iter().map(|key| {
        let key = key.private_key()?;
        Ok((key.public_key().id(), key))
    });
    keys.collect::<Result<_, RpcError>>().map(Some)
}

fn previous_outputs(
    params: &Params,
    keys: &mut Keys<'_>,
) -> Result<BTreeMap<OutPoint, Previous>, RpcError> {
    let mut outputs = BTreeMap::new();
    let Some(param) = params.get(1) else {
        return Ok(outputs);
    };
    for param in param.array()?.iter() {
        let wrong = || {
            let text = "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}";
            RpcError::new(DESERIALIZATION, text)
        };
        let object = param.object().map_err(|_| wrong())?;
        let field = |name: &str| object.get(name).ok_or_else(wrong);
        let txid = field("txid")?.strict_hash("txid")?;
        let vout = u32::try_from(field("vout")?.integer()?)
            .map_err(|_| RpcError::new(DESERIALIZATION, "vout must be positive"))?;
        let script = ScriptBuf::new(field("scriptPubKey")?.bytes("scriptPubKey")?);
        let value = object.get("amount").map(Param::amount).transpose()?;
        if let Some(redeem) = object.get("redeemScript") {
            let redeem = ScriptBuf::new(redeem.bytes("redeemScript")?);
            keys.redeem.insert(redeem.as_script().id(), redeem);
        }
        let value = value.unwrap_or_default();
        outputs.insert(OutPoint::new(txid, vout), Previous { script, value });
    }
    Ok(outputs)
}

fn find_previous(
    daemon: &Daemon,
    extra: &BTreeMap<OutPoint, Previous>,
    outpoint: &OutPoint,
) -> Option<Previous> {
    let given = extra.get(outpoint).cloned();
    given.or_else(|| {
        let coin = daemon.mempool.coin(outpoint, daemon.chain.coins())?;
        Some(Previous {
            script: coin.script,
            value: coin.value,
        })
    })
}

fn hash_type(params: &Params) -> Result<u8, RpcError> {
    let Some(param) = params.get(3) else {
        return Ok(1);
    };
    match param.text()?.as_str() {
        "ALL" => Ok(0x01),
        "NONE" => Ok(0x02),
        "SINGLE" => Ok(0x03),
        "ALL|ANYONECANPAY" => Ok(0x81),
        "NONE|ANYONECANPAY" => Ok(0x82),
        "SINGLE|ANYONECANPAY" => Ok(0x83),
        _ => Err(RpcError::parameter("Invalid sighash param")),
    }
}

fn branch_id(daemon: &Daemon, params: &Params) -> Result<u32, RpcError> {
    let chain = &daemon.chain;
    let Some(param) = params.get(4) else {
        return Ok(chain.params().branch_id(chain.height() + 1));
    };
    let text = param.text()?;
    u32::from_str_radix(&text, 16)
        .map_err(|_| RpcError::misc(format!("{text} is not a valid consensus branch id")))
}

/// An input that is being signed.
struct Place<'c> {
    cache: &'c SighashCache<'c, 'c>,
    index: usize,
    value: Sat,
    branch: u32,
    hash_type: u8,
}

impl Place<'_> {
    fn digest(&self, code: Script<'_>, hash_type: u8) -> Option<Hash256> {
        let spent = SpentOutput {
            script_code: code,
            value: self.value,
        };
        self.cache
            .signature_hash(self.index, &spent, u32::from(hash_type), self.branch)
            .ok()
    }

    fn sign(&self, key: &PrivateKey, code: Script<'_>) -> Option<Vec<u8>> {
        let mut signature = key.sign_der(&self.digest(code, self.hash_type)?);
        signature.push(self.hash_type);
        Some(signature)
    }

    /// Whether a signature that was there is by a key.
    fn is_by(&self, signature: &[u8], key: &PublicKey, code: Script<'_>) -> bool {
        let Some((hash_type, der)) = signature.split_last() else {
            return false;
        };
        self.digest(code, *hash_type)
            .is_some_and(|digest| key.verify_der(&digest, der))
    }
}

/// The unlocking script with every signature that can be made or was there; `None` when nothing can be said.
fn unlock(
    keys: &Keys<'_>,
    spent: Script<'_>,
    old: &ScriptBuf,
    place: &Place<'_>,
) -> Option<ScriptBuf> {
    if let Some(owner) = spent.p2pkh_hash() {
        let key = keys.of(&owner)?;
        let mut script = Vec::new();
        push(&mut script, &place.sign(&key, spent)?);
        push(&mut script, key.public_key().as_bytes());
        return Some(ScriptBuf::new(script));
    }
    let there: Vec<&[u8]> = old
        .as_script()
        .instructions()
        .filter_map(Result::ok)
        .map(|step| step.data)
        .collect();
    let id = spent.p2sh_hash()?;
    let carried = there.last().filter(|last| Hash160::of(last) == id);
    let redeem = carried
        .map(|last| ScriptBuf::new(last.to_vec()))
        .or_else(|| keys.redeem.get(&id).cloned())?;
    let code = redeem.as_script();
    let multisig = Multisig::parse(code)?;
    let signatures = multisig.public_keys().filter_map(|public| {
        let mine = keys.of(&public.id()).and_then(|key| place.sign(&key, code));
        mine.or_else(|| {
            let others = there.iter();
            let found = others
                .copied()
                .find(|push| place.is_by(push, &public, code));
            found.map(<[u8]>::to_vec)
        })
    });
    // The operation takes one push more than it needs.
    let mut script = vec![0];
    for signature in signatures.take(usize::from(multisig.required)) {
        push(&mut script, &signature);
    }
    push(&mut script, &redeem);
    Some(ScriptBuf::new(script))
}

/// Appends a push in its shortest form; scripts here are shorter than 64 KiB.
fn push(script: &mut Vec<u8>, data: &[u8]) {
    match u8::try_from(data.len()) {
        Ok(length) if length < opcode::PUSHDATA1 => script.push(length),
        Ok(length) => script.extend_from_slice(&[opcode::PUSHDATA1, length]),
        Err(_) => {
            let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
            script.push(opcode::PUSHDATA2);
            script.extend_from_slice(&length.to_le_bytes());
        }
    }
    script.extend_from_slice(data);
}

fn with_scripts(transaction: &Transaction<'_>, scripts: &[ScriptBuf]) -> Vec<u8> {
    let mut signed = transaction.clone();
    if let Body::Transfer(transfer) = &mut signed.body {
        for (input, script) in transfer.inputs.iter_mut().zip(scripts) {
            input.script = script.as_script();
        }
    }
    signed.serialize()
}

/// What the inputs still lack.
fn check(signed: &[u8], previous: &[Option<Previous>], branch: u32) -> Vec<InputError> {
    let signed = Transaction::parse(signed).expect("our own serialisation is well-formed");
    let inputs = signed.inputs().iter().zip(previous).enumerate();
    inputs
        .filter_map(|(index, (input, previous))| {
            let error = match previous {
                None => NOT_FOUND,
                Some(previous) => {
                    let spent = previous.script.as_script();
                    let verdict = verify_input(&signed, index, spent, previous.value, branch);
                    script_error(spent, &verdict.err()?)
                }
            };
            Some(InputError {
                txid: input.previous.txid,
                vout: input.previous.n,
                script_sig: hex::encode(input.script.as_bytes()),
                sequence: input.sequence,
                error,
            })
        })
        .collect()
}
