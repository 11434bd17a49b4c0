//! A chain in memory, as a source.

use std::ops::RangeInclusive;

use fluxplane_chain_indexer::{
    domain::Tip,
    source::{ChainSource, MempoolView, Position, SourceError},
};
use fluxplane_flux_chain::{Block, Hash256};

/// Raw blocks from genesis on.
#[derive(Debug)]
pub(crate) struct Memory(pub(crate) Vec<Vec<u8>>);

impl Memory {
    /// The height of the last block.
    pub(crate) fn last(&self) -> u32 {
        u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX)
    }

    fn at(&self, height: u32) -> Option<&Vec<u8>> {
        self.0.get(usize::try_from(height).ok()?)
    }

    pub(crate) fn hash(&self, height: u32) -> Option<Hash256> {
        Some(Block::parse(self.at(height)?).ok()?.header.hash())
    }
}

impl ChainSource for Memory {
    async fn genesis(&self) -> Result<Hash256, SourceError> {
        Ok(self.hash(0).unwrap_or_default())
    }

    async fn position(&self, height: Option<u32>) -> Result<Position, SourceError> {
        let last = self.last();
        Ok(Position {
            tip: Tip {
                height: last,
                hash: self.hash(last).unwrap_or_default(),
            },
            at: height.and_then(|height| self.hash(height)),
        })
    }

    async fn block_hashes(
        &self,
        heights: RangeInclusive<u32>,
    ) -> Result<Vec<Option<Hash256>>, SourceError> {
        Ok(heights.map(|height| self.hash(height)).collect())
    }

    async fn blocks(&self, heights: RangeInclusive<u32>) -> Result<Vec<Vec<u8>>, SourceError> {
        Ok(heights
            .filter_map(|height| self.at(height).cloned())
            .collect())
    }

    async fn mempool(&self) -> Result<MempoolView, SourceError> {
        let tip = self.position(None).await?.tip.hash;
        Ok(MempoolView {
            tip_before: tip,
            txids: Vec::new(),
            tip_after: tip,
        })
    }

    async fn transactions(&self, txids: &[Hash256]) -> Result<Vec<Option<Vec<u8>>>, SourceError> {
        Ok(vec![None; txids.len()])
    }
}
