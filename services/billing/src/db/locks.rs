//! Locks on names of things that may not have a row yet.

use fluxplane_core::id::AppId;
use sqlx::PgConnection;

/// Two transactions that look for each other by a message hash, a payment and the revision it is for, must not miss each
/// other: whoever comes second waits here until the first has ended.
pub async fn message_hash(conn: &mut PgConnection, message_hash: &str) -> sqlx::Result<()> {
    take(conn, &format!("hash.{message_hash}")).await
}

/// The same for the beginning and the end of an application.
pub async fn app(conn: &mut PgConnection, app: AppId) -> sqlx::Result<()> {
    take(conn, &format!("app.{app}")).await
}

/// Whoever ends an epoch, or stops its evidence, does so alone: two that lock the epochs in different orders would wait for
/// each other.
pub async fn epochs(conn: &mut PgConnection) -> sqlx::Result<()> {
    take(conn, "epochs").await
}

async fn take(conn: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.' || $1, 0))",
        name,
    )
    .execute(conn)
    .await?;
    Ok(())
}
