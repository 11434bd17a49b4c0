//! The connection that blocks are written with.
//!
//! A `COPY` that is given up in the middle, because its caller is cancelled, leaves sqlx 0.9.0 expecting one answer too few: whoever
//! uses the connection next reads the answer to another statement. Such a connection must be closed, and a pool cannot be told so.
//! Blocks are therefore written with a connection taken out of the pool. It is kept from one transaction to the next, and closed
//! with the future that uses it unless its transaction ended well.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Connection as _, PgConnection, PgPool};

/// Keeps the connection while nobody uses it. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Writer(Arc<Mutex<Option<PgConnection>>>);

impl Writer {
    /// The connection that was kept, or another one.
    pub(super) async fn take(&self, pool: &PgPool) -> sqlx::Result<PgConnection> {
        let kept = self.slot(Option::take);
        if let Some(mut conn) = kept
            && conn.ping().await.is_ok()
        {
            return Ok(conn);
        }
        Ok(pool.acquire().await?.detach())
    }

    /// Takes the connection back after a transaction that ended well.
    pub(super) fn keep(&self, conn: PgConnection) {
        self.slot(|slot| *slot = Some(conn));
    }

    fn slot<T>(&self, change: impl FnOnce(&mut Option<PgConnection>) -> T) -> T {
        // Nothing that could panic happens under the lock.
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut slot)
    }
}
