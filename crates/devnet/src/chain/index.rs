//! Every block ever accepted, on the best chain or beside it, and which of them are leaves.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use fluxplane_flux_chain::{Block, ChainParams, Hash256, Header, encode::Reader, pon::pon_hash_of};

/// Work of one proof-of-node block, whatever its difficulty (fluxd `GetBlockProof`).
const PON_WORK: u128 = 1 << 40;

/// Work of the genesis block: 2^256 divided by its target (bits 200f0f0f) plus one.
const GENESIS_WORK: u128 = 0x11;

/// How far a block got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockStatus {
    /// Its header and what can be checked without the chain are valid.
    Stored,
    /// Was on the best chain at some time, so all of it is valid.
    Validated,
    /// It, or a block below it, breaks a rule or was invalidated by hand.
    Invalid,
}

/// An accepted block.
#[derive(Debug, Clone)]
pub(crate) struct BlockEntry {
    pub(crate) hash: Hash256,
    pub(crate) height: u32,
    pub(crate) previous: Hash256,
    pub(crate) version: i32,
    pub(crate) time: u32,
    pub(crate) bits: u32,
    pub(crate) raw: Arc<[u8]>,
    pub(crate) txids: Arc<[Hash256]>,
    pub(crate) status: BlockStatus,
    /// The lot of the producing node; among equal work the lower wins.
    lot: Option<Hash256>,
    /// Order of arrival.
    pub(crate) sequence: u64,
}

impl BlockEntry {
    /// Work of the chain up to this block.
    pub(crate) fn chain_work(&self) -> u128 {
        GENESIS_WORK + u128::from(self.height) * PON_WORK
    }

    pub(crate) fn parse(&self) -> Block<'_> {
        Block::parse(&self.raw).expect("only blocks that parse are accepted")
    }

    pub(crate) fn header(&self) -> Header<'_> {
        Header::read(&mut Reader::new(&self.raw)).expect("only blocks that parse are accepted")
    }

    /// Whether this tip is better than another: more work, then the lower lot, then the earlier arrival (fluxd
    /// `CBlockIndexWorkComparator`).
    pub(crate) fn beats(&self, other: &Self) -> bool {
        let by_work = self.chain_work().cmp(&other.chain_work());
        let by_lot = match (&self.lot, &other.lot) {
            (Some(ours), Some(theirs)) => as_number(theirs).cmp(&as_number(ours)),
            (None, _) | (_, None) => std::cmp::Ordering::Equal,
        };
        let by_arrival = other.sequence.cmp(&self.sequence);
        by_work.then(by_lot).then(by_arrival).is_gt()
    }
}

/// A hash as the number lots are compared by: the last byte on the wire counts most.
fn as_number(hash: &Hash256) -> [u8; 32] {
    let mut bytes = *hash.as_wire();
    bytes.reverse();
    bytes
}

/// The tree of blocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockIndex {
    entries: HashMap<Hash256, BlockEntry>,
    leaves: HashSet<Hash256>,
    next_sequence: u64,
    bytes: u64,
}

impl BlockIndex {
    pub(crate) fn get(&self, hash: &Hash256) -> Option<&BlockEntry> {
        self.entries.get(hash)
    }

    /// A block that is known to be in the tree.
    pub(crate) fn known(&self, hash: &Hash256) -> &BlockEntry {
        self.entries
            .get(hash)
            .expect("parents and tips are in the tree")
    }

    /// Blocks in the order they arrived.
    pub(crate) fn by_arrival(&self) -> Vec<&BlockEntry> {
        let mut all: Vec<&BlockEntry> = self.entries.values().collect();
        all.sort_by_key(|entry| entry.sequence);
        all
    }

    /// Blocks nothing was built on.
    pub(crate) fn leaves(&self) -> impl Iterator<Item = &BlockEntry> {
        self.leaves.iter().map(|hash| self.known(hash))
    }

    /// Bytes of all blocks.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a block whose parent is in the tree, or the genesis block.
    pub(crate) fn insert(
        &mut self,
        params: &ChainParams,
        raw: &Arc<[u8]>,
        height: u32,
        txids: Vec<Hash256>,
        status: BlockStatus,
    ) -> Hash256 {
        let block = Block::parse(raw).expect("the caller parsed the block");
        let header = &block.header;
        let hash = header.hash();
        let entry = BlockEntry {
            hash,
            height,
            previous: header.previous,
            version: header.version,
            time: header.time,
            bits: header.bits,
            txids: txids.into(),
            status,
            lot: pon_hash_of(params, header),
            sequence: self.next_sequence,
            raw: Arc::clone(raw),
        };
        self.next_sequence += 1;
        self.bytes += u64::try_from(raw.len()).unwrap_or(u64::MAX);
        self.leaves.remove(&entry.previous);
        self.leaves.insert(hash);
        self.entries.insert(hash, entry);
        hash
    }

    pub(crate) fn set_status(&mut self, hash: &Hash256, status: BlockStatus) {
        if let Some(entry) = self.entries.get_mut(hash) {
            entry.status = status;
        }
    }

    /// The hashes from a block down to, and without, an ancestor at a height.
    pub(crate) fn path_down_to(&self, from: Hash256, height: u32) -> Vec<Hash256> {
        let mut path = Vec::new();
        let mut at = self.known(&from);
        while at.height > height {
            path.push(at.hash);
            at = self.known(&at.previous);
        }
        path
    }

    /// A block and everything built on it.
    pub(crate) fn with_descendants(&self, root: &BlockEntry) -> HashSet<Hash256> {
        let mut family = HashSet::from([root.hash]);
        for leaf in self.leaves() {
            let mut path = self.path_down_to(leaf.hash, root.height);
            let base = path
                .last()
                .map_or(leaf.hash, |lowest| self.known(lowest).previous);
            if base == root.hash {
                family.extend(path.drain(..));
            }
        }
        family
    }

    /// A tree of these blocks alone; they must be a chain from the genesis block on.
    pub(super) fn restricted_to(&self, chain: &[Hash256]) -> Self {
        Self {
            entries: chain
                .iter()
                .map(|hash| (*hash, self.known(hash).clone()))
                .collect(),
            leaves: chain.last().copied().into_iter().collect(),
            next_sequence: self.next_sequence,
            bytes: 0,
        }
    }

    /// The best block that is not invalid and has no invalid block below it.
    pub(crate) fn best(&self) -> &BlockEntry {
        self.leaves()
            .map(|leaf| {
                let mut at = leaf;
                while at.status == BlockStatus::Invalid {
                    at = self.known(&at.previous);
                }
                at
            })
            .reduce(|best, other| if other.beats(best) { other } else { best })
            .expect("the genesis block is never invalid")
    }
}
