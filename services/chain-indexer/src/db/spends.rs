//! Spends of watched outputs, for an index that does not know every output.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{Address, OutPoint, ScriptBuf};
use sqlx::PgConnection;

use super::{
    columns::{Column, int, outpoints, wire},
    ledger::outputs::{ShownOutput, ShownSpend},
};
use crate::domain::ledger::flows::Spend;

/// A spend and its block.
#[derive(Debug, Clone, Copy)]
pub struct SpendAt<'s> {
    pub height: u32,
    pub spend: &'s Spend,
}

/// Stores those spends whose output is watched. Collateral outputs and payments of the same blocks must be stored already.
pub async fn insert(conn: &mut PgConnection, spends: &[SpendAt<'_>]) -> sqlx::Result<()> {
    // An index that no column holds is not watched.
    let spends: Vec<&SpendAt<'_>> = spends
        .iter()
        .filter(|at| i32::try_from(at.spend.previous.n).is_ok())
        .collect();
    if spends.is_empty() {
        return Ok(());
    }
    let (txids, vouts) = outpoints(spends.iter().map(|at| &at.spend.previous))?;
    let by = wire(spends.iter().map(|at| &at.spend.txid));
    let vins = spends
        .iter()
        .map(|at| int(at.spend.vin))
        .collect::<sqlx::Result<Vec<_>>>()?;
    let heights = spends
        .iter()
        .map(|at| int(at.height))
        .collect::<sqlx::Result<Vec<_>>>()?;
    sqlx::query!(
        r#"
        INSERT INTO watched_spend (txid, vout, spending_txid, vin, height)
        SELECT s.txid, s.vout, s.spending_txid, s.vin, s.height
        FROM unnest($1::bytea[], $2::integer[], $3::bytea[], $4::integer[], $5::integer[])
            AS s (txid, vout, spending_txid, vin, height)
        WHERE EXISTS (SELECT 1 FROM collateral_output c WHERE c.txid = s.txid AND c.vout = s.vout)
           OR EXISTS (SELECT 1 FROM payment_output p WHERE p.txid = s.txid AND p.vout = s.vout)
        ON CONFLICT (txid, vout) DO NOTHING
        "#,
        &txids as _,
        &vouts,
        &by as _,
        &vins,
        &heights,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the spends of a block that is undone.
pub async fn delete_of_block(conn: &mut PgConnection, height: u32) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM watched_spend WHERE height = $1", int(height)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// A watched output of the best chain and what spends it.
pub async fn watched(
    conn: &mut PgConnection,
    wanted: OutPoint,
) -> sqlx::Result<Option<ShownOutput>> {
    let Ok(vout) = i32::try_from(wanted.n) else {
        return Ok(None);
    };
    let row = sqlx::query!(
        r#"
        SELECT o.height AS "height!", o.value_sat AS "value_sat!", o.script, o.address,
               s.spending_txid AS "spending_txid?", s.vin AS "vin?", s.height AS "spent_height?"
        FROM (
            SELECT 1 AS choice, txid, vout, height, value_sat, script, NULL::text AS address
            FROM collateral_output WHERE txid = $1 AND vout = $2
            UNION ALL
            SELECT 2, p.txid, p.vout, m.height, p.amount_sat, NULL, p.address
            FROM payment_output p JOIN payment m USING (txid)
            WHERE p.txid = $1 AND p.vout = $2 AND m.state = 'mined'
        ) o
        LEFT JOIN watched_spend s ON s.txid = o.txid AND s.vout = o.vout
        ORDER BY o.choice LIMIT 1
        "#,
        wanted.txid.as_wire().as_slice(),
        vout,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let script = match (row.script, row.address) {
        (Some(script), _) => ScriptBuf::new(script),
        (None, Some(text)) => {
            let address = text.parse::<Address>();
            let address =
                address.map_err(|_| Column("payment_output", "address").wrong(wanted, &text))?;
            address.script()
        }
        (None, None) => return Err(Column("payment_output", "address").wrong(wanted, "").into()),
    };
    let column = |name| Column("watched_spend", name);
    let spent = match (row.spending_txid, row.vin, row.spent_height) {
        (Some(txid), Some(vin), Some(height)) => Some(ShownSpend {
            txid: column("spending_txid").hash(wanted, &txid)?,
            vin: column("vin").uint(wanted, vin)?,
            height: column("height").uint(wanted, height)?,
        }),
        _ => None,
    };
    Ok(Some(ShownOutput {
        outpoint: wanted,
        value: Sat::new(row.value_sat),
        script,
        height: Column("collateral_output", "height").uint(wanted, row.height)?,
        spent,
    }))
}
