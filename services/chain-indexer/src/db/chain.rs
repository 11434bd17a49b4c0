//! The tip.

use fluxplane_flux_chain::Hash256;
use fluxplane_platform::db::ensure_one_row;
use sqlx::PgConnection;

use super::columns::{Column, int};
use crate::domain::{IndexMode, Tip};

/// The row of `chain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub network: String,
    pub genesis: Hash256,
    pub tip: Tip,
    pub peak: u32,
    /// Height of the snapshot the index began from; 0 when it began with the first block.
    pub base: u32,
    pub halted_reason: String,
    /// `None` in a database from before there were modes.
    pub mode: Option<IndexMode>,
}

pub async fn get(conn: &mut PgConnection) -> sqlx::Result<Option<Stored>> {
    let row = sqlx::query!(
        "SELECT network, genesis_hash, height, hash, peak_height, base_height, halted_reason, index_mode FROM chain"
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (height, peak) = (
        Column("chain", "height").uint("tip", row.height)?,
        Column("chain", "peak_height").uint("tip", row.peak_height)?,
    );
    let hash = Column("chain", "hash").hash("tip", &row.hash)?;
    Ok(Some(Stored {
        network: row.network,
        genesis: Column("chain", "genesis_hash").hash("tip", &row.genesis_hash)?,
        tip: Tip { height, hash },
        peak,
        base: Column("chain", "base_height").uint("tip", row.base_height)?,
        halted_reason: row.halted_reason,
        mode: row.index_mode.map(mode).transpose()?,
    }))
}

fn mode(text: String) -> sqlx::Result<IndexMode> {
    let mode = text.parse();
    Ok(mode.map_err(|_| Column("chain", "index_mode").wrong("tip", text))?)
}

/// Makes the row with the first block.
pub async fn begin(
    conn: &mut PgConnection,
    network: &str,
    genesis: Tip,
    mode: IndexMode,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO chain (network, genesis_hash, height, hash, peak_height, index_mode)
        VALUES ($1, $2, $3, $2, $3, $4)
        "#,
        network,
        genesis.hash.as_wire().as_slice(),
        int(genesis.height)?,
        mode.name(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves the tip, which must be where the caller believes it to be. The row stays locked until the transaction ends.
pub async fn move_tip(conn: &mut PgConnection, from: Tip, to: Tip) -> sqlx::Result<()> {
    let moved = sqlx::query!(
        r#"
        UPDATE chain SET height = $3, hash = $4, peak_height = greatest(peak_height, $3)
        WHERE height = $1 AND hash = $2
        "#,
        int(from.height)?,
        from.hash.as_wire().as_slice(),
        int(to.height)?,
        to.hash.as_wire().as_slice(),
    )
    .execute(conn)
    .await?;
    ensure_one_row(moved.rows_affected(), "move tip")
}

/// Writes down the mode of a database from before there were modes.
pub async fn set_mode(conn: &mut PgConnection, mode: IndexMode) -> sqlx::Result<()> {
    let changed = sqlx::query!(
        "UPDATE chain SET index_mode = $1 WHERE index_mode IS NULL",
        mode.name(),
    )
    .execute(conn)
    .await?;
    ensure_one_row(changed.rows_affected(), "set mode")
}

pub async fn set_halted(conn: &mut PgConnection, reason: &str) -> sqlx::Result<()> {
    let changed = sqlx::query!("UPDATE chain SET halted_reason = $1", reason)
        .execute(conn)
        .await?;
    ensure_one_row(changed.rows_affected(), "set halted reason")
}

/// Numbers for `count` events, ascending and above all given out before.
pub async fn next_sequences(conn: &mut PgConnection, count: usize) -> sqlx::Result<Vec<u64>> {
    let count = i32::try_from(count).map_err(|err| sqlx::Error::Encode(Box::new(err)))?;
    let mut numbers = sqlx::query_scalar!(
        r#"SELECT nextval('event_sequence') AS "number!" FROM generate_series(1, $1)"#,
        count,
    )
    .fetch_all(conn)
    .await?;
    numbers.sort_unstable();
    numbers
        .into_iter()
        .map(|number| u64::try_from(number).map_err(|err| sqlx::Error::Decode(Box::new(err))))
        .collect()
}
