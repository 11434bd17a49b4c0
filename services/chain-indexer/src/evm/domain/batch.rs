//! A range of blocks that was read, checked against itself and against what comes before it.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};

use super::{
    BlockRef, Header, Log, Plan, Transfer,
    transfer::{LogProblem, decode},
};

/// What a node said of a range.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub headers: BTreeMap<u64, Header>,
    pub logs: Vec<Log>,
}

/// A range that can be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The last block of the range.
    pub last: Header,
    /// Blocks whose hashes are kept, ascending: all that may be reorganised, and the last one.
    pub kept: Vec<BlockRef>,
    /// In the order of the chain.
    pub transfers: Vec<Transfer>,
}

/// Why a range cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "block {height} has parent {parent}, but the block before it is {before}: the chain moved"
    )]
    Detached {
        height: u64,
        parent: B256,
        before: B256,
    },
    #[error("the node told nothing of block {0}")]
    NoHeader(u64),
    #[error("log {log_index} of block {height} is outside of blocks {first} to {last}")]
    OutOfRange {
        height: u64,
        log_index: u32,
        first: u64,
        last: u64,
    },
    #[error(
        "log {log_index} of block {height} names block {found}, the node's block there is {expected}"
    )]
    OtherBlock {
        height: u64,
        log_index: u32,
        found: B256,
        expected: B256,
    },
    #[error("log {log_index} of block {height} was told twice")]
    Twice { height: u64, log_index: u32 },
    #[error("log {log_index} of block {height} is not what was asked for")]
    Log {
        height: u64,
        log_index: u32,
        #[source]
        problem: LogProblem,
    },
}

/// Heights whose headers are needed to check a range with these logs.
pub fn heights(plan: &Plan, logs: &[Log]) -> BTreeSet<u64> {
    if plan.linked {
        return plan.range.clone().collect();
    }
    let logged = logs.iter().map(|log| log.block.height);
    logged
        .filter(|height| plan.range.contains(height))
        .chain([*plan.range.start(), *plan.range.end()])
        .collect()
}

/// Checks a range that follows `before`.
pub fn check(
    contract: Address,
    before: Option<BlockRef>,
    plan: &Plan,
    told: &Told,
) -> Result<Batch, Refusal> {
    let header = |height: u64| told.headers.get(&height).ok_or(Refusal::NoHeader(height));
    let (first, last) = (*plan.range.start(), *plan.range.end());
    header(first)?;
    let last_header = *header(last)?;
    let mut kept = Vec::new();
    let mut previous = before;
    for (_, header) in told.headers.range(plan.range.clone()) {
        let block = header.block;
        // Between final ranges, only neighbours can be compared.
        if let Some(before) = previous.filter(|before| before.height + 1 == block.height)
            && header.parent != before.hash
        {
            return Err(Refusal::Detached {
                height: block.height,
                parent: header.parent,
                before: before.hash,
            });
        }
        if plan.linked && block.height > previous.map_or(first, |before| before.height + 1) {
            return Err(Refusal::NoHeader(block.height - 1));
        }
        if plan.linked || block.height == last {
            kept.push(block);
        }
        previous = Some(block);
    }
    Ok(Batch {
        last: last_header,
        kept,
        transfers: transfers(contract, plan, told)?,
    })
}

fn transfers(contract: Address, plan: &Plan, told: &Told) -> Result<Vec<Transfer>, Refusal> {
    let mut transfers = BTreeMap::new();
    for log in &told.logs {
        let (height, log_index) = (log.block.height, log.log_index);
        if !plan.range.contains(&height) {
            return Err(Refusal::OutOfRange {
                height,
                log_index,
                first: *plan.range.start(),
                last: *plan.range.end(),
            });
        }
        let header = told.headers.get(&height).ok_or(Refusal::NoHeader(height))?;
        let refused = |problem| Refusal::Log {
            height,
            log_index,
            problem,
        };
        let transfer = decode(contract, log, header.time).map_err(refused)?;
        if log.block.hash != header.block.hash {
            return Err(Refusal::OtherBlock {
                height,
                log_index,
                found: log.block.hash,
                expected: header.block.hash,
            });
        }
        if transfers.insert((height, log_index), transfer).is_some() {
            return Err(Refusal::Twice { height, log_index });
        }
    }
    Ok(transfers.into_values().collect())
}

#[cfg(test)]
mod tests;
