//! Emergency blocks: made by key holders when the nodes cannot. Regtest takes any key.

use fluxplane_flux_chain::{
    Block, Hash256,
    encode::Sink as _,
    header::Seal,
    pon::{emergency_signatures, is_emergency, verify_emergency, write_emergency_signatures},
};
use serde::Serialize;

use crate::{
    daemon::{Daemon, Submission},
    miner::{Order, assemble},
    rpc::{
        Answer, Method, Params, RpcError, answer, error::TRANSACTION, params::Param, read, write,
    },
};

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "createemergencyblock",
            "",
            0..=0,
            "An emergency block to be signed.",
            createemergencyblock,
        ),
        read(
            "signemergencyblock",
            "\"blockhex\" \"privatekey\"",
            2..=2,
            "Adds a signature to an emergency block.",
            signemergencyblock,
        ),
        read(
            "verifyemergencyblock",
            "\"blockhex\"",
            1..=1,
            "Whether an emergency block has enough signatures, and of whom.",
            verifyemergencyblock,
        ),
        write(
            "submitemergencyblock",
            "\"blockhex\"",
            1..=1,
            "Takes a signed emergency block and tells its hash.",
            submitemergencyblock,
        ),
    ]
}

#[derive(Serialize)]
struct Created {
    hex: String,
    hash: Hash256,
    height: u32,
    collateral: Hash256,
    signatures_required: usize,
    authorized_keys: Vec<String>,
}

fn createemergencyblock(daemon: &Daemon, _: &Params) -> Answer {
    let rules = &daemon.chain.params().emergency;
    let order = Order {
        producer: rules.collateral,
        time: daemon.now(),
        extra: &[],
    };
    let draft = assemble(&daemon.chain, &daemon.mempool, order).draft;
    let broken = |error| RpcError::misc(format!("Failed to create block template: {error}"));
    let bytes = draft.seal_with(&[]).map_err(broken)?;
    answer(&Created {
        hex: hex::encode(&bytes),
        hash: draft.hash().map_err(broken)?,
        height: daemon.chain.height() + 1,
        collateral: rules.collateral.txid,
        signatures_required: rules.min_signatures,
        authorized_keys: rules.keys.iter().map(ToString::to_string).collect(),
    })
}

/// The bytes of an emergency block; any other block is refused.
fn emergency_block(daemon: &Daemon, param: &Param) -> Result<Vec<u8>, RpcError> {
    let bytes = hex::decode(param.text()?).map_err(|_| RpcError::undecodable_block())?;
    let block = Block::parse(&bytes).map_err(|_| RpcError::undecodable_block())?;
    if !is_emergency(daemon.chain.params(), &block.header) {
        return Err(RpcError::parameter("Block is not an emergency block"));
    }
    Ok(bytes)
}

fn signatures(block: &Block<'_>) -> Vec<Vec<u8>> {
    match block.header.seal {
        Seal::Node { signature, .. } => emergency_signatures(signature)
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect(),
        Seal::Work { .. } => Vec::new(),
    }
}

#[derive(Serialize)]
struct Signed {
    hex: String,
    hash: Hash256,
    signatures: usize,
    complete: bool,
}

fn signemergencyblock(daemon: &Daemon, params: &Params) -> Answer {
    let bytes = emergency_block(daemon, params.required(0)?)?;
    let block = Block::parse(&bytes).map_err(|_| RpcError::undecodable_block())?;
    let key = params
        .required(1)?
        .private_key()
        .map_err(|_| RpcError::parameter("Invalid private key"))?;
    let rules = &daemon.chain.params().emergency;
    let public = key.public_key();
    if !rules.any_key && !rules.keys.contains(&public) {
        let text = "Private key does not correspond to an authorized emergency key";
        return Err(RpcError::parameter(text));
    }
    let hash = block.header.hash();
    let mut signatures = signatures(&block);
    if signatures
        .iter()
        .any(|signature| public.verify_der(&hash, signature))
    {
        return Err(RpcError::parameter("This key has already signed the block"));
    }
    signatures.push(key.sign_der(&hash));
    answer(&Signed {
        hex: hex::encode(resealed(&block, &write_emergency_signatures(&signatures))),
        hash,
        signatures: signatures.len(),
        complete: signatures.len() >= rules.min_signatures,
    })
}

/// The block with another signature field.
fn resealed(block: &Block<'_>, field: &[u8]) -> Vec<u8> {
    let mut header = block.header.clone();
    if let Seal::Node { signature, .. } = &mut header.seal {
        *signature = field;
    }
    let mut bytes = Vec::with_capacity(block.size() + field.len());
    header.write_to(&mut bytes);
    bytes.put_length(block.transactions.len());
    for transaction in &block.transactions {
        bytes.put(transaction.raw());
    }
    bytes
}

#[derive(Serialize)]
struct Verified {
    valid: bool,
    signatures: usize,
    signatures_required: usize,
    /// Authorised keys only; others are counted and not named.
    signers: Vec<String>,
}

fn verifyemergencyblock(daemon: &Daemon, params: &Params) -> Answer {
    let bytes = emergency_block(daemon, params.required(0)?)?;
    let block = Block::parse(&bytes).map_err(|_| RpcError::undecodable_block())?;
    let chain_params = daemon.chain.params();
    let rules = &chain_params.emergency;
    let hash = block.header.hash();
    let signatures = signatures(&block);
    let signer = |signature: &Vec<u8>| {
        let key = rules
            .keys
            .iter()
            .find(|key| key.verify_der(&hash, signature));
        key.map(ToString::to_string)
    };
    answer(&Verified {
        valid: verify_emergency(chain_params, &block.header, &hash),
        signatures: signatures.len(),
        signatures_required: rules.min_signatures,
        signers: signatures.iter().filter_map(signer).collect(),
    })
}

fn submitemergencyblock(daemon: &mut Daemon, params: &Params) -> Answer {
    daemon.require_grown("submitemergencyblock")?;
    let bytes = emergency_block(daemon, params.required(0)?)?;
    let block = Block::parse(&bytes).map_err(|_| RpcError::undecodable_block())?;
    let hash = block.header.hash();
    let refused = |text: &str| RpcError::new(TRANSACTION, text);
    if !verify_emergency(daemon.chain.params(), &block.header, &hash) {
        let text = "Emergency block has invalid or insufficient signatures";
        return Err(refused(text));
    }
    let submission = daemon
        .submit(&bytes)
        .map_err(|_| RpcError::undecodable_block())?;
    match submission {
        Submission::Known(_, "duplicate-invalid") => {
            Err(refused("Block has been previously rejected"))
        }
        Submission::Connected(hash) | Submission::Beside(hash) | Submission::Known(hash, _) => {
            answer(&hash)
        }
        Submission::Rejected(reject) => Err(refused(&reject.reason)),
    }
}
