//! Outputs that a start may name.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{OutPoint, ScriptBuf, fluxnode::Collateral};
use sqlx::PgConnection;

use super::columns::{Column, int, outpoint, outpoints};
use crate::domain::{BlockEffects, chain::Collaterals};

pub async fn insert(conn: &mut PgConnection, effects: &[BlockEffects]) -> sqlx::Result<()> {
    let rows: Vec<&(OutPoint, Collateral)> = effects
        .iter()
        .flat_map(|block| &block.collaterals)
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let (txids, vouts) = outpoints(rows.iter().map(|(outpoint, _)| outpoint))?;
    let heights = rows
        .iter()
        .map(|(_, output)| int(output.height))
        .collect::<sqlx::Result<Vec<_>>>()?;
    let values: Vec<i64> = rows.iter().map(|(_, output)| output.value.get()).collect();
    let scripts: Vec<&[u8]> = rows.iter().map(|(_, output)| &*output.script).collect();
    sqlx::query!(
        r#"
        INSERT INTO collateral_output (txid, vout, height, value_sat, script)
        SELECT * FROM unnest($1::bytea[], $2::integer[], $3::integer[], $4::bigint[], $5::bytea[])
        "#,
        &txids as _,
        &vouts,
        &heights,
        &values,
        &scripts as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Those of `wanted` that exist.
pub async fn get(conn: &mut PgConnection, wanted: &[OutPoint]) -> sqlx::Result<Collaterals> {
    if wanted.is_empty() {
        return Ok(Collaterals::new());
    }
    // An index that no column holds names nothing.
    let known = wanted.iter().filter(|out| i32::try_from(out.n).is_ok());
    let (txids, vouts) = outpoints(known)?;
    let rows = sqlx::query!(
        r#"
        SELECT c.txid, c.vout, c.height, c.value_sat, c.script
        FROM collateral_output c
        JOIN unnest($1::bytea[], $2::integer[]) AS wanted (txid, vout) USING (txid, vout)
        "#,
        &txids as _,
        &vouts,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let name = outpoint("collateral_output", &row.txid, row.vout)?;
            let collateral = Collateral {
                value: Sat::new(row.value_sat),
                height: Column("collateral_output", "height").uint(name, row.height)?,
                script: ScriptBuf::new(row.script),
            };
            Ok((name, collateral))
        })
        .collect()
}

/// Removes the outputs of a block that is undone.
pub async fn delete_of_block(conn: &mut PgConnection, height: u32) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM collateral_output WHERE height = $1",
        int(height)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}
