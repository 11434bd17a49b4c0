//! The Merkle tree of RFC 6962, section 2.1, over encoded leaves, with SHA-256.
//!
//! ```text
//! hash of a leaf   SHA-256( 0x00 ‖ leaf )
//! hash of a node   SHA-256( 0x01 ‖ left ‖ right )
//! shape            the left subtree of n leaves holds the largest power of two below n
//! ```
//!
//! Roots are computed by a stack of perfect subtrees, in one pass and little memory. Paths and their checks come from
//! the `ct-merkle` crate, whose tree recomputes a whole path per leaf and so is too slow to build a large one; the tree
//! kept here has the layout that crate asks for. No type of it appears outside this module and [`super::proof`].

use ct_merkle::indices_for_inclusion_proof;
use sha2::{Digest, Sha256};

use super::{hash::Hash32, proof::Proof};

/// What identifies a tree: its root, and how many leaves it has. Both are anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHead {
    pub root: Hash32,
    /// Number of leaves, the header included.
    pub count: u32,
}

/// More leaves than an anchor can count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree has more than 4294967295 leaves; close the epoch earlier")]
pub struct TooManyLeaves;

/// Hash of a leaf.
pub fn leaf_hash(leaf: &[u8]) -> Hash32 {
    let mut hasher = Sha256::new_with_prefix([0x00]);
    hasher.update(leaf);
    Hash32(hasher.finalize().into())
}

/// Hash of a node.
pub fn node_hash(left: &Hash32, right: &Hash32) -> Hash32 {
    let mut message = [0x01; 65];
    message[1..33].copy_from_slice(&left.0);
    message[33..].copy_from_slice(&right.0);
    Hash32(Sha256::digest(message).into())
}

/// Computes the head of a tree leaf by leaf.
#[derive(Debug, Clone, Default)]
pub struct HeadBuilder {
    /// Roots of perfect subtrees, larger ones first; their sizes are the bits of `count`.
    subtrees: Vec<Hash32>,
    count: u32,
}

impl HeadBuilder {
    pub fn push(&mut self, leaf: &[u8]) -> Result<(), TooManyLeaves> {
        self.push_hash(leaf_hash(leaf))
    }

    /// Adds a leaf by its hash.
    pub fn push_hash(&mut self, leaf: Hash32) -> Result<(), TooManyLeaves> {
        let merges = self.count.trailing_ones();
        self.count = self.count.checked_add(1).ok_or(TooManyLeaves)?;
        let mut hash = leaf;
        for _ in 0..merges {
            let left = self.subtrees.pop().expect("a subtree per bit of the count");
            hash = node_hash(&left, &hash);
        }
        self.subtrees.push(hash);
        Ok(())
    }

    /// The head. The root of no leaves is the hash of nothing.
    pub fn finish(&self) -> TreeHead {
        let mut subtrees = self.subtrees.iter().rev().copied();
        let root = match subtrees.next() {
            None => Hash32(Sha256::digest([]).into()),
            Some(smallest) => subtrees.fold(smallest, |right, left| node_hash(&left, &right)),
        };
        TreeHead {
            root,
            count: self.count,
        }
    }
}

/// A tree kept whole, to prove its leaves. 64 bytes per leaf.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Array-based as in RFC 9420, appendix C: leaf `i` at `2i`, the root of the leaves `s` to `s + 2^k` at
    /// `2s + 2^k - 1`.
    nodes: Vec<Hash32>,
    head: TreeHead,
}

impl Tree {
    pub fn new(leaves: impl IntoIterator<Item = Hash32>) -> Result<Self, TooManyLeaves> {
        let mut builder = HeadBuilder::default();
        let mut nodes: Vec<Hash32> = Vec::new();
        // First leaf, number of leaves and root of every perfect subtree, larger ones first.
        let mut open: Vec<(usize, usize, Hash32)> = Vec::new();
        for (position, leaf) in leaves.into_iter().enumerate() {
            if position > 0 {
                nodes.push(Hash32::ZERO);
            }
            nodes.push(leaf);
            builder.count = builder.count.checked_add(1).ok_or(TooManyLeaves)?;
            let (mut first, mut size, mut hash) = (position, 1, leaf);
            while let Some((left_first, left_size, left)) = open.last().copied()
                && left_size == size
            {
                open.pop();
                hash = node_hash(&left, &hash);
                (first, size) = (left_first, size * 2);
                nodes[2 * first + size - 1] = hash;
            }
            open.push((first, size, hash));
        }
        // What is not perfect hangs on the right edge.
        let mut right = open.pop().map(|(.., hash)| hash);
        while let (Some(hash), Some((first, size, left))) = (right, open.pop()) {
            let parent = node_hash(&left, &hash);
            nodes[2 * first + 2 * size - 1] = parent;
            right = Some(parent);
        }
        let root = right.unwrap_or_else(|| builder.finish().root);
        let head = TreeHead {
            root,
            count: builder.count,
        };
        Ok(Self { nodes, head })
    }

    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// Proof that leaf `index` is in the tree; `None` when there is no such leaf.
    pub fn prove(&self, index: u32) -> Option<Proof> {
        let size = self.head.count;
        if index >= size {
            return None;
        }
        let path = indices_for_inclusion_proof(u64::from(size), u64::from(index));
        let node = |position: u64| {
            let position = usize::try_from(position).expect("positions of a tree in memory");
            self.nodes[position]
        };
        Some(Proof {
            index,
            size,
            path: path.into_iter().map(node).collect(),
        })
    }
}
