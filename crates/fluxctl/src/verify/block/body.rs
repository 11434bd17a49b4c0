//! The list of transactions: it gives the merkle root, and it is one that a block may have.

use std::collections::BTreeSet;

use fluxplane_flux_chain::{Block, Hash256, Transaction, block::merkle_root};

use super::{Known, Report, count};

/// Checks the list. Returns the ids, which cost a double hash each.
pub(super) fn check(
    block: &Block<'_>,
    height: Option<u32>,
    known: &Known,
    report: &mut Report,
) -> Vec<Hash256> {
    let txids = block.txids();
    report.judged("merkle", merkle(block, &txids));
    report.judged("structure", structure(block, &txids, height, known));
    txids
}

fn merkle(block: &Block<'_>, txids: &[Hash256]) -> Result<String, String> {
    let found = merkle_root(txids);
    if found.root != block.header.merkle_root {
        let wanted = block.header.merkle_root;
        return Err(format!(
            "the transactions give root {}, the header has {wanted}",
            found.root
        ));
    }
    if found.mutated {
        return Err("a repeated tail: another list of transactions gives the same root".to_owned());
    }
    Ok(format!(
        "{} give root {}",
        count(txids.len(), "transaction"),
        found.root
    ))
}

fn structure(
    block: &Block<'_>,
    txids: &[Hash256],
    height: Option<u32>,
    known: &Known,
) -> Result<String, String> {
    let Some((first, rest)) = block.transactions.split_first() else {
        return Err("a block has a coinbase at least".to_owned());
    };
    if !first.is_coinbase() {
        return Err("the first transaction is no coinbase".to_owned());
    }
    if let Some(place) = rest.iter().position(Transaction::is_coinbase) {
        return Err(format!("transaction {} is a second coinbase", place + 1));
    }
    if let (Some(height), Some(wanted)) = (height, known.height)
        && height != wanted
    {
        return Err(format!("the coinbase is for height {height}, not {wanted}"));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = txids.iter().find(|txid| !seen.insert(**txid)) {
        return Err(format!("transaction {twice} is there twice"));
    }
    let mut spent = BTreeSet::new();
    let inputs = rest.iter().flat_map(Transaction::inputs);
    if let Some(twice) = inputs
        .map(|input| input.previous)
        .find(|out| !spent.insert(*out))
    {
        return Err(format!("output {twice} is spent twice"));
    }
    let mut nodes = BTreeSet::new();
    let named = rest
        .iter()
        .filter_map(|one| one.as_fluxnode()?.collateral());
    if let Some(twice) = named.into_iter().find(|out| !nodes.insert(*out)) {
        return Err(format!("node {twice} is in two transactions"));
    }
    let expired = rest.iter().zip(txids.iter().skip(1)).find(|(one, _)| {
        let limit = one
            .as_transfer()
            .and_then(|transfer| transfer.expiry_height);
        limit.is_some_and(|limit| limit != 0 && height.is_some_and(|height| height > limit))
    });
    if let Some((_, txid)) = expired {
        return Err(format!("transaction {txid} expired before this height"));
    }
    let place = height.map_or_else(String::new, |height| format!(", height {height}"));
    Ok(format!("one coinbase first, nothing twice{place}"))
}
