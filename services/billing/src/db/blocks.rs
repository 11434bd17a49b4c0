//! The newest blocks of the best chain.

use fluxplane_platform::db::columns::{bigint, unsigned};
use sqlx::PgConnection;

/// Blocks kept below the tip; far more than a reorganisation may undo.
const KEPT: i64 = 1_000;

/// What is at a height since an announcement: a block, or nothing any more.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub height: u64,
    pub hash: Option<&'a str>,
    /// Rises from announcement to announcement.
    pub sequence: u64,
}

/// Stores it, unless something newer is known of the height.
pub async fn put(conn: &mut PgConnection, place: Place<'_>) -> sqlx::Result<()> {
    let height = bigint(place.height);
    sqlx::query!(
        r#"
        INSERT INTO block (height, hash, sequence) VALUES ($1, $2, $3)
        ON CONFLICT (height) DO UPDATE SET hash = EXCLUDED.hash, sequence = EXCLUDED.sequence
        WHERE block.sequence < EXCLUDED.sequence
        "#,
        height,
        place.hash,
        bigint(place.sequence),
    )
    .execute(&mut *conn)
    .await?;
    if place.hash.is_some() {
        sqlx::query!("DELETE FROM block WHERE height < $1", height - KEPT)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Height of the newest block.
pub async fn tip(conn: &mut PgConnection) -> sqlx::Result<Option<u64>> {
    let height = sqlx::query_scalar!("SELECT max(height) FROM block WHERE hash IS NOT NULL")
        .fetch_one(conn)
        .await?;
    height
        .map(|height| Ok(unsigned("block", "height", "max", height)?))
        .transpose()
}

/// Hash of the block at a height; `None` when there is none, or we do not have it.
pub async fn hash_at(conn: &mut PgConnection, height: u64) -> sqlx::Result<Option<String>> {
    let hash = sqlx::query_scalar!("SELECT hash FROM block WHERE height = $1", bigint(height))
        .fetch_optional(conn)
        .await?;
    Ok(hash.flatten())
}
