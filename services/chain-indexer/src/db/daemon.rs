//! What the daemons said last, and what they agreed on.

use chrono::{DateTime, Utc};
use fluxplane_flux_chain::Hash256;
use sqlx::PgConnection;

use super::columns::{Column, int, int_of};
use crate::domain::{Tip, agreement::SourceReport};

/// A row of `daemon`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub name: String,
    /// Its last block, since it ever answered.
    pub tip: Option<Tip>,
    pub seen_at: Option<DateTime<Utc>>,
    pub agrees: bool,
    pub problem: String,
}

/// The row of `agreement`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The last block that was agreed on, and when.
    pub reached: Option<(Tip, DateTime<Utc>)>,
    pub quorum: u32,
    /// Why the daemons do not agree now; empty while they do.
    pub problem: String,
}

/// Enough daemons have a block.
pub async fn agreed(
    conn: &mut PgConnection,
    block: Tip,
    quorum: usize,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO agreement (height, hash, reached_at, quorum) VALUES ($1, $2, $3, $4)
        ON CONFLICT (singleton) DO UPDATE SET
            height = EXCLUDED.height, hash = EXCLUDED.hash, reached_at = EXCLUDED.reached_at,
            quorum = EXCLUDED.quorum, problem = ''
        "#,
        int(block.height)?,
        block.hash.as_wire().as_slice(),
        at,
        small(quorum)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// No block has enough daemons.
pub async fn disagreed(conn: &mut PgConnection, quorum: usize, problem: &str) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO agreement (quorum, problem) VALUES ($1, $2)
        ON CONFLICT (singleton) DO UPDATE SET quorum = EXCLUDED.quorum, problem = EXCLUDED.problem
        "#,
        small(quorum)?,
        problem,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes the rows those of the daemons that are asked.
pub async fn set(
    conn: &mut PgConnection,
    reports: &[SourceReport],
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let names: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
    let heights = reports
        .iter()
        .map(|report| report.tip.map(|tip| int(tip.height)).transpose())
        .collect::<sqlx::Result<Vec<_>>>()?;
    let hashes: Vec<Option<Vec<u8>>> = reports
        .iter()
        .map(|report| report.tip.map(|tip| tip.hash.as_wire().to_vec()))
        .collect();
    let seen: Vec<Option<DateTime<Utc>>> = reports
        .iter()
        .map(|report| report.answered.then_some(at))
        .collect();
    let agrees: Vec<bool> = reports.iter().map(|report| report.agrees).collect();
    let problems: Vec<&str> = reports
        .iter()
        .map(|report| report.problem.as_str())
        .collect();
    sqlx::query!(
        r#"
        WITH asked AS (
            SELECT * FROM unnest($1::text[], $2::integer[], $3::bytea[], $4::timestamptz[], $5::boolean[], $6::text[])
                WITH ORDINALITY AS a (name, height, hash, seen_at, agrees, problem, ordinal)
        ), gone AS (
            DELETE FROM daemon WHERE name NOT IN (SELECT name FROM asked)
        )
        INSERT INTO daemon AS d (name, height, hash, seen_at, agrees, problem, ordinal)
        SELECT name, height, hash, seen_at, agrees, problem, ordinal::smallint FROM asked
        ON CONFLICT (name) DO UPDATE SET
            height = coalesce(EXCLUDED.height, d.height), hash = coalesce(EXCLUDED.hash, d.hash),
            seen_at = coalesce(EXCLUDED.seen_at, d.seen_at), agrees = EXCLUDED.agrees,
            problem = EXCLUDED.problem, ordinal = EXCLUDED.ordinal
        "#,
        &names as _,
        &heights as _,
        &hashes as _,
        &seen as _,
        &agrees,
        &problems as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn agreement(conn: &mut PgConnection) -> sqlx::Result<Option<Agreement>> {
    let row = sqlx::query!("SELECT height, hash, reached_at, quorum, problem FROM agreement")
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let block = tip("agreement", "row", row.height, row.hash.as_deref())?;
    let quorum = u32::try_from(row.quorum)
        .map_err(|_| Column("agreement", "quorum").wrong("row", row.quorum))?;
    Ok(Some(Agreement {
        reached: block.zip(row.reached_at),
        quorum,
        problem: row.problem,
    }))
}

/// All daemons that are asked, in the order of the configuration.
pub async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<Stored>> {
    let rows = sqlx::query!(
        "SELECT name, height, hash, seen_at, agrees, problem FROM daemon ORDER BY ordinal, name"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Stored {
                tip: tip("daemon", &row.name, row.height, row.hash.as_deref())?,
                name: row.name,
                seen_at: row.seen_at,
                agrees: row.agrees,
                problem: row.problem,
            })
        })
        .collect()
}

fn tip(
    table: &'static str,
    row: &str,
    height: Option<i32>,
    hash: Option<&[u8]>,
) -> sqlx::Result<Option<Tip>> {
    let Some((height, hash)) = height.zip(hash) else {
        return Ok(None);
    };
    let height: u32 = Column(table, "height").uint(row, height)?;
    let hash: Hash256 = Column(table, "hash").hash(row, hash)?;
    Ok(Some(Tip { height, hash }))
}

fn small(count: usize) -> sqlx::Result<i16> {
    i16::try_from(int_of(count)?).map_err(|err| sqlx::Error::Encode(Box::new(err)))
}
