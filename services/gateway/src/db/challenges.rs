//! Phrases waiting to be signed.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::domain::challenge::Challenge;

pub async fn insert(conn: &mut PgConnection, challenge: &Challenge) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO challenge (phrase, address, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        challenge.phrase,
        challenge.address.as_str(),
        challenge.created_at,
        challenge.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a phrase out, so that it works once. A rolled-back transaction puts it back; a concurrent twin waits for that.
///
/// Returns when it expires, `None` when there is no such phrase for this address.
pub async fn take(
    conn: &mut PgConnection,
    phrase: &str,
    address: &str,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "DELETE FROM challenge WHERE phrase = $1 AND address = $2 RETURNING expires_at",
        phrase,
        address,
    )
    .fetch_optional(conn)
    .await
}

pub async fn delete_expired(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let deleted = sqlx::query!("DELETE FROM challenge WHERE expires_at < $1", now)
        .execute(conn)
        .await?;
    Ok(deleted.rows_affected())
}
