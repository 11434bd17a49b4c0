//! Beginning a transaction in a way that may be cancelled.
//!
//! sqlx 0.9.0 counts a transaction only once the server answered `BEGIN`. A caller that is dropped in between, by a deadline, a
//! client that hung up or a shutdown, puts a connection back into the pool that is inside a transaction nobody will end: the next
//! borrower's changes are never committed and keep their locks (launchbadge/sqlx#4393, fixed after 0.9.0).

use sqlx::{PgPool, Postgres, Transaction};
use tracing::Instrument as _;

/// What a snapshot begins with.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Begins a transaction. Cancel-safe, which [`PgPool::begin`] is not.
pub async fn begin(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that may: nothing drops it in between"
    )]
    undisturbed(async move { pool.begin().await }).await
}

/// Begins a transaction that reads one moment of the database and changes nothing. Cancel-safe.
pub async fn begin_snapshot(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that may: nothing drops it in between"
    )]
    undisturbed(async move { pool.begin_with(SNAPSHOT).await }).await
}

/// Runs to the end in a task of its own, whatever becomes of the caller; a transaction nobody waits for any more is rolled back
/// when it is dropped there.
async fn undisturbed<F>(beginning: F) -> sqlx::Result<Transaction<'static, Postgres>>
where
    F: Future<Output = sqlx::Result<Transaction<'static, Postgres>>> + Send + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "outlives its caller for one round trip at most, and must"
    )]
    let task = tokio::spawn(beginning.in_current_span());
    task.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
