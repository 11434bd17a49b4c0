//! Makes the scripts we send.

use crate::{
    hash::Hash160,
    key::PublicKey,
    script::{ScriptBuf, opcode},
};

/// The longest data a transaction may carry and still be relayed (fluxd `-datacarriersize`).
pub const MAX_DATA_LENGTH: usize = 80;

/// Pays to the owner of a public key.
pub fn p2pkh(key: &Hash160) -> ScriptBuf {
    let mut bytes = Vec::with_capacity(25);
    bytes.extend_from_slice(&[opcode::DUP, opcode::HASH160, 20]);
    bytes.extend_from_slice(key.as_wire());
    bytes.extend_from_slice(&[opcode::EQUALVERIFY, opcode::CHECKSIG]);
    ScriptBuf::new(bytes)
}

/// Pays to whoever satisfies the script with this id.
pub fn p2sh(script: &Hash160) -> ScriptBuf {
    let mut bytes = Vec::with_capacity(23);
    bytes.extend_from_slice(&[opcode::HASH160, 20]);
    bytes.extend_from_slice(script.as_wire());
    bytes.push(opcode::EQUAL);
    ScriptBuf::new(bytes)
}

/// Why data cannot go into an output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{length} bytes of data: nodes relay at most {MAX_DATA_LENGTH}; store the rest elsewhere and send its hash"
)]
pub struct DataTooLong {
    pub length: usize,
}

/// `OP_RETURN` with one push.
pub fn data_output(data: &[u8]) -> Result<ScriptBuf, DataTooLong> {
    let length = data.len();
    if length > MAX_DATA_LENGTH {
        return Err(DataTooLong { length });
    }
    let mut bytes = vec![opcode::RETURN];
    push(&mut bytes, data);
    Ok(ScriptBuf::new(bytes))
}

/// Why keys make no multisig script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{required} of {keys} keys: a multisig script has 1 to 16 keys and needs 1 to all of them")]
pub struct MultisigShape {
    pub required: u8,
    pub keys: usize,
}

/// `required` of `keys` must sign.
pub fn multisig(required: u8, keys: &[PublicKey]) -> Result<ScriptBuf, MultisigShape> {
    let shape = || MultisigShape {
        required,
        keys: keys.len(),
    };
    let total = u8::try_from(keys.len()).map_err(|_| shape())?;
    if !(1..=total).contains(&required) {
        return Err(shape());
    }
    let total = opcode::of_small_number(total).ok_or_else(shape)?;
    let required = opcode::of_small_number(required).ok_or_else(shape)?;
    let mut bytes = vec![required];
    for key in keys {
        push(&mut bytes, key.as_bytes());
    }
    bytes.extend_from_slice(&[total, opcode::CHECKMULTISIG]);
    Ok(ScriptBuf::new(bytes))
}

/// Appends a push of up to 64 KiB in its shortest form (numbers below 17 excepted, which no caller pushes).
pub(crate) fn push(script: &mut Vec<u8>, data: &[u8]) {
    if let Ok(length) = u8::try_from(data.len()) {
        if length >= opcode::PUSHDATA1 {
            script.push(opcode::PUSHDATA1);
        }
        script.push(length);
    } else {
        let length =
            u16::try_from(data.len()).expect("no caller pushes more than a script may hold");
        script.push(opcode::PUSHDATA2);
        script.extend_from_slice(&length.to_le_bytes());
    }
    script.extend_from_slice(data);
}

/// Appends a block height as `CScript << height` does: small numbers as operations, others as minimal little-endian.
pub(crate) fn push_height(script: &mut Vec<u8>, height: u32) {
    if let Some(opcode) = u8::try_from(height).ok().and_then(opcode::of_small_number) {
        script.push(opcode);
        return;
    }
    let mut number = u64::from(height).to_le_bytes().to_vec();
    while number.last() == Some(&0) {
        number.pop();
    }
    // The top bit is the sign.
    if number.last().is_some_and(|top| top & 0x80 != 0) {
        number.push(0);
    }
    push(script, &number);
}
