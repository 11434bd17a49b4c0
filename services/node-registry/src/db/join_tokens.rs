//! One-time permissions to join.

use chrono::{DateTime, Utc};
use fluxplane_core::id::JoinTokenId;
use fluxplane_platform::db::{columns::small, ensure_one_row};
use sqlx::PgConnection;

use crate::domain::{Collateral, join::JoinToken};

pub async fn insert(
    conn: &mut PgConnection,
    token: &JoinToken,
    token_sha256: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO join_token
            (id, token_sha256, operator, collateral_txid, collateral_vout, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        "#,
        token.id.uuid(),
        token_sha256,
        token.operator,
        token.collateral.txid,
        i64::from(token.collateral.vout),
        now,
        token.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a token by its hash and locks it, so that two machines cannot use it at once.
pub async fn lock(
    conn: &mut PgConnection,
    token_sha256: &[u8; 32],
) -> sqlx::Result<Option<JoinToken>> {
    let row = sqlx::query!(
        r#"
        SELECT id, operator, collateral_txid, collateral_vout, expires_at, used_at
        FROM join_token WHERE token_sha256 = $1 FOR UPDATE
        "#,
        token_sha256,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let vout = small("join_token", "collateral_vout", row.id, row.collateral_vout)?;
    Ok(Some(JoinToken {
        id: row.id.into(),
        operator: row.operator,
        collateral: Collateral {
            txid: row.collateral_txid,
            vout,
        },
        expires_at: row.expires_at,
        used_at: row.used_at,
    }))
}

pub async fn mark_used(
    conn: &mut PgConnection,
    id: JoinTokenId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE join_token SET used_at = $2 WHERE id = $1 AND used_at IS NULL",
        id.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "mark join token used")
}
