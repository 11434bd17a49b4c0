//! Block headers. The version decides the shape: below 100 a header carries proof of work, from 100 on a proof of node.
//!
//! The hash of a proof-of-node header leaves its signature out (fluxd `src/primitives/block.h`), so the bytes of a block are
//! not fixed by its hash.

use crate::{
    encode::{DecodeError, Reader, Sink},
    hash::Hash256,
    outpoint::OutPoint,
};

/// First version with a proof of node (fluxd `CBlockHeader::PON_VERSION`).
pub const PON_VERSION: i32 = 100;

/// Bytes of a proof-of-node header that are hashed.
const PON_HASHED: usize = 144;

/// A header and the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    raw: &'a [u8],
    pub version: i32,
    pub previous: Hash256,
    pub merkle_root: Hash256,
    pub final_sapling_root: Hash256,
    /// Unix seconds.
    pub time: u32,
    /// The target in compact form.
    pub bits: u32,
    pub seal: Seal<'a>,
}

/// What entitles the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal<'a> {
    Work {
        nonce: Hash256,
        solution: &'a [u8],
    },
    Node {
        /// Collateral of the producing node, or a special outpoint (emergency, test bypass).
        collateral: OutPoint,
        signature: &'a [u8],
    },
}

impl<'a> Header<'a> {
    /// Reads exactly one header.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let header = Self::read(&mut reader)?;
        reader.finish("header")?;
        Ok(header)
    }

    /// Reads the next header.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.position();
        let version = reader.i32("version")?;
        let previous = reader.hash("previousBlockHash")?;
        let merkle_root = reader.hash("merkleRoot")?;
        let final_sapling_root = reader.hash("finalSaplingRoot")?;
        let time = reader.u32("time")?;
        let bits = reader.u32("bits")?;
        let seal = if version >= PON_VERSION {
            Seal::Node {
                collateral: reader.outpoint("nodesCollateral")?,
                signature: reader.var_bytes("blockSig")?,
            }
        } else {
            Seal::Work {
                nonce: reader.hash("nonce")?,
                solution: reader.var_bytes("solution")?,
            }
        };
        Ok(Self {
            raw: reader.since(start),
            version,
            previous,
            merkle_root,
            final_sapling_root,
            time,
            bits,
            seal,
        })
    }

    /// The bytes as they came.
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    pub const fn is_pon(&self) -> bool {
        matches!(self.seal, Seal::Node { .. })
    }

    /// The block hash. Costs one double SHA-256.
    pub fn hash(&self) -> Hash256 {
        let hashed = match self.seal {
            Seal::Work { .. } => self.raw,
            Seal::Node { .. } => self.raw.get(..PON_HASHED).unwrap_or(self.raw),
        };
        Hash256::sha256d(hashed)
    }

    /// Collateral of the node that produced the block; `None` for a proof-of-work block.
    pub const fn producer(&self) -> Option<OutPoint> {
        match self.seal {
            Seal::Node { collateral, .. } => Some(collateral),
            Seal::Work { .. } => None,
        }
    }

    /// Writes the header from its fields.
    pub fn write_to(&self, sink: &mut impl Sink) {
        sink.put_i32(self.version);
        sink.put(self.previous.as_wire());
        sink.put(self.merkle_root.as_wire());
        sink.put(self.final_sapling_root.as_wire());
        sink.put_u32(self.time);
        sink.put_u32(self.bits);
        match &self.seal {
            Seal::Work { nonce, solution } => {
                sink.put(nonce.as_wire());
                sink.put_var_bytes(solution);
            }
            Seal::Node {
                collateral,
                signature,
            } => {
                collateral.write_to(sink);
                sink.put_var_bytes(signature);
            }
        }
    }
}
