//! Postgres: the pool, and the patterns every service builds on.
//!
//! ## What do we store?
//!
//! Tables of `migrations/platform`, once in the schema of each service:
//!
//! - `outbox`: events that are announced but not yet in JetStream. Durable truth; a row leaves when the bus has it.
//! - `inbox`: ids of events already applied, so that a redelivery has no effect. Swept after the stream forgot them.
//! - `idempotency_key`: replies to changing requests, so that a repeated request has no second effect. Swept after a day.
//! - `lease`: who owns what until when, with a token that only grows.

pub mod begin;
pub mod columns;
pub mod health;
pub mod idempotency;
pub mod inbox;
pub mod leader;
pub mod lease;
pub mod outbox;
pub mod paging;
pub mod pool;
pub mod retry;
pub mod sweep;

pub use begin::{begin, begin_snapshot};
pub use pool::connect;

/// Migrations of the tables every service keeps, to be run in each service's schema before its own.
pub static PLATFORM_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// A row that the program's invariants say cannot exist.
#[derive(Debug, thiserror::Error)]
#[error("{table}.{column} of row {row} holds `{value}`, which no version of this service writes")]
pub struct Inconsistency {
    pub table: &'static str,
    pub column: &'static str,
    pub row: String,
    pub value: String,
}

impl Inconsistency {
    pub fn new(
        table: &'static str,
        column: &'static str,
        row: impl std::fmt::Display,
        value: impl std::fmt::Debug,
    ) -> Self {
        Self {
            table,
            column,
            row: row.to_string(),
            value: format!("{value:?}"),
        }
    }
}

impl From<Inconsistency> for sqlx::Error {
    fn from(err: Inconsistency) -> Self {
        Self::Decode(Box::new(err))
    }
}

/// A statement that was to change one row changed another number of rows.
pub fn ensure_one_row(rows_affected: u64, what: &'static str) -> sqlx::Result<()> {
    if rows_affected == 1 {
        return Ok(());
    }
    let text = format!("{what} changed {rows_affected} rows instead of one");
    Err(sqlx::Error::Protocol(text))
}
