//! Where two chains part, and how far back we go for it.
//!
//! Depth is counted from the highest block we ever applied, not from the tip: otherwise a second reorganisation in the middle of
//! the first could take back what 40 confirmations made final.

use fluxplane_flux_chain::{Hash256, params::MAX_REORG_LENGTH};

use crate::domain::Tip;

/// Blocks whose undo records are kept. More than can be undone, so that a mistake by some blocks can still be mended by hand.
pub const UNDO_BLOCKS: u32 = 48;

const _: () = assert!(UNDO_BLOCKS >= MAX_REORG_LENGTH, "undo what may be undone");

/// Why the chain is not followed on until a person looked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    #[error(
        "the daemon's chain leaves ours {MAX_REORG_LENGTH} blocks or more below height {peak}: our tip is {ours}, the \
         daemon's is {theirs}. Blocks that deep are final. Find out which chain is right; if it is the daemon's, start the \
         indexer with an empty schema"
    )]
    TooDeep { peak: u32, ours: Tip, theirs: Tip },
    #[error(
        "block {height} cannot be applied: {refusal}. Either the daemon is not what it should be or a rule is missing here; \
         compare the daemon with another one"
    )]
    Refused { height: u32, refusal: String },
    #[error(
        "the record that takes back block {height} is missing: the database was changed by hand. Start the indexer with an \
         empty schema"
    )]
    NoUndo { height: u32 },
}

/// Heights at which the fork may lie: the lowest that leaves every final block alone, to the last that both chains have.
/// `None` when there are none.
pub fn search_range(peak: u32, ours: Tip, theirs: Tip) -> Option<std::ops::RangeInclusive<u32>> {
    let lowest = peak.saturating_sub(MAX_REORG_LENGTH - 1);
    let highest = ours.height.min(theirs.height);
    (lowest <= highest).then_some(lowest..=highest)
}

/// The last block both chains have, looked for in the blocks of the searched range.
pub fn find(
    peak: u32,
    ours: Tip,
    theirs: Tip,
    our_blocks: &[Tip],
    their_block_at: impl Fn(u32) -> Option<Hash256>,
) -> Result<Tip, Halt> {
    let range = search_range(peak, ours, theirs);
    our_blocks
        .iter()
        .filter(|block| {
            range
                .as_ref()
                .is_some_and(|range| range.contains(&block.height))
        })
        .filter(|block| their_block_at(block.height) == Some(block.hash))
        .max_by_key(|block| block.height)
        .copied()
        .ok_or(Halt::TooDeep { peak, ours, theirs })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A chain that leaves the main branch after `fork` and ends at `height`.
    fn chain(fork: u32, height: u32, branch: u8) -> Vec<Tip> {
        (0..=height)
            .map(|at| {
                let mut wire = [if at > fork { branch } else { 0 }; 32];
                wire[..4].copy_from_slice(&at.to_le_bytes());
                let hash = Hash256::from_wire(wire);
                Tip { height: at, hash }
            })
            .collect()
    }

    fn fork_of(ours: &[Tip], theirs: &[Tip], peak: u32) -> Result<u32, Halt> {
        let end = |chain: &[Tip]| *chain.last().unwrap();
        let at = |height| {
            let index = usize::try_from(height).unwrap();
            theirs.get(index).map(|block: &Tip| block.hash)
        };
        find(peak, end(ours), end(theirs), ours, at).map(|tip| tip.height)
    }

    #[test]
    fn thirty_nine_blocks_are_undone_and_forty_are_not() {
        let ours = chain(200, 100, 0);
        assert_eq!(fork_of(&ours, &chain(61, 101, 1), 100), Ok(61));
        assert!(matches!(
            fork_of(&ours, &chain(60, 101, 1), 100),
            Err(Halt::TooDeep { peak: 100, .. })
        ));
    }

    #[test]
    fn depth_counts_from_the_highest_block_ever() {
        // 30 blocks of 100 were undone already; 15 more would make 45.
        let ours = chain(200, 70, 0);
        assert_eq!(fork_of(&ours, &chain(61, 101, 1), 100), Ok(61));
        assert!(fork_of(&ours, &chain(55, 101, 1), 100).is_err());
    }

    #[test]
    fn a_daemon_that_lost_its_chain_halts_us() {
        let ours = chain(200, 100, 0);
        assert!(fork_of(&ours, &chain(10, 20, 1), 100).is_err());
    }

    proptest! {
        #[test]
        fn the_fork_is_the_last_common_block(
            height in 1_u32..120, back in 1_u32..60, longer in 0_u32..70, risen in 0_u32..50,
        ) {
            let fork = height.saturating_sub(back);
            let peak = height + risen;
            let ours = chain(1_000, height, 0);
            let theirs = chain(fork, fork + 1 + longer, 1);
            let found = fork_of(&ours, &theirs, peak);
            if peak - fork < MAX_REORG_LENGTH {
                prop_assert_eq!(found, Ok(fork));
            } else {
                prop_assert!(found.is_err());
            }
        }
    }
}
