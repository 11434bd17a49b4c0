//! Leases: ownership for a time, with a fencing token.
//!
//! Judged by the database clock alone. The token grows whenever the holder changes or the lease had lapsed; whoever acts
//! on behalf of a holder calls [`fence`] first, which keeps the lease from changing hands until commit.

use std::time::Duration;

use sqlx::{PgConnection, postgres::types::PgInterval};
use uuid::Uuid;

/// A lease could not be fenced: someone else holds it, or it lapsed.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    #[error("lease `{name}` is no longer held with token {token}")]
    Superseded { name: String, token: i64 },
    #[error("read lease")]
    Db(#[from] sqlx::Error),
}

/// Takes or renews the lease. Returns the token, or `None` while someone else holds it.
pub async fn acquire(
    conn: &mut PgConnection,
    name: &str,
    holder: Uuid,
    ttl: Duration,
) -> sqlx::Result<Option<i64>> {
    let ttl = PgInterval::try_from(ttl).map_err(sqlx::Error::Encode)?;
    sqlx::query_scalar!(
        r#"
        INSERT INTO lease AS l (name, holder, token, expires_at) VALUES ($1, $2, 1, now() + $3)
        ON CONFLICT (name) DO UPDATE SET
            holder = EXCLUDED.holder,
            expires_at = EXCLUDED.expires_at,
            token = CASE WHEN l.holder = EXCLUDED.holder AND l.expires_at > now()
                         THEN l.token ELSE l.token + 1 END
        WHERE l.holder = EXCLUDED.holder OR l.expires_at <= now()
        RETURNING token
        "#,
        name,
        holder,
        ttl,
    )
    .fetch_optional(conn)
    .await
}

/// Gives the lease back, so that the next holder need not wait for it to lapse. The token still grows.
pub async fn release(conn: &mut PgConnection, name: &str, holder: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE lease SET expires_at = now() WHERE name = $1 AND holder = $2",
        name,
        holder,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes sure that the lease is held with `token` until the caller's transaction ends.
pub async fn fence(conn: &mut PgConnection, name: &str, token: i64) -> Result<(), FenceError> {
    let held = sqlx::query_scalar!(
        r#"
        SELECT 1 AS "one!" FROM lease
        WHERE name = $1 AND token = $2 AND expires_at > now() FOR SHARE
        "#,
        name,
        token,
    )
    .fetch_optional(conn)
    .await?;
    match held {
        Some(_) => Ok(()),
        None => Err(FenceError::Superseded {
            name: name.to_owned(),
            token,
        }),
    }
}
