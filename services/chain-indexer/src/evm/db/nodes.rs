//! What nodes said last.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::columns;

/// The node answered; `problem` says what is odd all the same, and is empty when nothing is.
pub async fn seen(
    conn: &mut PgConnection,
    asset_id: i32,
    height: u64,
    at: DateTime<Utc>,
    problem: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO evm_node (asset_id, height, seen_at, problem) VALUES ($1, $2, $3, $4)
        ON CONFLICT (asset_id) DO UPDATE SET
            height = EXCLUDED.height, seen_at = EXCLUDED.seen_at, problem = EXCLUDED.problem
        "#,
        asset_id,
        columns::height(height)?,
        at,
        problem,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The node gave no answer that can be used.
pub async fn failed(conn: &mut PgConnection, asset_id: i32, problem: &str) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO evm_node (asset_id, problem) VALUES ($1, $2)
        ON CONFLICT (asset_id) DO UPDATE SET problem = EXCLUDED.problem
        "#,
        asset_id,
        problem,
    )
    .execute(conn)
    .await?;
    Ok(())
}
