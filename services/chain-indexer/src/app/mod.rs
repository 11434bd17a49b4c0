//! Use cases. Each opens its transaction, decides with `domain`, stores with `db`, announces with `events`, commits.
//!
//! Whatever moves the chain fences its lease first: of two replicas that both believe to lead, one writes.

pub mod adopt;
pub mod balances;
pub mod bootstrap;
pub mod connect;
pub mod disconnect;
pub mod error;
mod ledger;
pub mod load;
pub mod mempool;
pub mod nodes;
pub mod notes;
pub mod queries;
pub mod report;
mod writer;

use std::sync::Arc;

use fluxplane_core::{Clock, IdSource};
use fluxplane_platform::db::lease;
use sqlx::{PgConnection, PgPool};

use crate::domain::Rules;

pub use error::Error;
pub use writer::Writer;

/// Lease of the one replica that follows the chain.
pub const LEASE: &str = "indexer.follow";

/// What every use case works with.
#[derive(Debug, Clone)]
pub struct Context {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub rules: Rules,
    /// Blocks are written with it.
    pub writer: Writer,
}

/// Makes sure that the term with `token` lasts until the caller's transaction ends.
async fn fence(conn: &mut PgConnection, token: i64) -> Result<(), Error> {
    lease::fence(conn, LEASE, token)
        .await
        .map_err(|err| match err {
            lease::FenceError::Superseded { .. } => Error::Superseded,
            lease::FenceError::Db(err) => Error::Db(err),
        })
}
