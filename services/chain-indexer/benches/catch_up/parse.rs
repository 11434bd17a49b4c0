//! The parser alone, on one core.

use std::time::{Duration, Instant};

use anyhow::Result;
use fluxplane_chain_indexer::domain::CheckedBlock;
use fluxplane_flux_chain::Block;

use crate::memory::Memory;

/// Blocks of the measurement at most: they stay in the processor's reach no better than a stream would.
const MOST: usize = 50_000;

/// What was parsed and how long it took.
pub(crate) struct Parsed {
    pub(crate) blocks: usize,
    pub(crate) bytes: usize,
    pub(crate) took: Duration,
}

/// Reads every field of every transaction.
pub(crate) fn parse(chain: &Memory) -> Result<Parsed> {
    measure(chain, |raw| {
        std::hint::black_box(Block::parse(raw)?);
        Ok(())
    })
}

/// Reads, hashes every transaction and compares the merkle root, as following does before it believes a block.
pub(crate) fn check(chain: &Memory) -> Result<Parsed> {
    measure(chain, |raw| {
        std::hint::black_box(CheckedBlock::check(raw.to_vec())?);
        Ok(())
    })
}

fn measure(chain: &Memory, read: impl Fn(&[u8]) -> Result<()>) -> Result<Parsed> {
    let blocks = chain.0.get(..MOST).unwrap_or(&chain.0);
    let started = Instant::now();
    for raw in blocks {
        read(raw)?;
    }
    Ok(Parsed {
        blocks: blocks.len(),
        bytes: blocks.iter().map(Vec::len).sum(),
        took: started.elapsed(),
    })
}
