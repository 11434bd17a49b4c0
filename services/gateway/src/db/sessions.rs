//! Sessions and their tokens.

use chrono::{DateTime, Utc};
use fluxplane_core::id::SessionId;
use fluxplane_platform::db::ensure_one_row;
use sqlx::PgConnection;

use crate::domain::session::{EndReason, StoredRefresh};

/// A live access token's session.
#[derive(Debug, Clone)]
pub struct Live {
    pub session: SessionId,
    pub principal: String,
    pub expires_at: DateTime<Utc>,
}

pub async fn insert(
    conn: &mut PgConnection,
    id: SessionId,
    principal: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO session (id, principal, created_at) VALUES ($1, $2, $3)",
        id.uuid(),
        principal,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn insert_token(
    conn: &mut PgConnection,
    session: SessionId,
    kind: &'static str,
    token_sha256: &[u8; 32],
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO session_token (token_sha256, session_id, kind, issued_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        "#,
        token_sha256,
        session.uuid(),
        kind,
        issued_at,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Who presents this token, if it is one of that kind and good at `now`.
pub async fn live(
    conn: &mut PgConnection,
    kind: &'static str,
    token_sha256: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Live>> {
    let row = sqlx::query!(
        r#"
        SELECT s.id, s.principal, t.expires_at
        FROM session_token t JOIN session s ON s.id = t.session_id
        WHERE t.token_sha256 = $1 AND t.kind = $3 AND t.expires_at > $2 AND s.ended_at IS NULL
        "#,
        token_sha256,
        now,
        kind,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Live {
        session: row.id.into(),
        principal: row.principal,
        expires_at: row.expires_at,
    }))
}

/// Finds a refresh token and locks it with its session, so that two refreshes cannot both win.
pub async fn lock_refresh(
    conn: &mut PgConnection,
    token_sha256: &[u8; 32],
) -> sqlx::Result<Option<StoredRefresh>> {
    let row = sqlx::query!(
        r#"
        SELECT s.id, s.principal, s.ended_at, t.expires_at, t.used_at
        FROM session_token t JOIN session s ON s.id = t.session_id
        WHERE t.token_sha256 = $1 AND t.kind = 'refresh'
        FOR UPDATE
        "#,
        token_sha256,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| StoredRefresh {
        session: row.id.into(),
        principal: row.principal,
        expires_at: row.expires_at,
        used_at: row.used_at,
        session_ended_at: row.ended_at,
    }))
}

pub async fn mark_used(
    conn: &mut PgConnection,
    token_sha256: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE session_token SET used_at = $2 WHERE token_sha256 = $1 AND used_at IS NULL",
        token_sha256,
        now,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "mark refresh token used")
}

/// Ends a session. Ending one that ended already changes nothing.
pub async fn end(
    conn: &mut PgConnection,
    id: SessionId,
    reason: EndReason,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE session SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at IS NULL",
        id.uuid(),
        now,
        reason.name(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the oldest sessions of a principal, so that at most `keep` stay.
pub async fn end_surplus(
    conn: &mut PgConnection,
    principal: &str,
    keep: u32,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let ended = sqlx::query!(
        r#"
        UPDATE session SET ended_at = $3, end_reason = $4
        WHERE id IN (
            SELECT id FROM session WHERE principal = $1 AND ended_at IS NULL
            ORDER BY created_at DESC, id DESC OFFSET $2
        )
        "#,
        principal,
        i64::from(keep),
        now,
        EndReason::TooMany.name(),
    )
    .execute(conn)
    .await?;
    Ok(ended.rows_affected())
}

/// Forgets tokens that expired before `before`, and sessions that have none left.
///
/// A used refresh token is kept as long as an unused one would be: until then its reuse is noticed.
pub async fn forget(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<u64> {
    sqlx::query!("DELETE FROM session_token WHERE expires_at < $1", before)
        .execute(&mut *conn)
        .await?;
    let deleted = sqlx::query!(
        r#"
        DELETE FROM session s
        WHERE s.created_at < $1
          AND NOT EXISTS (SELECT FROM session_token t WHERE t.session_id = s.id)
        "#,
        before,
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected())
}
