//! Hashes of the last blocks.

use sqlx::PgConnection;

use super::{assets::block, columns::height};
use crate::evm::domain::BlockRef;

pub async fn insert(
    conn: &mut PgConnection,
    asset_id: i32,
    blocks: &[BlockRef],
) -> sqlx::Result<()> {
    let heights = blocks
        .iter()
        .map(|block| height(block.height))
        .collect::<sqlx::Result<Vec<_>>>()?;
    let hashes: Vec<&[u8]> = blocks.iter().map(|block| block.hash.as_slice()).collect();
    sqlx::query!(
        r#"
        INSERT INTO evm_block (asset_id, height, hash)
        SELECT $1, * FROM unnest($2::bigint[], $3::bytea[])
        "#,
        asset_id,
        &heights,
        &hashes as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets blocks below a height.
pub async fn forget_below(conn: &mut PgConnection, asset_id: i32, below: u64) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM evm_block WHERE asset_id = $1 AND height < $2",
        asset_id,
        height(below)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes blocks from a height on.
pub async fn delete_from(conn: &mut PgConnection, asset_id: i32, from: u64) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM evm_block WHERE asset_id = $1 AND height >= $2",
        asset_id,
        height(from)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// All that are kept, ascending.
pub async fn kept(conn: &mut PgConnection, asset_id: i32) -> sqlx::Result<Vec<BlockRef>> {
    let rows = sqlx::query!(
        "SELECT height, hash FROM evm_block WHERE asset_id = $1 ORDER BY height",
        asset_id
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| block("evm_block", asset_id, row.height, &row.hash))
        .collect()
}
