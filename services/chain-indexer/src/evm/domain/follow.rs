//! How a node's chain stands to what is indexed.

use alloy_primitives::B256;

use super::BlockRef;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It ends where we do.
    Level,
    /// It goes on after our last block.
    Ahead,
    /// It ends before our last block, as far as can be told on our chain.
    Behind,
    /// It parts from ours.
    Diverged,
    /// It names a height and has no block there.
    Unsettled,
}

/// Compares. `theirs` is the node's block at the lower of both heights, `ours_there` what we know to be there.
pub fn relate(
    ours: BlockRef,
    head: u64,
    theirs: Option<B256>,
    ours_there: Option<B256>,
) -> Relation {
    match (theirs, ours_there) {
        (None, _) => Relation::Unsettled,
        (Some(theirs), Some(ours)) if theirs != ours => Relation::Diverged,
        // Of blocks long final no hash is kept.
        (Some(_), _) if head < ours.height => Relation::Behind,
        (Some(_), _) if head == ours.height => Relation::Level,
        (Some(_), _) => Relation::Ahead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relation_follows_from_the_block_both_could_have() {
        let hash = B256::repeat_byte;
        let ours = BlockRef {
            height: 10,
            hash: hash(10),
        };
        for (head, theirs, there, expected) in [
            (10, Some(hash(10)), Some(hash(10)), Relation::Level),
            (12, Some(hash(10)), Some(hash(10)), Relation::Ahead),
            (12, Some(hash(99)), Some(hash(10)), Relation::Diverged),
            (10, Some(hash(99)), Some(hash(10)), Relation::Diverged),
            (8, Some(hash(8)), Some(hash(8)), Relation::Behind),
            (8, Some(hash(99)), Some(hash(8)), Relation::Diverged),
            (1, Some(hash(1)), None, Relation::Behind),
            (12, None, Some(hash(10)), Relation::Unsettled),
        ] {
            assert_eq!(
                relate(ours, head, theirs, there),
                expected,
                "head {head}, {theirs:?}"
            );
        }
    }
}
