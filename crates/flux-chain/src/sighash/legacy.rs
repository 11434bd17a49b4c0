//! The digest of versions 1 and 2: the transaction itself with the scripts of other inputs left out, hash type appended.

use fluxplane_core::Sat;

use crate::{
    encode::Sink,
    hash::{Hash256, Sha256d},
    script::Script,
    sighash::{SIGHASH_NONE, SIGHASH_SINGLE, SighashError, SpentOutput, anyone_can_pay, base_type},
    tx::{Transfer, TxIn, TxOut},
};

pub(super) fn digest(
    version: u32,
    transfer: &Transfer<'_>,
    index: usize,
    spent: &SpentOutput<'_>,
    hash_type: u32,
) -> Result<Hash256, SighashError> {
    let base = base_type(hash_type);
    if base == SIGHASH_SINGLE && index >= transfer.outputs.len() {
        return Err(SighashError::NoSuchOutput { index });
    }
    let mut hash = Sha256d::new();
    hash.put_u32(version);
    write_inputs(&mut hash, transfer, index, spent, hash_type);
    write_outputs(&mut hash, transfer, index, base);
    hash.put_u32(transfer.lock_time);
    if let Some(join_splits) = &transfer.join_splits {
        hash.put_length(join_splits.iter().len());
        hash.put(join_splits.raw());
        if let Some((key, _)) = join_splits.key_and_signature() {
            hash.put(key.as_wire());
            hash.put(&[0; 64]);
        }
    }
    hash.put_u32(hash_type);
    Ok(hash.finish())
}

fn write_inputs(
    hash: &mut Sha256d,
    transfer: &Transfer<'_>,
    index: usize,
    spent: &SpentOutput<'_>,
    hash_type: u32,
) {
    if anyone_can_pay(hash_type) {
        hash.put_length(1);
        if let Some(input) = transfer.inputs.get(index) {
            let script = spent.script_code;
            TxIn { script, ..*input }.write_to(hash);
        }
        return;
    }
    let free_sequence = matches!(base_type(hash_type), SIGHASH_NONE | SIGHASH_SINGLE);
    hash.put_length(transfer.inputs.len());
    for (position, input) in transfer.inputs.iter().enumerate() {
        let own = position == index;
        let input = TxIn {
            previous: input.previous,
            script: if own {
                spent.script_code
            } else {
                Script::default()
            },
            sequence: if free_sequence && !own {
                0
            } else {
                input.sequence
            },
        };
        input.write_to(hash);
    }
}

fn write_outputs(hash: &mut Sha256d, transfer: &Transfer<'_>, index: usize, base: u32) {
    match base {
        SIGHASH_NONE => hash.put_length(0),
        SIGHASH_SINGLE => {
            hash.put_length(index + 1);
            for _ in 0..index {
                // An empty output, as fluxd's constructor makes it.
                let blank = TxOut {
                    value: Sat::new(-1),
                    script: Script::default(),
                };
                blank.write_to(hash);
            }
            if let Some(output) = transfer.outputs.get(index) {
                output.write_to(hash);
            }
        }
        _ => {
            hash.put_length(transfer.outputs.len());
            for output in &transfer.outputs {
                output.write_to(hash);
            }
        }
    }
}
