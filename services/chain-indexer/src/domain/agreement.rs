//! What several daemons agree on: the highest block that enough of them have.
//!
//! Agreement only ever grows downwards: daemons that have the same block have all blocks before it in common. So the search
//! begins where enough daemons reach at all, and goes down until enough of them name one block.

use std::ops::RangeInclusive;

use fluxplane_flux_chain::{Hash256, params::MAX_REORG_LENGTH};

use crate::domain::Tip;

/// Blocks below the highest common height that are compared. Daemons that part deeper cannot be followed anyway: what they
/// disagree on is final.
const SEARCHED: u32 = MAX_REORG_LENGTH + 8;

/// A block that enough daemons have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    pub block: Tip,
    /// Which of them, by their place in the question.
    pub members: Vec<usize>,
}

/// A daemon, and what it said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    pub name: String,
    /// Its last block, since it ever answered.
    pub tip: Option<Tip>,
    /// Whether it answered the last look.
    pub answered: bool,
    /// Whether its blocks are those that are believed, as far as it has them.
    pub agrees: bool,
    /// Why it cannot be asked or is not believed; empty when all is well.
    pub problem: String,
}

/// The highest height that `needed` daemons reach. `None` when there are fewer daemons.
pub fn ceiling(tips: impl IntoIterator<Item = Tip>, needed: usize) -> Option<u32> {
    let mut heights: Vec<u32> = tips.into_iter().map(|tip| tip.height).collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    heights.get(needed.checked_sub(1)?).copied()
}

/// Heights to compare when daemons do not agree at `ceiling`.
pub fn below(ceiling: u32) -> Option<RangeInclusive<u32>> {
    let highest = ceiling.checked_sub(1)?;
    Some(ceiling.saturating_sub(SEARCHED)..=highest)
}

/// The highest block of the range that `needed` daemons have. `chains` holds what each of them said, height by height from the
/// start of the range; `None` where it has no block or gave no answer.
pub fn highest(
    heights: &RangeInclusive<u32>,
    chains: &[Vec<Option<Hash256>>],
    needed: usize,
) -> Option<Agreement> {
    heights
        .clone()
        .enumerate()
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .find_map(|(index, height)| {
            let votes: Vec<Option<Hash256>> = chains
                .iter()
                .map(|chain| chain.get(index).copied().flatten())
                .collect();
            let hash = elected(votes.iter().copied(), needed)?;
            let members = (0..votes.len())
                .filter(|member| votes[*member] == Some(hash))
                .collect();
            Some(Agreement {
                block: Tip { height, hash },
                members,
            })
        })
}

/// The hash with at least `needed` votes; of several, which only a quorum below a majority allows, the one with the most.
pub fn elected(votes: impl IntoIterator<Item = Option<Hash256>>, needed: usize) -> Option<Hash256> {
    let mut counts: Vec<(Hash256, usize)> = Vec::new();
    for hash in votes.into_iter().flatten() {
        match counts.iter_mut().find(|(counted, _)| *counted == hash) {
            Some((_, count)) => *count += 1,
            None => counts.push((hash, 1)),
        }
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count >= needed)
        .max_by_key(|(_, count)| *count)
        .map(|(hash, _)| hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(height: u32, branch: u8) -> Hash256 {
        let mut wire = [branch; 32];
        wire[..4].copy_from_slice(&height.to_le_bytes());
        Hash256::from_wire(wire)
    }

    /// A chain that leaves the main branch after `fork` and ends at `height`.
    #[derive(Debug, Clone, Copy)]
    struct Chain {
        fork: u32,
        height: u32,
        branch: u8,
    }

    impl Chain {
        fn at(&self, height: u32) -> Option<Hash256> {
            let branch = if height > self.fork { self.branch } else { 0 };
            (height <= self.height).then(|| hash(height, branch))
        }

        fn tip(&self) -> Tip {
            Tip {
                height: self.height,
                hash: self.at(self.height).unwrap(),
            }
        }
    }

    /// As the sources are asked: at the ceiling first, then below it.
    fn agree(chains: &[Chain], needed: usize) -> Option<Agreement> {
        let top = ceiling(chains.iter().map(Chain::tip), needed)?;
        let ask = |heights: RangeInclusive<u32>| {
            let said: Vec<Vec<_>> = chains
                .iter()
                .map(|chain| heights.clone().map(|height| chain.at(height)).collect())
                .collect();
            highest(&heights, &said, needed)
        };
        ask(top..=top).or_else(|| ask(below(top)?))
    }

    #[test]
    fn the_majority_is_believed_and_the_one_that_disagrees_is_left_out() {
        let honest = Chain {
            fork: 200,
            height: 100,
            branch: 0,
        };
        let ahead = Chain {
            height: 101,
            ..honest
        };
        let liar = Chain {
            fork: 90,
            height: 130,
            branch: 7,
        };
        let found = agree(&[honest, liar, ahead], 2).unwrap();
        assert_eq!((found.block.height, found.members), (100, vec![0, 2]));
        // Two daemons on two branches agree on what they have in common, and on no more.
        let found = agree(&[honest, liar], 2).unwrap();
        assert_eq!((found.block.height, found.members), (90, vec![0, 1]));
        // One that is far behind holds two others up only when all three must agree.
        let syncing = Chain {
            height: 3,
            ..honest
        };
        assert_eq!(
            agree(&[honest, syncing, ahead], 2).unwrap().block.height,
            100
        );
        assert_eq!(agree(&[honest, syncing, ahead], 3).unwrap().block.height, 3);
        assert_eq!(agree(&[honest], 2), None);
    }

    #[test]
    fn daemons_that_part_deeper_than_what_is_final_agree_on_nothing() {
        let chain = |branch| Chain {
            fork: 900,
            height: 1_000,
            branch,
        };
        assert_eq!(agree(&[chain(0), chain(1), chain(2)], 2), None);
    }

    #[test]
    fn one_daemon_is_its_own_majority() {
        let only = Chain {
            fork: 0,
            height: 5,
            branch: 3,
        };
        assert_eq!(agree(&[only], 1).unwrap().block, only.tip());
    }

    proptest! {
        #[test]
        fn no_block_without_enough_daemons_is_believed_and_the_highest_with_enough_is(
            chains in proptest::collection::vec((80_u32..120, 100_u32..120, 0_u8..3), 1..6),
            needed in 1_usize..5,
        ) {
            let chains: Vec<Chain> = chains
                .into_iter()
                .map(|(fork, height, branch)| Chain { fork, height, branch })
                .collect();
            let most = (0..120_u32).rev().find(|height| {
                elected(chains.iter().map(|chain| chain.at(*height)), needed).is_some()
            });
            let found = agree(&chains, needed);
            prop_assert_eq!(found.as_ref().map(|found| found.block.height), most);
            if let Some(found) = found {
                prop_assert!(found.members.len() >= needed);
                for member in found.members {
                    prop_assert_eq!(chains[member].at(found.block.height), Some(found.block.hash));
                }
            }
        }
    }
}
