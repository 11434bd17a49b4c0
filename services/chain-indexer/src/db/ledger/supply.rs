//! How much there is after each block.

use sqlx::PgConnection;

use crate::{
    db::{
        columns::{Column, int},
        copy::Rows,
    },
    domain::ledger::settle::{Supply, SupplyRow},
};

/// Bytes of a row in the stream.
const ROW_BYTES: usize = 2 + 5 * 4 + 4 + 4 * 8;

pub(super) async fn insert(conn: &mut PgConnection, supplies: &[SupplyRow]) -> sqlx::Result<()> {
    let mut rows = Rows::new(5, supplies.len() * ROW_BYTES);
    for supply in supplies {
        rows.row()
            .uint(supply.height)?
            .bigint(supply.coinbase)
            .bigint(supply.fees)
            .bigint(supply.after.transparent)
            .bigint(supply.after.shielded);
    }
    let target = "block_supply (height, coinbase_sat, fees_sat, transparent_sat, shielded_sat)";
    rows.write(conn, target).await
}

/// After the block at `height`.
pub async fn get(conn: &mut PgConnection, height: u32) -> sqlx::Result<Option<SupplyRow>> {
    let row = sqlx::query!(
        r#"
        SELECT height, coinbase_sat, fees_sat, transparent_sat, shielded_sat
        FROM block_supply WHERE height = $1
        "#,
        int(height)?,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(SupplyRow {
        height: Column("block_supply", "height").uint(height, row.height)?,
        coinbase: row.coinbase_sat,
        fees: row.fees_sat,
        after: Supply {
            transparent: row.transparent_sat,
            shielded: row.shielded_sat,
        },
    }))
}
