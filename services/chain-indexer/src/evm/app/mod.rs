//! Use cases. Each opens its transaction, stores with `db`, announces with `events`, commits.
//!
//! Whatever moves an asset fences the asset's lease first: of two replicas that both believe to lead, one writes.

pub mod apply;
pub mod error;
pub mod queries;
pub mod register;
pub mod report;
pub mod undo;

use std::sync::Arc;

use fluxplane_core::{Clock, IdSource};
use fluxplane_platform::db::lease;
use sqlx::{PgConnection, PgPool};

use super::{
    config::Token,
    domain::{BlockRef, Change, Transfer},
};

pub use error::Error;

/// What every use case works with.
#[derive(Debug, Clone)]
pub struct Context {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}

impl From<&crate::app::Context> for Context {
    fn from(ctx: &crate::app::Context) -> Self {
        Self {
            pool: ctx.pool.clone(),
            clock: Arc::clone(&ctx.clock),
            ids: Arc::clone(&ctx.ids),
        }
    }
}

/// One token, while this process leads.
#[derive(Debug, Clone)]
pub struct Lead {
    pub ctx: Context,
    pub token: Token,
    /// Name of the asset's lease, see [`lease_of`].
    pub lease: &'static str,
    /// Fencing token of the term.
    pub term: i64,
}

/// Lease of the one replica that follows an asset. The name lives as long as the process; there are few.
pub fn lease_of(name: &str) -> &'static str {
    format!("indexer.evm.{name}").leak()
}

/// How far an asset is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    pub id: i32,
    /// Last applied block.
    pub tip: Option<BlockRef>,
    pub final_height: Option<u64>,
    /// Blocks from the last final one on, ascending.
    pub kept: Vec<BlockRef>,
    pub halted_reason: String,
}

impl At {
    /// Height of the block that comes next.
    pub fn next(&self, token: &Token) -> u64 {
        self.tip.map_or(token.start_block, |tip| tip.height + 1)
    }
}

/// What became of a transfer, for announcing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened {
    pub change: Change,
    pub transfer: Transfer,
    /// With respect to the last block after the change.
    pub confirmations: u64,
}

impl Lead {
    /// Makes sure that the term lasts until the caller's transaction ends.
    async fn fence(&self, conn: &mut PgConnection) -> Result<(), Error> {
        lease::fence(conn, self.lease, self.term)
            .await
            .map_err(|err| match err {
                lease::FenceError::Superseded { .. } => Error::Superseded,
                lease::FenceError::Db(err) => Error::Db(err),
            })
    }
}
