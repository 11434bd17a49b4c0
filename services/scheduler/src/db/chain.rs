//! The tip of the chain, as far as the indexer announced it.

use chrono::{DateTime, Utc};
use fluxplane_platform::db::columns::small;
use sqlx::PgConnection;

/// A block became part of the best chain. An older one than the tip changes nothing.
pub async fn connected(
    conn: &mut PgConnection,
    height: u32,
    hash: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO chain_tip AS t (height, hash, updated_at) VALUES ($1, $2, $3)
        ON CONFLICT (one) DO UPDATE SET
            height = EXCLUDED.height, hash = EXCLUDED.hash, updated_at = EXCLUDED.updated_at
        WHERE t.height < EXCLUDED.height
        "#,
        i64::from(height),
        hash,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A block left the best chain: the tip is below it.
pub async fn disconnected(
    conn: &mut PgConnection,
    height: u32,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE chain_tip SET height = $1 - 1, hash = '', updated_at = $2 WHERE height >= $1",
        i64::from(height.max(1)),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Height of the tip; `None` before the first block was heard of.
pub async fn height(conn: &mut PgConnection) -> sqlx::Result<Option<u32>> {
    let height = sqlx::query_scalar!("SELECT height FROM chain_tip")
        .fetch_optional(conn)
        .await?;
    height
        .map(|height| Ok(small("chain_tip", "height", "tip", height)?))
        .transpose()
}
