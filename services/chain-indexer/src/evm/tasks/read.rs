//! Reads what a node says of a range, such that all of it is about one chain.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::evm::{
    domain::{
        Plan,
        batch::{self, Told},
    },
    source::{EvmSource, SourceError},
};

/// Headers asked for at a time.
const PARALLEL: usize = 8;

/// What reading a range gave.
#[derive(Debug)]
pub(super) enum Read {
    Told(Told),
    /// The node's chain changed meanwhile.
    Moved,
}

#[derive(Debug)]
pub(super) enum ReadError {
    /// The logs of so many blocks are not to be had at a time.
    TooMuch(SourceError),
    Source(SourceError),
}

/// Reads a range. A node answers each question by itself, so its chain may change between them: the last block is asked about before
/// and after everything else, and it stands for all before it.
pub(super) async fn read<S: EvmSource>(
    source: &S,
    contract: Address,
    plan: &Plan,
) -> Result<Read, ReadError> {
    let last = *plan.range.end();
    let Some(before) = source.header(last).await.map_err(ReadError::Source)? else {
        return Ok(Read::Moved);
    };
    let logs = source
        .transfers(contract, plan.range.clone())
        .await
        .map_err(|err| {
            if err.too_much() {
                ReadError::TooMuch(err)
            } else {
                ReadError::Source(err)
            }
        })?;
    let heights = batch::heights(plan, &logs);
    let others = heights.into_iter().filter(|height| *height != last);
    let found: Vec<_> = stream::iter(others)
        .map(|height| source.header(height))
        .buffered(PARALLEL)
        .try_collect()
        .await
        .map_err(ReadError::Source)?;
    let after = source.header(last).await.map_err(ReadError::Source)?;
    if after != Some(before) {
        return Ok(Read::Moved);
    }
    let mut headers = BTreeMap::from([(last, before)]);
    for header in found {
        let Some(header) = header else {
            return Ok(Read::Moved);
        };
        headers.insert(header.block.height, header);
    }
    Ok(Read::Told(Told { headers, logs }))
}
