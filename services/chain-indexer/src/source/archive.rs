//! Blocks and transactions that an index in mode plane does not keep, asked of the daemon when somebody wants to see them.

use std::fmt::Debug;

use fluxplane_flux_chain::{Block, Hash256, Transaction};
use futures::future::BoxFuture;

use super::{ChainSource, SourceError};
use crate::domain::{Tip, block::BlockFault};

/// A transaction and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub raw: Vec<u8>,
    /// The block that holds it, which may be on another branch than ours; `None` while in the mempool.
    pub block: Option<Hash256>,
}

/// What is asked for single blocks and transactions. Any [`ChainSource`] can be; this one fits behind a pointer.
pub trait Archive: Debug + Send + Sync {
    /// The bytes of a block of our best chain, which hash to its name.
    fn block(&self, block: Tip) -> BoxFuture<'_, Result<Vec<u8>, SourceError>>;

    /// A transaction, whose bytes hash to its id; `None` when the daemon does not find it.
    fn transaction(&self, txid: Hash256) -> BoxFuture<'_, Result<Option<Located>, SourceError>>;
}

impl<S: ChainSource> Archive for S {
    fn block(&self, block: Tip) -> BoxFuture<'_, Result<Vec<u8>, SourceError>> {
        Box::pin(async move {
            let height = block.height;
            let raw = self.blocks(height..=height).await?;
            let raw = raw.into_iter().next().unwrap_or_default();
            let found = Block::parse(&raw).map_err(|err| SourceError::Garbled {
                height,
                fault: BlockFault::Malformed(err),
            })?;
            let found = found.header.hash();
            if found == block.hash {
                return Ok(raw);
            }
            Err(SourceError::OtherBlock {
                height,
                wanted: block.hash,
                found,
            })
        })
    }

    fn transaction(&self, txid: Hash256) -> BoxFuture<'_, Result<Option<Located>, SourceError>> {
        Box::pin(async move {
            let Some(located) = self.locate(txid).await? else {
                return Ok(None);
            };
            let found = Transaction::parse(&located.raw);
            if found.is_ok_and(|transaction| transaction.txid() == txid) {
                return Ok(Some(located));
            }
            Err(SourceError::Malformed {
                method: "getrawtransaction",
                problem: format!("the bytes are not transaction {txid}"),
            })
        })
    }
}
