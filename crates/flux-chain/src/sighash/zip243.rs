//! ZIP-143 (version 3) and ZIP-243 (version 4): BLAKE2b-256 over digests of the parts, so that the work per input is constant.

use blake2b_simd::{Params, State};

use crate::{
    encode::Sink,
    hash::Hash256,
    sighash::{
        SIGHASH_NONE, SIGHASH_SINGLE, SighashError, SpentOutput, anyone_can_pay, base_type,
        checked_input, legacy,
    },
    tx::{Transaction, Transfer, TxOut},
};

/// Digests that all inputs of a transaction share.
#[derive(Debug, Clone)]
pub struct SighashCache<'t, 'a> {
    header: u32,
    transfer: &'t Transfer<'a>,
    parts: Option<Parts>,
}

/// Digests of the parts of an overwintered transaction.
#[derive(Debug, Clone, Copy)]
struct Parts {
    previous: Hash256,
    sequences: Hash256,
    outputs: Hash256,
    join_splits: Hash256,
    /// Sapling only: spends and outputs.
    shielded: Option<(Hash256, Hash256)>,
}

impl<'t, 'a> SighashCache<'t, 'a> {
    pub fn new(transaction: &'t Transaction<'a>) -> Result<Self, SighashError> {
        let transfer = transaction.as_transfer().ok_or(SighashError::NoInputs)?;
        let header = transaction.header_field();
        let parts = transfer.version_group.map(|_| Parts::of(transfer));
        Ok(Self {
            header,
            transfer,
            parts,
        })
    }

    /// The digest for one input.
    pub fn signature_hash(
        &self,
        index: usize,
        spent: &SpentOutput<'_>,
        hash_type: u32,
        branch_id: u32,
    ) -> Result<Hash256, SighashError> {
        checked_input(self.transfer, index)?;
        let Some(parts) = &self.parts else {
            return legacy::digest(self.header, self.transfer, index, spent, hash_type);
        };
        let mut state = self.head(parts, Some(index), hash_type, branch_id);
        if let Some(input) = self.transfer.inputs.get(index) {
            input.previous.write_to(&mut state);
            state.put_var_bytes(spent.script_code.as_bytes());
            state.put_i64(spent.value.get());
            state.put_u32(input.sequence);
        }
        Ok(finish(&state))
    }

    /// The digest JoinSplit and binding signatures cover. `None` for a transaction without Overwinter's format.
    pub fn shielded_hash(&self, branch_id: u32) -> Option<Hash256> {
        let parts = self.parts.as_ref()?;
        let state = self.head(parts, None, super::SIGHASH_ALL, branch_id);
        Some(finish(&state))
    }

    fn head(&self, parts: &Parts, index: Option<usize>, hash_type: u32, branch_id: u32) -> State {
        let transfer = self.transfer;
        let base = base_type(hash_type);
        let some_outputs = matches!(base, SIGHASH_NONE | SIGHASH_SINGLE);
        let unless = |skip: bool, hash: Hash256| if skip { Hash256::ZERO } else { hash };
        let any_input = anyone_can_pay(hash_type);
        let outputs = match (some_outputs, index) {
            (false, _) => parts.outputs,
            (true, Some(index)) if base == SIGHASH_SINGLE => {
                transfer.outputs.get(index).map_or(Hash256::ZERO, |output| {
                    outputs_hash(std::slice::from_ref(output))
                })
            }
            (true, _) => Hash256::ZERO,
        };

        let mut personal = *b"ZcashSigHash\0\0\0\0";
        if let Some(tail) = personal.last_chunk_mut::<4>() {
            *tail = branch_id.to_le_bytes();
        }
        let mut state = blake2b(&personal);
        state.put_u32(self.header);
        state.put_u32(transfer.version_group.unwrap_or_default());
        state.put(unless(any_input, parts.previous).as_wire());
        state.put(unless(any_input || some_outputs, parts.sequences).as_wire());
        state.put(outputs.as_wire());
        state.put(parts.join_splits.as_wire());
        if let Some((spends, outputs)) = parts.shielded {
            state.put(spends.as_wire());
            state.put(outputs.as_wire());
        }
        state.put_u32(transfer.lock_time);
        state.put_u32(transfer.expiry_height.unwrap_or_default());
        if let Some(sapling) = &transfer.sapling {
            state.put_i64(sapling.value_balance);
        }
        state.put_u32(hash_type);
        state
    }
}

impl Parts {
    fn of(transfer: &Transfer<'_>) -> Self {
        let mut previous = blake2b(b"ZcashPrevoutHash");
        let mut sequences = blake2b(b"ZcashSequencHash");
        for input in &transfer.inputs {
            input.previous.write_to(&mut previous);
            sequences.put_u32(input.sequence);
        }
        Self {
            previous: finish(&previous),
            sequences: finish(&sequences),
            outputs: outputs_hash(&transfer.outputs),
            join_splits: join_splits_hash(transfer),
            shielded: transfer.sapling.as_ref().map(|sapling| {
                let mut spends = blake2b(b"ZcashSSpendsHash");
                for spend in sapling.spends() {
                    spends.put(spend.unsigned());
                }
                let mut outputs = blake2b(b"ZcashSOutputHash");
                outputs.put(sapling.raw_outputs());
                (
                    zero_if(sapling.spends().len() == 0, &spends),
                    zero_if(sapling.outputs().len() == 0, &outputs),
                )
            }),
        }
    }
}

fn join_splits_hash(transfer: &Transfer<'_>) -> Hash256 {
    let Some(join_splits) = &transfer.join_splits else {
        return Hash256::ZERO;
    };
    let mut state = blake2b(b"ZcashJSplitsHash");
    state.put(join_splits.raw());
    if let Some((key, _)) = join_splits.key_and_signature() {
        state.put(key.as_wire());
    }
    zero_if(join_splits.is_empty(), &state)
}

fn outputs_hash(outputs: &[TxOut<'_>]) -> Hash256 {
    let mut state = blake2b(b"ZcashOutputsHash");
    for output in outputs {
        output.write_to(&mut state);
    }
    finish(&state)
}

fn zero_if(empty: bool, state: &State) -> Hash256 {
    if empty { Hash256::ZERO } else { finish(state) }
}

fn blake2b(personal: &[u8; 16]) -> State {
    Params::new().hash_length(32).personal(personal).to_state()
}

fn finish(state: &State) -> Hash256 {
    let digest = state.finalize();
    let bytes = digest.as_bytes().try_into();
    Hash256::from_wire(bytes.expect("the hash length is set to 32"))
}

impl Sink for State {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}
