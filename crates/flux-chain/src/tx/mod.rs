//! Transactions of every version the chain has seen, borrowed from the bytes they were read from.
//!
//! * Versions 1 to 4 move coins: [`Transfer`]. Shielded parts are measured and kept as raw slices.
//! * Versions 5 and 6 start and confirm fluxnodes: [`Fluxnode`]. They have neither inputs nor outputs, and their id
//!   leaves the signatures out (fluxd `src/primitives/transaction.h`).

mod delegates;
mod fluxnode;
mod id;
mod shielded;
mod transfer;

pub use delegates::{DelegateData, DelegateField, DelegateKeys, DelegateKind, MAX_DELEGATES};
pub use fluxnode::{Confirm, Fluxnode, Start, StartBody, UpdateKind, flux_version};
pub use shielded::{JoinSplit, JoinSplits, Sapling, ShieldedOutput, ShieldedSpend};
pub(crate) use transfer::money_sum;
pub use transfer::{Transfer, TxIn, TxOut};

use crate::{
    encode::{DecodeError, Reader, Sink},
    hash::Hash256,
};

/// Bit of the version field that marks the formats since Overwinter.
pub(crate) const OVERWINTERED: u32 = 1 << 31;

/// Version of fluxnode transactions, and of those that know P2SH and delegates.
pub const FLUXNODE_VERSION: u32 = 5;
pub const FLUXNODE_UPGRADED_VERSION: u32 = 6;

/// Version group of v3 and of v4 transactions.
pub const OVERWINTER_GROUP: u32 = 0x03c4_8270;
pub const SAPLING_GROUP: u32 = 0x892f_2085;

/// A transaction and the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction<'a> {
    raw: &'a [u8],
    header: u32,
    pub body: Body<'a>,
}

/// What a transaction does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    Transfer(Transfer<'a>),
    Fluxnode(Fluxnode<'a>),
}

impl<'a> Transaction<'a> {
    /// Reads exactly one transaction.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let transaction = Self::read(&mut reader)?;
        reader.finish("transaction")?;
        Ok(transaction)
    }

    /// Reads the next transaction.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.position();
        let header = reader.u32("version")?;
        let body = match header {
            FLUXNODE_VERSION => Body::Fluxnode(Fluxnode::read(reader, false)?),
            FLUXNODE_UPGRADED_VERSION => Body::Fluxnode(Fluxnode::read(reader, true)?),
            _ => Body::Transfer(Transfer::read(reader, header)?),
        };
        let raw = reader.since(start);
        Ok(Self { raw, header, body })
    }

    /// The bytes as they came.
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Length of the serialisation.
    pub const fn size(&self) -> usize {
        self.raw.len()
    }

    pub const fn version(&self) -> u32 {
        self.header & !OVERWINTERED
    }

    /// The version field as it stands on the wire, with the Overwinter bit.
    pub(crate) const fn header_field(&self) -> u32 {
        self.header
    }

    pub const fn is_overwintered(&self) -> bool {
        self.header & OVERWINTERED != 0
    }

    pub fn is_coinbase(&self) -> bool {
        self.as_transfer().is_some_and(Transfer::is_coinbase)
    }

    pub const fn as_transfer(&self) -> Option<&Transfer<'a>> {
        match &self.body {
            Body::Transfer(transfer) => Some(transfer),
            Body::Fluxnode(_) => None,
        }
    }

    pub const fn as_fluxnode(&self) -> Option<&Fluxnode<'a>> {
        match &self.body {
            Body::Fluxnode(fluxnode) => Some(fluxnode),
            Body::Transfer(_) => None,
        }
    }

    /// Inputs; none for a fluxnode transaction.
    pub fn inputs(&self) -> &[TxIn<'a>] {
        self.as_transfer().map_or(&[], |transfer| &transfer.inputs)
    }

    /// Outputs; none for a fluxnode transaction.
    pub fn outputs(&self) -> &[TxOut<'a>] {
        self.as_transfer().map_or(&[], |transfer| &transfer.outputs)
    }

    /// The id. Costs one double SHA-256; callers that need it twice keep it.
    pub fn txid(&self) -> Hash256 {
        match &self.body {
            Body::Transfer(_) => Hash256::sha256d(self.raw),
            Body::Fluxnode(fluxnode) => id::fluxnode_id(self.header, fluxnode),
        }
    }

    /// The hash of all bytes. Equals the id except for fluxnode transactions, where some explorers mistake it for the id.
    pub fn full_hash(&self) -> Hash256 {
        Hash256::sha256d(self.raw)
    }

    /// Writes the transaction from its fields.
    pub fn write_to(&self, sink: &mut impl Sink) {
        sink.put_u32(self.header);
        match &self.body {
            Body::Transfer(transfer) => transfer.write_to(sink),
            Body::Fluxnode(fluxnode) => fluxnode.write_to(sink),
        }
    }

    /// The serialisation, made from the fields. Byte for byte what was read.
    pub fn serialize(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.raw.len());
        self.write_to(&mut bytes);
        bytes
    }
}
