//! The copy of the daemon's mempool.

use chrono::{DateTime, Utc};
use fluxplane_flux_chain::Hash256;
use sqlx::PgConnection;

use super::columns::{Column, wire};

/// All transactions.
pub async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<(Hash256, Vec<u8>)>> {
    let rows = sqlx::query!("SELECT txid, raw FROM mempool_transaction")
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            let txid = Column("mempool_transaction", "txid").hash("?", &row.txid)?;
            Ok((txid, row.raw))
        })
        .collect()
}

pub async fn get(conn: &mut PgConnection, txid: Hash256) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "SELECT raw FROM mempool_transaction WHERE txid = $1",
        txid.as_wire().as_slice(),
    )
    .fetch_optional(conn)
    .await
}

pub async fn insert(
    conn: &mut PgConnection,
    transactions: &[(Hash256, Vec<u8>)],
    seen_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    if transactions.is_empty() {
        return Ok(());
    }
    let txids = wire(transactions.iter().map(|(txid, _)| txid));
    let raws: Vec<&[u8]> = transactions.iter().map(|(_, raw)| raw.as_slice()).collect();
    sqlx::query!(
        r#"
        INSERT INTO mempool_transaction (txid, raw, seen_at)
        SELECT txid, raw, $3 FROM unnest($1::bytea[], $2::bytea[]) AS found (txid, raw)
        ON CONFLICT DO NOTHING
        "#,
        &txids as _,
        &raws as _,
        seen_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets transactions that left the mempool, into a block or nowhere.
pub async fn delete(conn: &mut PgConnection, gone: &[Hash256]) -> sqlx::Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let txids = wire(gone);
    sqlx::query!(
        "DELETE FROM mempool_transaction WHERE txid = ANY($1::bytea[])",
        &txids as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
