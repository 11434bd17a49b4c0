//! Where two chains part, found with few questions: what they share is a beginning, so half of the candidates fall at each answer.

use super::BlockRef;

/// A search among the blocks we keep.
#[derive(Debug, Clone)]
pub struct ForkSearch {
    kept: Vec<BlockRef>,
    /// Blocks before this one are shared.
    shared: usize,
    /// From this one on they are not.
    parted: usize,
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    /// The last shared block.
    At(BlockRef),
    /// None of the blocks we keep is shared.
    Below,
}

impl ForkSearch {
    /// Among `kept`, ascending, of which a node at `head` can share those that are not above it.
    pub fn new(kept: Vec<BlockRef>, head: u64) -> Self {
        let parted = kept.partition_point(|block| block.height <= head);
        Self {
            kept,
            shared: 0,
            parted,
        }
    }

    /// The block to ask about next; `None` when the answer is found.
    pub fn question(&self) -> Option<BlockRef> {
        if self.shared == self.parted {
            return None;
        }
        self.kept.get(self.middle()).copied()
    }

    /// The node has the block of the last question, or another one there.
    pub fn answer(&mut self, shared: bool) {
        let middle = self.middle();
        if shared {
            self.shared = middle + 1;
        } else {
            self.parted = middle;
        }
    }

    const fn middle(&self) -> usize {
        self.shared + (self.parted - self.shared) / 2
    }

    pub fn found(&self) -> Fork {
        self.shared
            .checked_sub(1)
            .and_then(|last| self.kept.get(last))
            .map_or(Fork::Below, |block| Fork::At(*block))
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;
    use proptest::prelude::*;

    use super::*;

    fn chain(heights: std::ops::Range<u64>) -> Vec<BlockRef> {
        heights
            .map(|height| BlockRef {
                height,
                hash: B256::with_last_byte(u8::try_from(height % 256).unwrap()),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn the_last_shared_block_is_found_in_few_questions(
            first in 0_u64..100, length in 0_u64..2_000, shared in 0_u64..2_000, head in 0_u64..2_200,
        ) {
            let kept = chain(first..first + length);
            let mut search = ForkSearch::new(kept.clone(), head);
            let mut questions = 0;
            while let Some(block) = search.question() {
                prop_assert!(block.height <= head);
                search.answer(block.height < first + shared);
                questions += 1;
                prop_assert!(questions <= 12);
            }
            let last = kept.into_iter().rfind(|block| block.height < first + shared && block.height <= head);
            prop_assert_eq!(search.found(), last.map_or(Fork::Below, Fork::At));
        }
    }
}
