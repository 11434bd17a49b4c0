//! Payments to watched addresses.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use fluxplane_flux_chain::Hash256;
use fluxplane_platform::db::paging::Page;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::columns::{Column, int, wire};
use crate::domain::{
    Payment, PaymentRecord, Tip,
    memo::MessageHash,
    payment::{PaidOutput, Place},
};

/// The place of a payment among those of its message: oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeKey {
    first_seen_at: DateTime<Utc>,
    txid: Hash256,
}

impl AgeKey {
    pub const fn of(record: &PaymentRecord) -> Self {
        Self {
            first_seen_at: record.payment.first_seen_at,
            txid: record.payment.txid,
        }
    }
}

struct Row {
    txid: Vec<u8>,
    message_hash: Option<Vec<u8>>,
    memo_problem: String,
    total_sat: i64,
    state: String,
    height: Option<i32>,
    block_hash: Option<Vec<u8>>,
    announced_confirmations: i32,
    first_seen_at: DateTime<Utc>,
}

const fn column(name: &'static str) -> Column {
    Column("payment", name)
}

const fn state(place: &Place) -> &'static str {
    match place {
        Place::Mempool => "mempool",
        Place::Mined(_) => "mined",
        Place::Dropped => "dropped",
    }
}

fn record(
    row: Row,
    outputs: &mut HashMap<Hash256, Vec<PaidOutput>>,
) -> sqlx::Result<PaymentRecord> {
    let txid = column("txid").hash(hex::encode(&row.txid), &row.txid)?;
    let message = match row.message_hash.as_deref() {
        None => None,
        Some(bytes) => Some(MessageHash(
            bytes
                .try_into()
                .map_err(|_| column("message_hash").wrong(txid, bytes))?,
        )),
    };
    let place = match (row.state.as_str(), row.height, row.block_hash) {
        ("mempool", None, None) => Place::Mempool,
        ("dropped", None, None) => Place::Dropped,
        ("mined", Some(height), Some(hash)) => Place::Mined(Tip {
            height: column("height").uint(txid, height)?,
            hash: Column("block", "hash").hash(txid, &hash)?,
        }),
        _ => return Err(column("state").wrong(txid, &row.state).into()),
    };
    Ok(PaymentRecord {
        payment: Payment {
            txid,
            message,
            memo_problem: row.memo_problem,
            outputs: outputs.remove(&txid).unwrap_or_default(),
            total: Sat::new(row.total_sat),
            first_seen_at: row.first_seen_at,
        },
        place,
        announced: column("announced_confirmations").uint(txid, row.announced_confirmations)?,
    })
}

async fn records(conn: &mut PgConnection, rows: Vec<Row>) -> sqlx::Result<Vec<PaymentRecord>> {
    let txids: Vec<&[u8]> = rows.iter().map(|row| row.txid.as_slice()).collect();
    let found = sqlx::query!(
        r#"
        SELECT txid, vout, address, amount_sat FROM payment_output
        WHERE txid = ANY($1::bytea[]) ORDER BY txid, vout
        "#,
        &txids as _,
    )
    .fetch_all(conn)
    .await?;
    let mut outputs: HashMap<Hash256, Vec<PaidOutput>> = HashMap::new();
    for row in found {
        let txid = column("txid").hash(hex::encode(&row.txid), &row.txid)?;
        let address = row
            .address
            .parse()
            .map_err(|_| Column("payment_output", "address").wrong(txid, &row.address))?;
        outputs.entry(txid).or_default().push(PaidOutput {
            vout: Column("payment_output", "vout").uint(txid, row.vout)?,
            address,
            amount: Sat::new(row.amount_sat),
        });
    }
    rows.into_iter()
        .map(|row| record(row, &mut outputs))
        .collect()
}

/// Stores payments as they stand now. What they say is stored once; a payment keeps the moment it was first seen.
pub async fn write(conn: &mut PgConnection, records: &[&PaymentRecord]) -> sqlx::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let txids = wire(records.iter().map(|record| &record.payment.txid));
    let messages: Vec<Option<&[u8]>> = records
        .iter()
        .map(|record| {
            record
                .payment
                .message
                .as_ref()
                .map(|hash| hash.0.as_slice())
        })
        .collect();
    let problems: Vec<&str> = records
        .iter()
        .map(|record| record.payment.memo_problem.as_str())
        .collect();
    let totals: Vec<i64> = records
        .iter()
        .map(|record| record.payment.total.get())
        .collect();
    let states: Vec<&str> = records.iter().map(|record| state(&record.place)).collect();
    let heights = records
        .iter()
        .map(|record| match record.place {
            Place::Mined(block) => int(block.height).map(Some),
            Place::Mempool | Place::Dropped => Ok(None),
        })
        .collect::<sqlx::Result<Vec<_>>>()?;
    let announced = records
        .iter()
        .map(|record| int(record.announced))
        .collect::<sqlx::Result<Vec<_>>>()?;
    let seen: Vec<DateTime<Utc>> = records
        .iter()
        .map(|record| record.payment.first_seen_at)
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO payment (
            txid, message_hash, memo_problem, total_sat, state, height, announced_confirmations,
            first_seen_at)
        SELECT * FROM unnest(
            $1::bytea[], $2::bytea[], $3::text[], $4::bigint[], $5::text[], $6::integer[],
            $7::integer[], $8::timestamptz[])
        ON CONFLICT (txid) DO UPDATE SET
            state = EXCLUDED.state, height = EXCLUDED.height,
            announced_confirmations = EXCLUDED.announced_confirmations
        "#,
        &txids as _,
        &messages as _,
        &problems as _,
        &totals,
        &states as _,
        &heights as _,
        &announced,
        &seen,
    )
    .execute(&mut *conn)
    .await?;
    write_outputs(conn, records).await
}

async fn write_outputs(conn: &mut PgConnection, records: &[&PaymentRecord]) -> sqlx::Result<()> {
    let rows: Vec<(&Hash256, &PaidOutput)> = records
        .iter()
        .flat_map(|record| {
            let txid = &record.payment.txid;
            record.payment.outputs.iter().map(move |out| (txid, out))
        })
        .collect();
    let txids = wire(rows.iter().map(|(txid, _)| *txid));
    let vouts = rows
        .iter()
        .map(|(_, out)| int(out.vout))
        .collect::<sqlx::Result<Vec<_>>>()?;
    let addresses: Vec<String> = rows
        .iter()
        .map(|(_, out)| out.address.to_string())
        .collect();
    let amounts: Vec<i64> = rows.iter().map(|(_, out)| out.amount.get()).collect();
    sqlx::query!(
        r#"
        INSERT INTO payment_output (txid, vout, address, amount_sat)
        SELECT * FROM unnest($1::bytea[], $2::integer[], $3::text[], $4::bigint[])
        ON CONFLICT DO NOTHING
        "#,
        &txids as _,
        &vouts,
        &addresses,
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Payments that are waiting or not final, that is announced with fewer than `last` confirmations.
pub async fn open(conn: &mut PgConnection, last: u32) -> sqlx::Result<Vec<PaymentRecord>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT p.txid, p.message_hash, p.memo_problem, p.total_sat, p.state, p.height,
               b.hash AS "block_hash?", p.announced_confirmations, p.first_seen_at
        FROM payment p LEFT JOIN block b ON b.height = p.height
        WHERE p.state = 'mempool' OR (p.state = 'mined' AND p.announced_confirmations < $1)
        "#,
        int(last)?,
    )
    .fetch_all(&mut *conn)
    .await?;
    records(conn, rows).await
}

/// Payments of a block, whatever was announced of them.
pub async fn of_block(conn: &mut PgConnection, height: u32) -> sqlx::Result<Vec<PaymentRecord>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT p.txid, p.message_hash, p.memo_problem, p.total_sat, p.state, p.height,
               b.hash AS "block_hash?", p.announced_confirmations, p.first_seen_at
        FROM payment p LEFT JOIN block b ON b.height = p.height
        WHERE p.height = $1 ORDER BY p.txid
        "#,
        int(height)?,
    )
    .fetch_all(&mut *conn)
    .await?;
    records(conn, rows).await
}

/// Payments for a message that are in the chain or the mempool, oldest first.
pub async fn for_message(
    conn: &mut PgConnection,
    message: MessageHash,
    page: &Page<AgeKey>,
) -> sqlx::Result<Vec<PaymentRecord>> {
    let after = page.after;
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT p.txid, p.message_hash, p.memo_problem, p.total_sat, p.state, p.height,
               b.hash AS "block_hash?", p.announced_confirmations, p.first_seen_at
        FROM payment p LEFT JOIN block b ON b.height = p.height
        WHERE p.message_hash = $1 AND p.state <> 'dropped'
          AND ($2::timestamptz IS NULL OR (p.first_seen_at, p.txid) > ($2, $3::bytea))
        ORDER BY p.first_seen_at, p.txid LIMIT $4
        "#,
        message.0.as_slice(),
        after.map(|key| key.first_seen_at),
        after.map(|key| key.txid.as_wire().to_vec()),
        page.fetch_limit(),
    )
    .fetch_all(&mut *conn)
    .await?;
    records(conn, rows).await
}
