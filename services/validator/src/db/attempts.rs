//! Signed transactions.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use fluxplane_flux_chain::{Hash256, OutPoint, ScriptBuf, build::Utxo};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, integer, unsigned},
};
use sqlx::PgConnection;

use crate::domain::{build::Signed, coins::Change};

/// Stores a transaction before anybody sees it.
pub async fn insert(
    conn: &mut PgConnection,
    epoch: u64,
    number: u32,
    signed: &Signed,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let number = integer(number);
    sqlx::query!(
        r#"
        INSERT INTO attempt (epoch, number, txid, raw, change_vout, change_sat, expiry_height, signed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        bigint(epoch),
        number,
        signed.txid,
        signed.raw,
        signed.change.map(|(vout, _)| i64::from(vout)),
        signed.change.map(|(_, value)| value.get()),
        i64::from(signed.expiry_height),
        now,
    )
    .execute(&mut *conn)
    .await?;
    for input in &signed.inputs {
        sqlx::query!(
            "INSERT INTO attempt_input (epoch, number, txid, vout) VALUES ($1, $2, $3, $4)",
            bigint(epoch),
            number,
            input.outpoint.txid.to_string(),
            i64::from(input.outpoint.n),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// A stored transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub txid: String,
    pub raw: Vec<u8>,
    pub expiry_height: u64,
}

pub async fn get(
    conn: &mut PgConnection,
    epoch: u64,
    number: u32,
) -> sqlx::Result<Option<Attempt>> {
    let row = sqlx::query!(
        "SELECT txid, raw, expiry_height FROM attempt WHERE epoch = $1 AND number = $2",
        bigint(epoch),
        integer(number),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Attempt {
            expiry_height: unsigned("attempt", "expiry_height", &row.txid, row.expiry_height)?,
            txid: row.txid,
            raw: row.raw,
        })
    })
    .transpose()
}

/// Change of the transactions that count and are in no block yet. `script` is that of the anchoring address.
pub async fn changes_under_way(
    conn: &mut PgConnection,
    script: &ScriptBuf,
) -> sqlx::Result<Vec<Change>> {
    let rows = sqlx::query!(
        r#"
        SELECT attempt.epoch, txid, change_vout AS "change_vout!", change_sat AS "change_sat!"
        FROM attempt JOIN anchor ON anchor.epoch = attempt.epoch AND anchor.attempt = attempt.number
        WHERE state IN ('signed', 'broadcast') AND change_vout IS NOT NULL
        "#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Change {
                epoch: unsigned("attempt", "epoch", row.epoch, row.epoch)?,
                utxo: Utxo {
                    outpoint: outpoint(&row.txid, row.change_vout)?,
                    value: Sat::new(row.change_sat),
                    script: script.clone(),
                },
            })
        })
        .collect()
}

/// Coins that transactions under way spend.
pub async fn reserved(conn: &mut PgConnection) -> sqlx::Result<BTreeSet<OutPoint>> {
    let rows = sqlx::query!(
        r#"
        SELECT attempt_input.txid, vout
        FROM attempt_input JOIN anchor ON anchor.epoch = attempt_input.epoch AND anchor.attempt = attempt_input.number
        WHERE state IN ('signed', 'broadcast', 'confirmed')
        "#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| outpoint(&row.txid, row.vout))
        .collect()
}

fn outpoint(txid: &str, vout: i64) -> sqlx::Result<OutPoint> {
    let wrong = || Inconsistency::new("attempt", "txid", txid, vout);
    let hash: Hash256 = txid.parse().map_err(|_| wrong())?;
    let index = u32::try_from(vout).map_err(|_| wrong())?;
    Ok(OutPoint::new(hash, index))
}
