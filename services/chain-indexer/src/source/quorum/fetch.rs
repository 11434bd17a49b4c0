//! Blocks from whichever daemon gives them, checked against what enough daemons say they are.

use std::{future, ops::RangeInclusive};

use fluxplane_flux_chain::Hash256;
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::sleep;

use super::{
    super::{ChainSource, SourceError},
    Quorum,
};
use crate::domain::CheckedBlock;

impl<S: ChainSource> Quorum<S> {
    /// The agreed blocks of a range. One daemon is asked; when it fails the next one is, when it is slow the next one too, and the
    /// first good answer counts.
    pub(super) async fn fetch_blocks(
        &self,
        heights: RangeInclusive<u32>,
    ) -> Result<Vec<Vec<u8>>, SourceError> {
        if let [only] = self.members.as_slice() {
            return only.source.blocks(heights).await;
        }
        let hashes = self.block_hashes(heights.clone()).await?;
        let hashes: Vec<Hash256> = hashes
            .into_iter()
            .collect::<Option<_>>()
            .ok_or(SourceError::Moved("blocks"))?;
        let mut candidates = self.order(self.next_turn()).into_iter();
        let mut asked = FuturesUnordered::new();
        let (mut open, mut slow): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        let mut last = self.no_quorum();
        loop {
            if let Some(index) = candidates.next() {
                open.push(index);
                asked.push(self.fetch_from(index, heights.clone(), &hashes));
            }
            let others = candidates.len() > 0;
            let patience = async {
                if !others {
                    future::pending::<()>().await;
                }
                sleep(self.terms.patience).await;
            };
            tokio::select! {
                answer = asked.next() => match answer {
                    None => return Err(last),
                    Some((index, Ok(blocks))) => {
                        slow.retain(|late| *late != index);
                        for late in slow {
                            let err = SourceError::Slow(self.terms.patience);
                            self.members[late].faulted(&err, &self.metrics);
                        }
                        return Ok(blocks);
                    }
                    Some((index, Err(err))) => {
                        open.retain(|other| *other != index);
                        slow.retain(|late| *late != index);
                        self.members[index].faulted(&err, &self.metrics);
                        last = err;
                    }
                },
                () = patience => slow.clone_from(&open),
            }
        }
    }

    /// Blocks from one member, when they are those that were agreed on.
    async fn fetch_from(
        &self,
        index: usize,
        heights: RangeInclusive<u32>,
        hashes: &[Hash256],
    ) -> (usize, Result<Vec<Vec<u8>>, SourceError>) {
        let source = &self.members[index].source;
        let answer = async {
            let blocks = source.blocks(heights.clone()).await?;
            check(*heights.start(), blocks, hashes.to_vec()).await
        };
        (index, answer.await)
    }
}

/// Whether blocks are whole, and those that were asked for. Gives them back.
async fn check(
    from: u32,
    blocks: Vec<Vec<u8>>,
    hashes: Vec<Hash256>,
) -> Result<Vec<Vec<u8>>, SourceError> {
    if blocks.len() != hashes.len() {
        return Err(SourceError::Malformed {
            method: "getblock",
            problem: format!("{} blocks instead of {}", blocks.len(), hashes.len()),
        });
    }
    let checking = tokio::task::spawn_blocking(move || {
        let mut checked = Vec::with_capacity(blocks.len());
        for ((height, wanted), raw) in (from..).zip(hashes).zip(blocks) {
            let block =
                CheckedBlock::check(raw).map_err(|fault| SourceError::Garbled { height, fault })?;
            let found = block.hash();
            if found != wanted {
                return Err(SourceError::OtherBlock {
                    height,
                    wanted,
                    found,
                });
            }
            checked.push(block.into_raw());
        }
        Ok(checked)
    });
    checking.await.map_err(SourceError::Work)?
}
