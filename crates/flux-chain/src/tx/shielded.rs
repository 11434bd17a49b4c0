//! Shielded parts. Measured exactly, kept as the bytes they are; single fields are picked out on demand.
//!
//! Sizes: fluxd `src/primitives/transaction.h`. A JoinSplit has 1,802 bytes with the old proof system (296-byte proof) and
//! 1,698 with Groth16 (192 bytes); a Sapling spend 384, a Sapling output 948.

use crate::{
    encode::{DecodeError, Reader, Sink},
    hash::Hash256,
};

const SPEND_SIZE: usize = 384;
const OUTPUT_SIZE: usize = 948;
const CIPHERTEXT_SIZE: usize = 601;
const PHGR_PROOF_SIZE: usize = 296;
const GROTH_PROOF_SIZE: usize = 192;

/// Bytes of a JoinSplit besides its proof: two values, nine hashes, two ciphertexts.
const JOIN_SPLIT_REST: usize = 2 * 8 + 9 * 32 + 2 * CIPHERTEXT_SIZE;

/// The Sapling part of a version 4 transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sapling<'a> {
    /// Shielded value in minus shielded value out, in sat. Positive values flow into the transparent pool.
    pub value_balance: i64,
    spends: &'a [u8],
    outputs: &'a [u8],
    binding_signature: Option<&'a [u8; 64]>,
}

impl<'a> Sapling<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let value_balance = reader.i64("valueBalance")?;
        let spends = reader.count("vShieldedSpend", SPEND_SIZE)?;
        let spends = reader.bytes("vShieldedSpend", spends * SPEND_SIZE)?;
        let outputs = reader.count("vShieldedOutput", OUTPUT_SIZE)?;
        let outputs = reader.bytes("vShieldedOutput", outputs * OUTPUT_SIZE)?;
        Ok(Self {
            value_balance,
            spends,
            outputs,
            binding_signature: None,
        })
    }

    /// The signature stands at the very end, after the JoinSplits, and only when there is something to sign.
    pub(super) fn read_binding_signature(
        &mut self,
        reader: &mut Reader<'a>,
    ) -> Result<(), DecodeError> {
        if !(self.spends.is_empty() && self.outputs.is_empty()) {
            let bytes = reader.bytes("bindingSig", 64)?;
            self.binding_signature = bytes.first_chunk();
        }
        Ok(())
    }

    pub const fn binding_signature(&self) -> Option<&'a [u8; 64]> {
        self.binding_signature
    }

    pub fn spends(&self) -> impl ExactSizeIterator<Item = ShieldedSpend<'a>> + use<'a> {
        self.spends.chunks_exact(SPEND_SIZE).map(ShieldedSpend)
    }

    pub fn outputs(&self) -> impl ExactSizeIterator<Item = ShieldedOutput<'a>> + use<'a> {
        self.outputs.chunks_exact(OUTPUT_SIZE).map(ShieldedOutput)
    }

    /// All outputs as they stand on the wire; the signature hash covers them whole.
    pub(crate) const fn raw_outputs(&self) -> &'a [u8] {
        self.outputs
    }

    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        sink.put_i64(self.value_balance);
        sink.put_length(self.spends.len() / SPEND_SIZE);
        sink.put(self.spends);
        sink.put_length(self.outputs.len() / OUTPUT_SIZE);
        sink.put(self.outputs);
    }
}

/// The JoinSplits of a transaction, in one of two sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinSplits<'a> {
    groth: bool,
    raw: &'a [u8],
    key_and_signature: Option<(Hash256, &'a [u8; 64])>,
}

impl<'a> JoinSplits<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, groth: bool) -> Result<Self, DecodeError> {
        let size = item_size(groth);
        let count = reader.count("vJoinSplit", size)?;
        let raw = reader.bytes("vJoinSplit", count * size)?;
        let key_and_signature = if count > 0 {
            let key = reader.hash("joinSplitPubKey")?;
            let signature = reader.bytes("joinSplitSig", 64)?;
            signature.first_chunk().map(|signature| (key, signature))
        } else {
            None
        };
        Ok(Self {
            groth,
            raw,
            key_and_signature,
        })
    }

    pub const fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = JoinSplit<'a>> + use<'a> {
        self.raw
            .chunks_exact(item_size(self.groth))
            .map(JoinSplit::new)
    }

    /// The key and the signature that bind the JoinSplits; present when there are any.
    pub const fn key_and_signature(&self) -> Option<(Hash256, &'a [u8; 64])> {
        self.key_and_signature
    }

    /// All JoinSplits as they stand on the wire; the signature hash covers them whole.
    pub(crate) const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        sink.put_length(self.raw.len() / item_size(self.groth));
        sink.put(self.raw);
        if let Some((key, signature)) = self.key_and_signature {
            sink.put(key.as_wire());
            sink.put(signature);
        }
    }
}

const fn item_size(groth: bool) -> usize {
    JOIN_SPLIT_REST
        + if groth {
            GROTH_PROOF_SIZE
        } else {
            PHGR_PROOF_SIZE
        }
}

/// One JoinSplit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinSplit<'a> {
    /// What it takes from the transparent pool, in sat.
    pub value_in: i64,
    /// What it gives to the transparent pool, in sat.
    pub value_out: i64,
    rest: &'a [u8],
}

impl<'a> JoinSplit<'a> {
    fn new(raw: &'a [u8]) -> Self {
        let value = |start: usize| {
            let bytes = raw
                .get(start..start + 8)
                .and_then(|bytes| bytes.try_into().ok());
            i64::from_le_bytes(bytes.unwrap_or_default())
        };
        Self {
            value_in: value(0),
            value_out: value(8),
            rest: raw.get(16..).unwrap_or_default(),
        }
    }

    pub fn anchor(&self) -> Hash256 {
        hash_at(self.rest, 0)
    }

    pub fn nullifiers(&self) -> [Hash256; 2] {
        [hash_at(self.rest, 32), hash_at(self.rest, 64)]
    }

    pub fn commitments(&self) -> [Hash256; 2] {
        [hash_at(self.rest, 96), hash_at(self.rest, 128)]
    }

    pub fn ephemeral_key(&self) -> Hash256 {
        hash_at(self.rest, 160)
    }

    pub fn random_seed(&self) -> Hash256 {
        hash_at(self.rest, 192)
    }

    pub fn macs(&self) -> [Hash256; 2] {
        [hash_at(self.rest, 224), hash_at(self.rest, 256)]
    }

    pub fn proof(&self) -> &'a [u8] {
        let end = self.rest.len().saturating_sub(2 * CIPHERTEXT_SIZE);
        self.rest.get(288..end).unwrap_or_default()
    }

    pub fn ciphertexts(&self) -> [&'a [u8]; 2] {
        let end = self.rest.len();
        let middle = end.saturating_sub(CIPHERTEXT_SIZE);
        let start = middle.saturating_sub(CIPHERTEXT_SIZE);
        [start..middle, middle..end].map(|range| self.rest.get(range).unwrap_or_default())
    }
}

/// A Sapling spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShieldedSpend<'a>(&'a [u8]);

impl<'a> ShieldedSpend<'a> {
    pub fn value_commitment(&self) -> Hash256 {
        hash_at(self.0, 0)
    }

    pub fn anchor(&self) -> Hash256 {
        hash_at(self.0, 32)
    }

    pub fn nullifier(&self) -> Hash256 {
        hash_at(self.0, 64)
    }

    pub fn randomized_key(&self) -> Hash256 {
        hash_at(self.0, 96)
    }

    pub fn proof(&self) -> &'a [u8] {
        self.0.get(128..320).unwrap_or_default()
    }

    pub fn signature(&self) -> &'a [u8] {
        self.0.get(320..).unwrap_or_default()
    }

    /// Everything but the signature.
    pub(crate) fn unsigned(&self) -> &'a [u8] {
        self.0.get(..320).unwrap_or_default()
    }
}

/// A Sapling output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShieldedOutput<'a>(&'a [u8]);

impl<'a> ShieldedOutput<'a> {
    pub fn value_commitment(&self) -> Hash256 {
        hash_at(self.0, 0)
    }

    pub fn note_commitment(&self) -> Hash256 {
        hash_at(self.0, 32)
    }

    pub fn ephemeral_key(&self) -> Hash256 {
        hash_at(self.0, 64)
    }

    /// The note encrypted for the receiver.
    pub fn note_ciphertext(&self) -> &'a [u8] {
        self.0.get(96..676).unwrap_or_default()
    }

    /// The note encrypted for the sender.
    pub fn outgoing_ciphertext(&self) -> &'a [u8] {
        self.0.get(676..756).unwrap_or_default()
    }

    pub fn proof(&self) -> &'a [u8] {
        self.0.get(756..).unwrap_or_default()
    }
}

fn hash_at(bytes: &[u8], start: usize) -> Hash256 {
    let chunk = bytes
        .get(start..start + 32)
        .and_then(|chunk| chunk.try_into().ok());
    Hash256::from_wire(chunk.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_format() {
        assert_eq!(item_size(false), 1_802);
        assert_eq!(item_size(true), 1_698);
        assert_eq!(4 * 32 + GROTH_PROOF_SIZE + 64, SPEND_SIZE);
        assert_eq!(3 * 32 + 580 + 80 + GROTH_PROOF_SIZE, OUTPUT_SIZE);
    }
}
