//! The nodes of one class in order of free volume, cut into blocks that know the largest and smallest free amounts
//! inside. A search for the fullest node that still fits skips a block of nodes that are too full with one
//! comparison; a count of nodes that lack memory skips blocks in which none or all do. Where a block must be looked
//! into, the free amounts lie side by side and are compared without branches.

mod block;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use self::block::{Block, FULL};
use super::intern::{at, index};

/// Neighbours that together hold no more than this are merged, so that churn does not leave crumbs.
const CRUMBS: usize = FULL / 2;

/// Free amounts: cpu (milli), memory (MiB), disk (GiB).
pub(crate) type Amounts = [u32; 3];

/// Whether `have` suffices in every dimension.
pub(crate) fn covers(have: Amounts, need: Amounts) -> bool {
    have[0] >= need[0] && have[1] >= need[1] && have[2] >= need[2]
}

/// The first dimension in which `have` does not suffice.
pub(crate) fn shortage(have: Amounts, need: Amounts) -> Option<usize> {
    (0..3).find(|dimension| have[*dimension] < need[*dimension])
}

/// A place in the order: free volume, then salt.
pub(crate) type OrderKey = (u64, u128);

/// A node that takes new work, with what a search needs to know about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Free volume ([`super::volume`]).
    pub volume: u64,
    /// A fixed random-looking number, unique to the node.
    pub salt: u128,
    pub node: u32,
    pub operator: u32,
    pub network: u32,
    pub region: u32,
    pub static_ip: bool,
}

impl Entry {
    fn key(&self) -> OrderKey {
        (self.volume, self.salt)
    }
}

/// How many nodes are ruled out: for a changing address, then for each dimension. Each is counted for the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shortages {
    pub not_static: u32,
    pub lacking: [u32; 3],
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Blocks {
    blocks: Vec<Block>,
    len: usize,
}

/// A position in the order. `offset` may be one past the end of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    block: usize,
    offset: usize,
}

impl Blocks {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn insert(&mut self, entry: Entry, free: Amounts) {
        self.len += 1;
        let Some(last) = self.blocks.len().checked_sub(1) else {
            self.blocks.push(Block::new(entry, free));
            return;
        };
        let mut position = self.block_of(entry.key()).min(last);
        if self.blocks[position].len() == FULL {
            let upper = self.blocks[position].split();
            self.blocks.insert(position + 1, upper);
            if self.blocks[position].last() < entry.key() {
                position += 1;
            }
        }
        self.blocks[position].insert(entry, free);
    }

    /// Takes out the entry of a node; its volume and salt must be the ones it was inserted with.
    pub(crate) fn remove(&mut self, volume: u64, salt: u128) {
        let key = (volume, salt);
        let position = self.block_of(key);
        let block = &mut self.blocks[position];
        block.remove(key);
        self.len -= 1;
        let own = block.len();
        let size = |at: usize| self.blocks.get(at).map_or(FULL, Block::len);
        if own == 0 {
            self.blocks.remove(position);
        } else if own + size(position + 1) <= CRUMBS {
            self.merge(position);
        } else if position > 0 && own + size(position - 1) <= CRUMBS {
            self.merge(position - 1);
        }
    }

    /// Appends the block after `position` to the one at `position`.
    fn merge(&mut self, position: usize) {
        let next = self.blocks.remove(position + 1);
        self.blocks[position].append(&next);
    }

    /// The smallest free volume of the class; `None` when it is empty.
    pub(crate) fn smallest_volume(&self) -> Option<u64> {
        self.blocks.first().map(|block| block.first().0)
    }

    /// Every node with its free amounts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Entry, Amounts)> {
        self.blocks.iter().flat_map(Block::iter)
    }

    /// The first block that may hold the key.
    fn block_of(&self, key: OrderKey) -> usize {
        self.blocks.partition_point(|block| block.last() < key)
    }

    /// The first position whose key is not below `key`.
    fn seek(&self, key: OrderKey) -> Position {
        let block = self.block_of(key);
        let offset = self
            .blocks
            .get(block)
            .map_or(0, |block| block.offset_of(key));
        Position { block, offset }
    }

    /// Visits the nodes that have `need`, in order of free volume; nodes of equal volume in order of their distance
    /// from `start` on the circle of salts, so that another start favours other nodes.
    pub(crate) fn walk<V: Visitor>(&self, need: Amounts, start: u128, visitor: &mut V) {
        let mut from = Position {
            block: 0,
            offset: 0,
        };
        while let Some(block) = self.blocks.get(from.block) {
            let mut fitting = block.fitting(need) & from_offset(from.offset);
            from = loop {
                let next_block = Position {
                    block: from.block + 1,
                    offset: 0,
                };
                if fitting == 0 {
                    break next_block;
                }
                let offset = at(fitting.trailing_zeros());
                let first = &block.entries()[offset];
                if !visitor.worth(first.volume) {
                    return;
                }
                let second = match block.entries().get(offset + 1) {
                    Some(entry) => Some(entry.volume),
                    None => self.blocks.get(from.block + 1).map(|next| next.first().0),
                };
                if second != Some(first.volume) {
                    if visitor.visit(first).is_break() {
                        return;
                    }
                    fitting &= fitting - 1;
                    continue;
                }
                // A run of equal volumes, without those at its head that do not fit.
                let head = Position { offset, ..from };
                let end = self.seek((first.volume + 1, 0));
                let middle = self.seek((first.volume, start)).clamp(head, end);
                let walked = self.visit_range(middle, end, need, visitor).is_break()
                    || self.visit_range(head, middle, need, visitor).is_break();
                if walked {
                    return;
                }
                if end.block != from.block {
                    break end;
                }
                fitting &= from_offset(end.offset);
            };
        }
    }

    fn visit_range<V: Visitor>(
        &self,
        from: Position,
        to: Position,
        need: Amounts,
        visitor: &mut V,
    ) -> ControlFlow<()> {
        let last = (to.block + 1).min(self.blocks.len());
        let blocks = self.blocks.get(from.block..last).unwrap_or_default();
        for (position, block) in (from.block..).zip(blocks) {
            let mut fitting = block.fitting(need);
            if position == from.block {
                fitting &= from_offset(from.offset);
            }
            if position == to.block {
                fitting &= !from_offset(to.offset);
            }
            while fitting != 0 {
                visitor.visit(&block.entries()[at(fitting.trailing_zeros())])?;
                fitting &= fitting - 1;
            }
        }
        ControlFlow::Continue(())
    }

    /// How many nodes of the class are ruled out by a changing address, when a static one is wanted, or lack what.
    pub(crate) fn shortages(&self, need: Amounts, static_wanted: bool) -> Shortages {
        let mut total = Shortages::default();
        for block in &self.blocks {
            block.add_shortages(need, static_wanted, &mut total);
        }
        total
    }
}

/// The bits at `offset` and above.
fn from_offset(offset: usize) -> u64 {
    u64::MAX.checked_shl(index(offset)).unwrap_or(0)
}

/// Receives the nodes of a walk.
pub(crate) trait Visitor {
    /// Whether nodes of this volume or more can still matter.
    fn worth(&self, volume: u64) -> bool;

    /// Takes a node that has what is needed; `Break` when no later node of the walk can matter.
    fn visit(&mut self, entry: &Entry) -> ControlFlow<()>;
}
