//! The block an index began at when it did not begin at the first one.

use chrono::{DateTime, Utc};
use fluxplane_flux_chain::{Hash256, OutPoint, fluxnode::Collateral};
use fluxplane_platform::db::ensure_one_row;
use sqlx::PgConnection;

use super::columns::{Column, int, int_of, outpoints};
use crate::domain::{CheckedBlock, IndexMode, Tip};

/// Makes the row of the block. Its transactions are not kept: what they spend and pay is unknown.
pub async fn insert_block(
    conn: &mut PgConnection,
    tip: Tip,
    block: &CheckedBlock,
) -> sqlx::Result<()> {
    let time: DateTime<Utc> = DateTime::from_timestamp(i64::from(block.parse().header.time), 0)
        .expect("32 bits of seconds are far from the end of time");
    let previous = block.previous();
    sqlx::query!(
        "INSERT INTO block (height, hash, previous_hash, time, size_bytes) VALUES ($1, $2, $3, $4, $5)",
        int(tip.height)?,
        tip.hash.as_wire().as_slice(),
        previous.as_wire().as_slice(),
        time,
        int_of(block.size())?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes the row of the chain.
pub async fn begin(
    conn: &mut PgConnection,
    network: &str,
    genesis: Hash256,
    base: Tip,
    mode: IndexMode,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO chain (network, genesis_hash, height, hash, peak_height, base_height, index_mode)
        VALUES ($1, $2, $3, $4, $3, $3, $5)
        "#,
        network,
        genesis.as_wire().as_slice(),
        int(base.height)?,
        base.hash.as_wire().as_slice(),
        mode.name(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Height of the base; 0 without one.
pub async fn height(conn: &mut PgConnection) -> sqlx::Result<u32> {
    let height = sqlx::query_scalar!("SELECT base_height FROM chain")
        .fetch_optional(conn)
        .await?;
    Ok(Column("chain", "base_height").uint("tip", height.unwrap_or(0))?)
}

/// Removes the base, which must be the tip, and the lists it came with. Payments stay: no row of theirs is ever deleted.
pub async fn discard(conn: &mut PgConnection, base: Tip) -> sqlx::Result<()> {
    let deleted = sqlx::query!(
        "DELETE FROM chain WHERE height = $1 AND hash = $2 AND base_height = $1",
        int(base.height)?,
        base.hash.as_wire().as_slice(),
    )
    .execute(&mut *conn)
    .await?;
    ensure_one_row(deleted.rows_affected(), "discard base")?;
    sqlx::query!("DELETE FROM fluxnode")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM fluxnode_delegates")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM fluxnode_undo")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM fluxnode_log")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM collateral_output")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM block WHERE height = $1", int(base.height)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds outputs from before the base.
pub async fn learn(
    conn: &mut PgConnection,
    outputs: &[(OutPoint, Collateral)],
) -> sqlx::Result<()> {
    let (txids, vouts) = outpoints(outputs.iter().map(|(name, _)| name))?;
    let heights = outputs
        .iter()
        .map(|(_, output)| int(output.height))
        .collect::<sqlx::Result<Vec<_>>>()?;
    let values: Vec<i64> = outputs
        .iter()
        .map(|(_, output)| output.value.get())
        .collect();
    let scripts: Vec<&[u8]> = outputs.iter().map(|(_, output)| &*output.script).collect();
    sqlx::query!(
        r#"
        INSERT INTO collateral_output (txid, vout, height, value_sat, script)
        SELECT * FROM unnest($1::bytea[], $2::integer[], $3::integer[], $4::bigint[], $5::bytea[])
        ON CONFLICT DO NOTHING
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
