//! A block: header and transactions, borrowed from its bytes.

mod merkle;

pub use merkle::{MerkleRoot, merkle_root};

use crate::{
    encode::{DecodeError, Problem, Reader, Sink},
    hash::Hash256,
    header::Header,
    script::{Script, opcode},
    tx::{SAPLING_GROUP, Transaction},
};

/// The largest block consensus admits (fluxd `src/consensus/consensus.h`, `MAX_BLOCK_SIZE`).
pub const MAX_BLOCK_SIZE: usize = 2_000_000;

/// Smallest transaction a block can hold: one input and one output with empty scripts. Consensus refuses anything shorter
/// (a transfer needs both, or a shielded part; a fluxnode transaction needs its signature), so the count is bounded by it.
const LEAST_TRANSACTION: usize = 60;

/// A block and the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'a> {
    raw: &'a [u8],
    pub header: Header<'a>,
    pub transactions: Vec<Transaction<'a>>,
}

impl<'a> Block<'a> {
    /// Reads exactly one block of at most [`MAX_BLOCK_SIZE`] bytes.
    pub fn parse(raw: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(raw);
        if raw.len() > MAX_BLOCK_SIZE {
            let value = u64::try_from(raw.len()).unwrap_or(u64::MAX);
            let limit = u64::try_from(MAX_BLOCK_SIZE).unwrap_or(u64::MAX);
            return Err(reader.error("block", Problem::TooLong { value, limit }));
        }
        let header = Header::read(&mut reader)?;
        let count = reader.count("tx", LEAST_TRANSACTION)?;
        let mut transactions = Vec::with_capacity(count);
        for index in 0..count {
            let transaction = Transaction::read(&mut reader);
            transactions.push(transaction.map_err(|error| error.within("tx", index))?);
        }
        reader.finish("block")?;
        Ok(Self {
            raw,
            header,
            transactions,
        })
    }

    /// The bytes as they came.
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Length of the serialisation.
    pub const fn size(&self) -> usize {
        self.raw.len()
    }

    /// The ids of all transactions in order. Costs a double SHA-256 each.
    pub fn txids(&self) -> Vec<Hash256> {
        self.transactions.iter().map(Transaction::txid).collect()
    }

    /// The height the coinbase claims; see [`coinbase_height`].
    pub fn claimed_height(&self) -> Option<u32> {
        coinbase_height(self.transactions.first()?.inputs().first()?.script)
    }

    /// Writes the block from its fields.
    pub fn serialize(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.raw.len());
        self.header.write_to(&mut bytes);
        bytes.put_length(self.transactions.len());
        for transaction in &self.transactions {
            transaction.write_to(&mut bytes);
        }
        bytes
    }
}

/// The height at the start of a coinbase script. Every Flux block but the first has it (fluxd enforces it from height 21 on).
/// The first block's script starts with another number, so its result means nothing.
pub fn coinbase_height(script: Script<'_>) -> Option<u32> {
    let first = script.instructions().next()?.ok()?;
    if !first.pushes_data() {
        return opcode::small_number(first.opcode).map(u32::from);
    }
    if first.data.is_empty() || first.data.len() > 5 {
        return None;
    }
    u32::try_from(crate::script::script_number(first.data)).ok()
}

impl Transaction<'_> {
    /// Whether the transaction has Sapling's format, the only one ordinary transactions may have since ACADIA.
    pub fn is_sapling(&self) -> bool {
        self.as_transfer()
            .is_some_and(|transfer| transfer.version_group == Some(SAPLING_GROUP))
    }
}
