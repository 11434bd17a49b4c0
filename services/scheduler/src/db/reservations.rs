//! Names kept for owners who hold a quote.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Whoever takes or keeps a name does so alone until the transaction ends.
pub async fn lock_name(conn: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.name.' || lower($1), 0))",
        name,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Until when somebody other than `owner` has the name; `None` when nobody has.
pub async fn held_by_another(
    conn: &mut PgConnection,
    name: &str,
    owner: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "SELECT until FROM name_reservation WHERE name_key = lower($1) AND owner <> $2 AND until > $3",
        name,
        owner,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Names kept for an owner, but for this one.
pub async fn count_others(
    conn: &mut PgConnection,
    name: &str,
    owner: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM name_reservation
        WHERE owner = $2 AND name_key <> lower($1) AND until > $3
        "#,
        name,
        owner,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Keeps a name that nobody else has, never shorter than it is kept already. Returns until when.
pub async fn put(
    conn: &mut PgConnection,
    name: &str,
    owner: &str,
    until: DateTime<Utc>,
) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO name_reservation AS r (name_key, owner, until) VALUES (lower($1), $2, $3)
        ON CONFLICT (name_key) DO UPDATE SET
            owner = EXCLUDED.owner,
            until = CASE WHEN r.owner = EXCLUDED.owner THEN greatest(r.until, EXCLUDED.until)
                         ELSE EXCLUDED.until END
        RETURNING until
        "#,
        name,
        owner,
        until,
    )
    .fetch_one(conn)
    .await
}

/// An application has the name now.
pub async fn remove(conn: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM name_reservation WHERE name_key = lower($1)",
        name
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets those that are over. Returns how many there are left.
pub async fn sweep(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<i64> {
    sqlx::query!("DELETE FROM name_reservation WHERE until <= $1", now)
        .execute(&mut *conn)
        .await?;
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM name_reservation"#)
        .fetch_one(conn)
        .await
}
