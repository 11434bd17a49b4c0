//! Outputs: made, spent, looked up.

use std::collections::HashMap;

use fluxplane_core::Sat;
use fluxplane_flux_chain::{Hash256, OutPoint, ScriptBuf};
use fluxplane_platform::db::paging::Page;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::ensure_rows;
use crate::{
    db::{
        columns::{Column, int, outpoint, outpoints},
        copy::Rows,
    },
    domain::ledger::settle::{Account, MadeOutput, OutputRow, Place, SpentRow},
};

/// Bytes of a row in the stream.
const ROW_BYTES: usize = 2 + 8 * 4 + 4 * 7 + 8;

/// An output as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownOutput {
    pub outpoint: OutPoint,
    pub value: Sat,
    pub script: ScriptBuf,
    pub height: u32,
    pub spent: Option<ShownSpend>,
}

/// What spends an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownSpend {
    pub txid: Hash256,
    pub vin: u32,
    pub height: u32,
}

/// An output that nobody spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unspent {
    pub key: OutputKey,
    pub outpoint: OutPoint,
    pub value: Sat,
}

/// Place of an output on the chain, and among the outputs of its script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputKey {
    pub height: u32,
    pub position: u32,
    pub vout: u32,
}

const fn column(name: &'static str) -> Column {
    Column("output", name)
}

pub(super) async fn insert(conn: &mut PgConnection, outputs: &[OutputRow]) -> sqlx::Result<()> {
    let mut rows = Rows::new(8, outputs.len() * ROW_BYTES);
    for output in outputs {
        rows.row()
            .uint(output.at.height)?
            .uint(output.at.position)?
            .uint(output.vout)?
            .integer(output.account)
            .bigint(output.value);
        match output.spent {
            Some(by) => rows
                .uint(by.at.height)?
                .uint(by.at.position)?
                .uint(by.vin)?,
            None => rows.null().null().null(),
        };
    }
    let target = "output (height, position, vout, account, value_sat, spent_height, spent_position, spent_vin)";
    rows.write(conn, target).await
}

/// Marks outputs of earlier blocks as spent.
pub(super) async fn spend(conn: &mut PgConnection, spent: &[SpentRow]) -> sqlx::Result<()> {
    if spent.is_empty() {
        return Ok(());
    }
    let ints = |field: fn(&SpentRow) -> u32| -> sqlx::Result<Vec<i32>> {
        spent.iter().map(|row| int(field(row))).collect()
    };
    let changed = sqlx::query!(
        r#"
        UPDATE output o
        SET spent_height = s.by_height, spent_position = s.by_position, spent_vin = s.vin
        FROM unnest($1::integer[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[])
            AS s (height, position, vout, by_height, by_position, vin)
        WHERE o.height = s.height AND o.position = s.position AND o.vout = s.vout
          AND o.spent_height IS NULL
        "#,
        &ints(|row| row.at.height)?,
        &ints(|row| row.at.position)?,
        &ints(|row| row.vout)?,
        &ints(|row| row.by.at.height)?,
        &ints(|row| row.by.at.position)?,
        &ints(|row| row.by.vin)?,
    )
    .execute(conn)
    .await?;
    ensure_rows(changed.rows_affected(), spent.len(), "spend outputs")
}

/// Those of `wanted` that were made.
///
/// `OFFSET 0` keeps the planner from joining in another order: during a sync the tables have no statistics yet, and on a guess it
/// compares every output with every wanted one by its index alone.
pub async fn find(
    conn: &mut PgConnection,
    wanted: &[OutPoint],
) -> sqlx::Result<HashMap<OutPoint, MadeOutput>> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    // An index that no column holds names nothing.
    let known = wanted.iter().filter(|out| i32::try_from(out.n).is_ok());
    let (txids, vouts) = outpoints(known)?;
    let rows = sqlx::query!(
        r#"
        SELECT t.txid AS "txid!", o.height AS "height!", o.position AS "position!", o.vout AS "vout!",
               o.account AS "account!", o.value_sat AS "value_sat!", o.spent AS "spent!"
        FROM unnest($1::bytea[], $2::integer[]) AS wanted (txid, vout)
        CROSS JOIN LATERAL (
            SELECT txid, height, position FROM block_transaction WHERE txid = wanted.txid OFFSET 0
        ) t
        CROSS JOIN LATERAL (
            SELECT height, position, vout, account, value_sat, spent_height IS NOT NULL AS spent
            FROM output
            WHERE height = t.height AND position = t.position AND vout = wanted.vout OFFSET 0
        ) o
        "#,
        &txids as _,
        &vouts,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let name = outpoint("output", &row.txid, row.vout)?;
            let made = MadeOutput {
                at: Place {
                    height: column("height").uint(name, row.height)?,
                    position: column("position").uint(name, row.position)?,
                },
                vout: name.n,
                account: row.account,
                value: row.value_sat,
                spent: row.spent,
            };
            Ok((name, made))
        })
        .collect()
}

/// An output and what spends it.
pub async fn get(conn: &mut PgConnection, wanted: OutPoint) -> sqlx::Result<Option<ShownOutput>> {
    let Ok(vout) = i32::try_from(wanted.n) else {
        return Ok(None);
    };
    let row = sqlx::query!(
        r#"
        SELECT o.height, o.value_sat, a.script, o.spent_height, o.spent_vin,
               by.txid AS "spending_txid?"
        FROM block_transaction t
        JOIN output o ON o.height = t.height AND o.position = t.position
        JOIN account a ON a.id = o.account
        LEFT JOIN block_transaction by
            ON by.height = o.spent_height AND by.position = o.spent_position
        WHERE t.txid = $1 AND o.vout = $2
        "#,
        wanted.txid.as_wire().as_slice(),
        vout,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let spent = match (row.spending_txid, row.spent_vin, row.spent_height) {
        (Some(txid), Some(vin), Some(height)) => Some(ShownSpend {
            txid: Column("block_transaction", "txid").hash(wanted, &txid)?,
            vin: column("spent_vin").uint(wanted, vin)?,
            height: column("spent_height").uint(wanted, height)?,
        }),
        (None, None, None) => None,
        (found, _, height) => {
            return Err(column("spent_height").wrong(wanted, (found, height)).into());
        }
    };
    Ok(Some(ShownOutput {
        outpoint: wanted,
        value: Sat::new(row.value_sat),
        script: ScriptBuf::new(row.script),
        height: column("height").uint(wanted, row.height)?,
        spent,
    }))
}

/// Outputs of a script that nobody spent, oldest first.
pub async fn unspent(
    conn: &mut PgConnection,
    account: Account,
    page: &Page<OutputKey>,
) -> sqlx::Result<Vec<Unspent>> {
    let after = page.after;
    let rows = sqlx::query!(
        r#"
        SELECT o.height, o.position, o.vout, o.value_sat, t.txid
        FROM (
            SELECT height, position, vout, value_sat FROM output
            WHERE account = $1 AND spent_height IS NULL
              AND ($2::integer IS NULL OR (height, position, vout) > ($2, $3::integer, $4::integer))
            ORDER BY height, position, vout LIMIT $5
        ) o
        JOIN block_transaction t ON t.height = o.height AND t.position = o.position
        ORDER BY o.height, o.position, o.vout
        "#,
        account,
        after.map(|key| beyond(key.height)),
        after.map(|key| beyond(key.position)),
        after.map(|key| beyond(key.vout)),
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let outpoint = outpoint("output", &row.txid, row.vout)?;
            Ok(Unspent {
                key: OutputKey {
                    height: column("height").uint(outpoint, row.height)?,
                    position: column("position").uint(outpoint, row.position)?,
                    vout: outpoint.n,
                },
                outpoint,
                value: Sat::new(row.value_sat),
            })
        })
        .collect()
}

/// A part of a cursor as a column; what no column holds comes after everything there is.
pub(super) fn beyond(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
