//! A block that is what it claims to be: its bytes parse, its transactions are those of its merkle root.
//!
//! Whether it is *valid* the daemon has judged. These checks catch a daemon, or a line to it, that garbles: everything the
//! indexer stores follows from bytes that hash to the block's name.

use fluxplane_flux_chain::{
    Block, Hash256, OutPoint,
    block::merkle_root,
    encode::DecodeError,
    fluxnode::{BlockView, Mode},
};

use crate::domain::note;

/// Why bytes are no block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockFault {
    #[error("{0}")]
    Malformed(DecodeError),
    #[error("block {hash} names merkle root {claimed}, its transactions give {found}")]
    MerkleRoot {
        hash: Hash256,
        claimed: Hash256,
        found: Hash256,
    },
    #[error("block {0} repeats transactions")]
    Repeats(Hash256),
}

/// A block whose bytes agree with its hash, and what costs hashing to know.
#[derive(Debug, Clone)]
pub struct CheckedBlock {
    raw: Vec<u8>,
    hash: Hash256,
    previous: Hash256,
    txids: Vec<Hash256>,
    collaterals: Vec<OutPoint>,
}

impl CheckedBlock {
    /// Checks raw bytes. Hashes every transaction, so large blocks take milliseconds.
    pub fn check(raw: Vec<u8>) -> Result<Self, BlockFault> {
        let block = Block::parse(&raw).map_err(BlockFault::Malformed)?;
        let hash = block.header.hash();
        let previous = block.header.previous;
        let txids = block.txids();
        let merkle = merkle_root(&txids);
        if merkle.root != block.header.merkle_root {
            return Err(BlockFault::MerkleRoot {
                hash,
                claimed: block.header.merkle_root,
                found: merkle.root,
            });
        }
        if merkle.mutated {
            return Err(BlockFault::Repeats(hash));
        }
        // The height plays no part in which outputs starts name.
        let named = BlockView::new(0, &block);
        let by_price_messages = block.transactions.iter().flat_map(note::price_inputs);
        let collaterals = named
            .collaterals(Mode::Follow)
            .chain(by_price_messages)
            .collect();
        Ok(Self {
            raw,
            hash,
            previous,
            txids,
            collaterals,
        })
    }

    pub const fn hash(&self) -> Hash256 {
        self.hash
    }

    pub const fn previous(&self) -> Hash256 {
        self.previous
    }

    /// Ids of its transactions, in order.
    pub fn txids(&self) -> &[Hash256] {
        &self.txids
    }

    /// Outputs that must be known to judge the block: those that starts name as collateral, and those that price messages spend.
    pub fn collaterals(&self) -> &[OutPoint] {
        &self.collaterals
    }

    /// Its bytes.
    pub fn into_raw(self) -> Vec<u8> {
        self.raw
    }

    /// Length of the serialisation.
    pub const fn size(&self) -> usize {
        self.raw.len()
    }

    /// The block itself. Reads the bytes again, without hashing.
    pub fn parse(&self) -> Block<'_> {
        Block::parse(&self.raw).expect("the same bytes were parsed when they were checked")
    }
}
