//! Phrases of FluxOS' sign-in, which anybody may sign.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub async fn insert(
    conn: &mut PgConnection,
    phrase: &str,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO login_phrase (phrase, created_at, expires_at) VALUES ($1, $2, $3)",
        phrase,
        created_at,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a phrase out, so that it works once. A rolled-back transaction puts it back; a concurrent twin waits for that.
pub async fn take(
    conn: &mut PgConnection,
    phrase: &str,
) -> sqlx::Result<Option<(DateTime<Utc>, DateTime<Utc>)>> {
    let row = sqlx::query!(
        "DELETE FROM login_phrase WHERE phrase = $1 RETURNING created_at, expires_at",
        phrase,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.created_at, row.expires_at)))
}

pub async fn delete_expired(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let deleted = sqlx::query!("DELETE FROM login_phrase WHERE expires_at < $1", now)
        .execute(conn)
        .await?;
    Ok(deleted.rows_affected())
}
