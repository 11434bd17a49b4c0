//! Repeating a transaction that Postgres gave up for another one's sake.

use std::time::Duration;

use sqlx::{PgPool, Postgres, Transaction};

/// Most attempts of one transaction.
const ATTEMPTS: u32 = 5;

/// Pause before the second attempt; doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// Errors that may wrap a failed statement.
pub trait DbFailure {
    /// The statement's error, if that is what this is.
    fn db(&self) -> Option<&sqlx::Error>;
}

impl DbFailure for sqlx::Error {
    fn db(&self) -> Option<&sqlx::Error> {
        Some(self)
    }
}

/// Runs `op` in a transaction and commits. Repeats on a serialisation failure (40001) or deadlock (40P01).
///
/// `op` must have no effect outside its transaction.
pub async fn retry_tx<T, E, F>(pool: &PgPool, mut op: F) -> Result<T, E>
where
    E: DbFailure + From<sqlx::Error>,
    F: AsyncFnMut(&mut Transaction<'static, Postgres>) -> Result<T, E>,
{
    let mut pause = FIRST_PAUSE;
    let mut attempt = 1;
    loop {
        let result = once(pool, &mut op).await;
        match result {
            Err(err) if attempt < ATTEMPTS && err.db().is_some_and(worth_repeating) => {
                tracing::debug!(attempt, "transaction gave way to another one, repeating");
                tokio::time::sleep(pause).await;
                pause *= 2;
                attempt += 1;
            }
            result => return result,
        }
    }
}

async fn once<T, E, F>(pool: &PgPool, op: &mut F) -> Result<T, E>
where
    E: From<sqlx::Error>,
    F: AsyncFnMut(&mut Transaction<'static, Postgres>) -> Result<T, E>,
{
    let mut tx = super::begin(pool).await?;
    let value = op(&mut tx).await?;
    tx.commit().await?;
    Ok(value)
}

fn worth_repeating(err: &sqlx::Error) -> bool {
    let code = err
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("40001" | "40P01"))
}
