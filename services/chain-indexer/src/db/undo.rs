//! How to take the lists back, for the last blocks.

use fluxplane_flux_chain::fluxnode::Undo;
use sqlx::{PgConnection, types::Json};

use super::columns::{Column, int};

/// Stores the records of blocks that may be undone.
pub async fn insert(conn: &mut PgConnection, records: &[&Undo]) -> sqlx::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let heights = records
        .iter()
        .map(|undo| int(undo.height))
        .collect::<sqlx::Result<Vec<_>>>()?;
    let undos: Vec<Json<&Undo>> = records.iter().map(|undo| Json(*undo)).collect();
    sqlx::query!(
        "INSERT INTO fluxnode_undo (height, undo) SELECT * FROM unnest($1::integer[], $2::jsonb[])",
        &heights,
        &undos as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the records of blocks up to `height`.
pub async fn forget_up_to(conn: &mut PgConnection, height: u32) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM fluxnode_undo WHERE height <= $1", int(height)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes out the record of a block.
pub async fn take(conn: &mut PgConnection, height: u32) -> sqlx::Result<Option<Undo>> {
    let undo = sqlx::query_scalar!(
        r#"DELETE FROM fluxnode_undo WHERE height = $1 RETURNING undo AS "undo: Json<Undo>""#,
        int(height)?,
    )
    .fetch_optional(conn)
    .await?;
    Ok(undo.map(|undo| undo.0))
}

/// The records of the blocks after `height`, last block first.
pub async fn after(conn: &mut PgConnection, height: u32) -> sqlx::Result<Vec<Undo>> {
    let records = sqlx::query_scalar!(
        r#"
        SELECT undo AS "undo: Json<Undo>" FROM fluxnode_undo WHERE height > $1
        ORDER BY height DESC
        "#,
        int(height)?,
    )
    .fetch_all(conn)
    .await?;
    Ok(records.into_iter().map(|undo| undo.0).collect())
}

/// The first block that can be taken back.
pub async fn lowest(conn: &mut PgConnection) -> sqlx::Result<Option<u32>> {
    let lowest = sqlx::query_scalar!("SELECT min(height) FROM fluxnode_undo")
        .fetch_one(conn)
        .await?;
    let column = Column("fluxnode_undo", "height");
    Ok(lowest
        .map(|height| column.uint("lowest", height))
        .transpose()?)
}
