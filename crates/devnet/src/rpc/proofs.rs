//! Proofs that a transaction is in a block: the header with its signature, and a partial merkle tree (fluxd `src/merkleblock.cpp`).

use std::collections::BTreeSet;

use fluxplane_flux_chain::{
    Hash256,
    encode::{DecodeError, Reader, Sink as _},
    header::Header,
};

use crate::{
    chain::BlockEntry,
    daemon::Daemon,
    rpc::{Answer, Method, Params, RpcError, answer, blocks::find, error::DESERIALIZATION, read},
};

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "gettxoutproof",
            "[\"txid\",...] ( \"blockhash\" )",
            1..=2,
            "A proof that transactions are in a block, in hexadecimal.",
            gettxoutproof,
        ),
        read(
            "verifytxoutproof",
            "\"proof\"",
            1..=1,
            "The transactions a proof commits to; none when it is no proof.",
            verifytxoutproof,
        ),
    ]
}

fn gettxoutproof(daemon: &Daemon, params: &Params) -> Answer {
    let mut wanted = BTreeSet::new();
    for param in params.required(0)?.array()?.iter() {
        let text = param.text()?;
        let txid: Hash256 = text
            .parse()
            .map_err(|_| RpcError::parameter(format!("Invalid txid {text}")))?;
        if !wanted.insert(txid) {
            let text = format!("Invalid parameter, duplicated txid: {text}");
            return Err(RpcError::parameter(text));
        }
    }
    let entry = match params.get(1) {
        Some(hash) => find(daemon, hash)?,
        None => block_of(daemon, &wanted)?,
    };
    let found = entry.txids.iter().filter(|txid| wanted.contains(txid));
    if found.count() != wanted.len() {
        let text = "(Not all) transactions not found in specified block";
        return Err(RpcError::address(text));
    }
    answer(&hex::encode(proof(entry, &wanted)))
}

fn block_of<'d>(
    daemon: &'d Daemon,
    wanted: &BTreeSet<Hash256>,
) -> Result<&'d BlockEntry, RpcError> {
    let place = wanted
        .last()
        .and_then(|txid| daemon.chain.books().place(txid));
    place
        .and_then(|place| daemon.chain.index().get(&place.block))
        .ok_or_else(|| RpcError::address("Transaction not yet in block"))
}

/// A partial merkle tree in the making: one bit for each node that was looked at, and the hashes that cannot be computed from below.
struct Tree<'t> {
    txids: &'t [Hash256],
    wanted: Vec<bool>,
    bits: Vec<bool>,
    hashes: Vec<Hash256>,
}

/// Nodes of a tree over `leaves` at a height above the leaves.
fn width(leaves: usize, height: u32) -> usize {
    leaves.div_ceil(1 << height)
}

fn tree_height(leaves: usize) -> u32 {
    leaves.next_power_of_two().trailing_zeros()
}

fn join(left: &Hash256, right: &Hash256) -> Hash256 {
    let mut both = Vec::with_capacity(64);
    both.put(left.as_wire());
    both.put(right.as_wire());
    Hash256::sha256d(&both)
}

impl Tree<'_> {
    fn hash(&self, height: u32, position: usize) -> Hash256 {
        if height == 0 {
            return self.txids.get(position).copied().unwrap_or_default();
        }
        let left = self.hash(height - 1, position * 2);
        let right = if position * 2 + 1 < width(self.txids.len(), height - 1) {
            self.hash(height - 1, position * 2 + 1)
        } else {
            left
        };
        join(&left, &right)
    }

    fn build(&mut self, height: u32, position: usize) {
        let from = position << height;
        let to = ((position + 1) << height).min(self.wanted.len());
        let parent_of_match = self
            .wanted
            .get(from..to)
            .is_some_and(|leaves| leaves.contains(&true));
        self.bits.push(parent_of_match);
        if height == 0 || !parent_of_match {
            self.hashes.push(self.hash(height, position));
            return;
        }
        self.build(height - 1, position * 2);
        if position * 2 + 1 < width(self.txids.len(), height - 1) {
            self.build(height - 1, position * 2 + 1);
        }
    }
}

fn proof(entry: &BlockEntry, wanted: &BTreeSet<Hash256>) -> Vec<u8> {
    let mut tree = Tree {
        txids: &entry.txids,
        wanted: entry
            .txids
            .iter()
            .map(|txid| wanted.contains(txid))
            .collect(),
        bits: Vec::new(),
        hashes: Vec::new(),
    };
    tree.build(tree_height(entry.txids.len()), 0);
    let mut bytes = entry.header().raw().to_vec();
    bytes.put_u32(u32::try_from(entry.txids.len()).unwrap_or(u32::MAX));
    bytes.put_length(tree.hashes.len());
    for hash in &tree.hashes {
        bytes.put(hash.as_wire());
    }
    let flags: Vec<u8> = tree
        .bits
        .chunks(8)
        .map(|bits| {
            let set = (0..).zip(bits).filter(|(_, bit)| **bit);
            set.fold(0, |byte, (place, _)| byte | (1 << place))
        })
        .collect();
    bytes.put_var_bytes(&flags);
    bytes
}

fn verifytxoutproof(daemon: &Daemon, params: &Params) -> Answer {
    let bytes = params.required(0)?.bytes("proof")?;
    let proof =
        Proof::read(&bytes).map_err(|error| RpcError::new(DESERIALIZATION, error.to_string()))?;
    let Some(matched) = proof.matches() else {
        return answer(&Vec::<Hash256>::new());
    };
    let active = daemon
        .chain
        .index()
        .get(&proof.header.hash())
        .is_some_and(|entry| daemon.chain.is_active(entry));
    if !active {
        return Err(RpcError::address("Block not found in chain"));
    }
    answer(&matched)
}

/// A proof as it was read.
struct Proof<'p> {
    header: Header<'p>,
    leaves: usize,
    hashes: Vec<Hash256>,
    bits: Vec<bool>,
}

impl<'p> Proof<'p> {
    fn read(bytes: &'p [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        let leaves = reader.u32("transactions")?;
        let count = reader.count("hashes", 32)?;
        let hashes = (0..count)
            .map(|_| reader.hash("hash"))
            .collect::<Result<_, _>>()?;
        let flags = reader.var_bytes("flags")?;
        let bits = flags
            .iter()
            .flat_map(|byte| (0..8).map(move |place| byte & (1 << place) != 0))
            .collect();
        Ok(Self {
            header,
            leaves: usize::try_from(leaves).unwrap_or(usize::MAX),
            hashes,
            bits,
        })
    }

    /// The transactions it commits to; `None` when it does not lead to the header's root.
    fn matches(&self) -> Option<Vec<Hash256>> {
        // A tree cannot have more leaves than a block has room for transactions of 60 bytes.
        let plausible = (1..=40_000).contains(&self.leaves) && self.hashes.len() <= self.leaves;
        if !plausible {
            return None;
        }
        let mut walk = Walk {
            leaves: self.leaves,
            hashes: self.hashes.iter(),
            bits: self.bits.iter(),
            matched: Vec::new(),
        };
        let root = walk.extract(tree_height(self.leaves), 0)?;
        let spent = walk.hashes.next().is_none() && walk.bits.all(|bit| !bit);
        (spent && root == self.header.merkle_root).then_some(walk.matched)
    }
}

struct Walk<'w> {
    leaves: usize,
    hashes: std::slice::Iter<'w, Hash256>,
    bits: std::slice::Iter<'w, bool>,
    matched: Vec<Hash256>,
}

impl Walk<'_> {
    fn extract(&mut self, height: u32, position: usize) -> Option<Hash256> {
        let parent_of_match = *self.bits.next()?;
        if height == 0 || !parent_of_match {
            let hash = *self.hashes.next()?;
            if height == 0 && parent_of_match {
                self.matched.push(hash);
            }
            return Some(hash);
        }
        let left = self.extract(height - 1, position * 2)?;
        let right = if position * 2 + 1 < width(self.leaves, height - 1) {
            let right = self.extract(height - 1, position * 2 + 1)?;
            // Equal halves are how a tree is made to claim what it does not hold.
            (right != left).then_some(right)?
        } else {
            left
        };
        Some(join(&left, &right))
    }
}
