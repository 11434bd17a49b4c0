//! A block, checked from its bytes. Pure: what must be known beside them is a parameter, and whatever is missing is reported
//! as not checked, never as passed.
//!
//! | step | what must be known besides the block |
//! |---|---|
//! | `format`, `merkle`, `structure`, `coinbase` | nothing |
//! | `hash` | the hash or height that was asked for, or a checkpoint |
//! | `lot`, `work` | nothing: slot, collateral and parent are in the header |
//! | `parent`, `time`, `bits` | headers before it |
//! | `signature` | the key of the node that produced it |
//! | `inputs`, `amounts` | the outputs that are spent |
//! | `starts`, `confirms` | collateral outputs and keys of the nodes |
//! | `payees` | whose turn it was |
//!
//! Proofs of shielded transfers and Equihash solutions are nobody's business here: a block that has them is never
//! completely verified.

mod body;
mod coinbase;
mod fluxnodes;
mod header;
mod inputs;

use std::collections::{BTreeMap, BTreeSet};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Block, ChainParams, Hash256, OutPoint, PublicKey, ScriptBuf,
    fluxnode::Payee,
    tx::{Fluxnode, Start},
};
use serde::Serialize;

use super::Report;

/// What is known beside the bytes of the block.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The block that was asked for, by hash.
    pub hash: Option<Hash256>,
    /// The block that was asked for, by height.
    pub height: Option<u32>,
    /// The header before.
    pub parent: Option<Ancestor>,
    /// The first header of the window the difficulty looks back over.
    pub window_start: Option<Ancestor>,
    /// Key of the node that produced the block, as the list before the block has it.
    pub producer: Option<PublicKey>,
    /// Outputs that the block spends or starts nodes with.
    pub outputs: BTreeMap<OutPoint, KnownOutput>,
    /// Keys of nodes that confirm themselves in the block.
    pub node_keys: BTreeMap<OutPoint, PublicKey>,
    /// Whom the block must pay, lowest tier first, as the list before the block has it.
    pub payees: Option<Vec<Payee>>,
    /// Unix seconds, for the limit on times in the future.
    pub now: u32,
}

/// A header of an earlier block, as far as the rules look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ancestor {
    pub hash: Hash256,
    pub time: u32,
    pub bits: u32,
}

/// An output of an earlier transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownOutput {
    pub value: Sat,
    pub script: ScriptBuf,
}

/// What somebody who wants to check a block has to find out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub parent: Option<Hash256>,
    /// Height of the first block of the difficulty window.
    pub window_start: Option<u32>,
    /// Collateral of the node that produced the block.
    pub producer: Option<OutPoint>,
    /// Transactions whose outputs are spent, or are collateral of a start.
    pub transactions: BTreeSet<Hash256>,
    /// Collaterals of nodes that confirm themselves.
    pub nodes: BTreeSet<OutPoint>,
}

/// What the bytes say, and what came of checking them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlockCheck {
    pub hash: Option<Hash256>,
    pub height: Option<u32>,
    pub transactions: usize,
    #[serde(flatten)]
    pub report: Report,
}

/// The height of a block: 0 for the first, what the coinbase claims for every other.
pub fn height_of(params: &ChainParams, block: &Block<'_>) -> Option<u32> {
    if block.header.hash() == params.genesis.hash {
        return Some(0);
    }
    block.claimed_height()
}

/// What would make the check of a block complete.
pub fn wanted(params: &ChainParams, block: &Block<'_>) -> Wanted {
    let own: BTreeSet<Hash256> = block.txids().into_iter().collect();
    let height = height_of(params, block);
    let mut wanted = Wanted {
        parent: (height != Some(0)).then_some(block.header.previous),
        window_start: height
            .filter(|height| header::has_window(params, *height))
            .map(|height| height - params.pon.window),
        producer: block.header.producer(),
        ..Wanted::default()
    };
    for transaction in block.transactions.iter().filter(|one| !one.is_coinbase()) {
        let spent = transaction.inputs().iter().map(|input| input.previous.txid);
        wanted.transactions.extend(spent);
        match transaction.as_fluxnode() {
            Some(Fluxnode::Start(start)) => {
                wanted
                    .transactions
                    .extend(Start::collateral(start).map(|out| out.txid));
            }
            Some(Fluxnode::Confirm(confirm)) => {
                wanted.nodes.insert(confirm.collateral);
            }
            Some(Fluxnode::Unknown(_)) | None => {}
        }
    }
    wanted.transactions.retain(|txid| !own.contains(txid));
    wanted
}

/// Checks a block from its raw bytes.
pub fn check_block(params: &ChainParams, raw: &[u8], known: &Known) -> BlockCheck {
    let mut report = Report::default();
    let block = match Block::parse(raw) {
        Ok(block) => block,
        Err(err) => {
            report.failed("format", err.to_string());
            return BlockCheck {
                hash: None,
                height: None,
                transactions: 0,
                report,
            };
        }
    };
    let hash = block.header.hash();
    let height = height_of(params, &block);
    report.passed("format", format(&block, &hash));
    header::check(params, &block, height, known, &mut report);
    let txids = body::check(&block, height, known, &mut report);
    let spends = inputs::check(params, &block, &txids, height, known, &mut report);
    fluxnodes::check(params, &block, &txids, height, known, &mut report);
    match height {
        Some(height) => coinbase::check(params, &block, height, spends.fees, known, &mut report),
        None => report.failed(
            "coinbase",
            "the coinbase does not say which height it is for",
        ),
    }
    BlockCheck {
        hash: Some(hash),
        height,
        transactions: block.transactions.len(),
        report,
    }
}

fn format(block: &Block<'_>, hash: &Hash256) -> String {
    let kind = if block.header.is_pon() {
        "Proof of Node"
    } else {
        "proof of work"
    };
    format!(
        "{} bytes, {kind}, {}; hash {hash}",
        block.size(),
        count(block.transactions.len(), "transaction")
    )
}

/// A number with its noun.
fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
