//! Payments to watched addresses.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use fluxplane_flux_chain::{Hash256, OutPoint};
use fluxplane_platform::db::paging::Page;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::columns::{Column, int, wire};
use crate::domain::{
    Payment, PaymentRecord, Tip,
    memo::{Memo, MemoProblem, MessageHash, ProblemKind},
    payment::{Departure, PaidOutput, Place},
};

/// The place of a payment in a list: oldest first.
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
    problem: String,
    total_sat: i64,
    state: String,
    departure: String,
    conflicting_txid: Option<Vec<u8>>,
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
        Place::Dropped(_) => "dropped",
    }
}

fn memo(txid: Hash256, row: &Row) -> sqlx::Result<Memo> {
    let Some(bytes) = row.message_hash.as_deref() else {
        let kind = ProblemKind::from_name(&row.problem);
        return Ok(Memo::Problem(MemoProblem {
            kind: kind.ok_or_else(|| column("problem").wrong(txid, &row.problem))?,
            text: row.memo_problem.clone(),
        }));
    };
    let hash = bytes.try_into();
    Ok(Memo::Message(MessageHash(
        hash.map_err(|_| column("message_hash").wrong(txid, bytes))?,
    )))
}

/// Why a dropped payment is gone. Those of the first release do not tell.
fn departure(txid: Hash256, row: &Row) -> sqlx::Result<Departure> {
    let conflicting = row.conflicting_txid.as_deref();
    let conflicting = conflicting.map(|bytes| column("conflicting_txid").hash(txid, bytes));
    match (row.departure.as_str(), conflicting.transpose()?) {
        ("" | "missing", _) => Ok(Departure::Missing),
        ("replaced", Some(other)) => Ok(Departure::Replaced(other)),
        ("double_spent", Some(other)) => Ok(Departure::DoubleSpent(other)),
        _ => Err(column("departure").wrong(txid, &row.departure).into()),
    }
}

/// What belongs to payments in other tables.
#[derive(Debug, Default)]
struct Parts {
    outputs: HashMap<Hash256, Vec<PaidOutput>>,
    inputs: HashMap<Hash256, Vec<OutPoint>>,
}

fn record(row: &Row, parts: &mut Parts) -> sqlx::Result<PaymentRecord> {
    let txid = column("txid").hash(hex::encode(&row.txid), &row.txid)?;
    let place = match (row.state.as_str(), row.height, row.block_hash.as_deref()) {
        ("mempool", None, None) => Place::Mempool,
        ("dropped", None, None) => Place::Dropped(departure(txid, row)?),
        ("mined", Some(height), Some(hash)) => Place::Mined(Tip {
            height: column("height").uint(txid, height)?,
            hash: Column("block", "hash").hash(txid, hash)?,
        }),
        _ => return Err(column("state").wrong(txid, &row.state).into()),
    };
    Ok(PaymentRecord {
        payment: Payment {
            txid,
            memo: memo(txid, row)?,
            inputs: parts.inputs.remove(&txid).unwrap_or_default(),
            outputs: parts.outputs.remove(&txid).unwrap_or_default(),
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
    .fetch_all(&mut *conn)
    .await?;
    let mut parts = Parts {
        inputs: inputs(conn, &txids).await?,
        ..Parts::default()
    };
    for row in found {
        let txid = column("txid").hash(hex::encode(&row.txid), &row.txid)?;
        let address = row
            .address
            .parse()
            .map_err(|_| Column("payment_output", "address").wrong(txid, &row.address))?;
        parts.outputs.entry(txid).or_default().push(PaidOutput {
            vout: Column("payment_output", "vout").uint(txid, row.vout)?,
            address,
            amount: Sat::new(row.amount_sat),
        });
    }
    rows.iter().map(|row| record(row, &mut parts)).collect()
}

async fn inputs(
    conn: &mut PgConnection,
    txids: &[&[u8]],
) -> sqlx::Result<HashMap<Hash256, Vec<OutPoint>>> {
    let found = sqlx::query!(
        r#"
        SELECT txid, spent_txid, spent_vout FROM payment_input
        WHERE txid = ANY($1::bytea[]) ORDER BY txid, spent_txid, spent_vout
        "#,
        txids as _,
    )
    .fetch_all(conn)
    .await?;
    let mut inputs: HashMap<Hash256, Vec<OutPoint>> = HashMap::new();
    for row in found {
        let txid = column("txid").hash(hex::encode(&row.txid), &row.txid)?;
        let column = |name| Column("payment_input", name);
        let n = u32::try_from(row.spent_vout)
            .map_err(|_| column("spent_vout").wrong(txid, row.spent_vout))?;
        let spent = column("spent_txid").hash(txid, &row.spent_txid)?;
        inputs
            .entry(txid)
            .or_default()
            .push(OutPoint::new(spent, n));
    }
    Ok(inputs)
}

/// What payments say, as columns.
#[derive(Debug, Default)]
struct Said<'r> {
    messages: Vec<Option<&'r [u8]>>,
    problems: Vec<&'r str>,
    kinds: Vec<&'static str>,
}

impl<'r> Said<'r> {
    fn of(records: &[&'r PaymentRecord]) -> Self {
        let mut said = Self::default();
        for record in records {
            let (message, problem, kind) = match &record.payment.memo {
                Memo::Message(hash) => (Some(hash.0.as_slice()), "", ""),
                Memo::Problem(problem) => (None, problem.text.as_str(), problem.kind.name()),
            };
            said.messages.push(message);
            said.problems.push(problem);
            said.kinds.push(kind);
        }
        said
    }
}

/// Stores payments as they stand now. What they say is stored once; a payment keeps the moment it was first seen.
pub async fn write(conn: &mut PgConnection, records: &[&PaymentRecord]) -> sqlx::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let txids = wire(records.iter().map(|record| &record.payment.txid));
    let said = Said::of(records);
    let totals: Vec<i64> = records
        .iter()
        .map(|record| record.payment.total.get())
        .collect();
    let states: Vec<&str> = records.iter().map(|record| state(&record.place)).collect();
    let heights = records
        .iter()
        .map(|record| match record.place {
            Place::Mined(block) => int(block.height).map(Some),
            Place::Mempool | Place::Dropped(_) => Ok(None),
        })
        .collect::<sqlx::Result<Vec<_>>>()?;
    let departures: Vec<&str> = records
        .iter()
        .map(|record| record.place.departure().map_or("", Departure::name))
        .collect();
    let conflicting: Vec<Option<Vec<u8>>> = records
        .iter()
        .map(|record| {
            let other = record.place.departure().and_then(Departure::conflicting);
            other.map(|txid| txid.as_wire().to_vec())
        })
        .collect();
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
            first_seen_at, problem, departure, conflicting_txid)
        SELECT * FROM unnest(
            $1::bytea[], $2::bytea[], $3::text[], $4::bigint[], $5::text[], $6::integer[],
            $7::integer[], $8::timestamptz[], $9::text[], $10::text[], $11::bytea[])
        ON CONFLICT (txid) DO UPDATE SET
            state = EXCLUDED.state, height = EXCLUDED.height,
            announced_confirmations = EXCLUDED.announced_confirmations,
            departure = EXCLUDED.departure, conflicting_txid = EXCLUDED.conflicting_txid
        "#,
        &txids as _,
        &said.messages as _,
        &said.problems as _,
        &totals,
        &states as _,
        &heights as _,
        &announced,
        &seen,
        &said.kinds as _,
        &departures as _,
        &conflicting as _,
    )
    .execute(&mut *conn)
    .await?;
    write_outputs(conn, records).await?;
    write_inputs(conn, records).await
}

async fn write_inputs(conn: &mut PgConnection, records: &[&PaymentRecord]) -> sqlx::Result<()> {
    let rows: Vec<(&Hash256, &OutPoint)> = records
        .iter()
        .flat_map(|record| {
            let txid = &record.payment.txid;
            record.payment.inputs.iter().map(move |input| (txid, input))
        })
        .collect();
    let txids = wire(rows.iter().map(|(txid, _)| *txid));
    let spent = wire(rows.iter().map(|(_, input)| &input.txid));
    let vouts: Vec<i64> = rows.iter().map(|(_, input)| i64::from(input.n)).collect();
    sqlx::query!(
        r#"
        INSERT INTO payment_input (txid, spent_txid, spent_vout)
        SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[])
        ON CONFLICT DO NOTHING
        "#,
        &txids as _,
        &spent as _,
        &vouts,
    )
    .execute(conn)
    .await?;
    Ok(())
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

/// The records for which a condition holds. A macro, because the compiler checks the text of a query.
macro_rules! records_where {
    ($conn:ident, $condition:literal, $($argument:expr),+ $(,)?) => {{
        let rows = sqlx::query_as!(
            Row,
            r#"
        SELECT p.txid, p.message_hash, p.memo_problem, p.problem, p.total_sat, p.state, p.departure,
               p.conflicting_txid, p.height, b.hash AS "block_hash?", p.announced_confirmations,
               p.first_seen_at
        FROM payment p LEFT JOIN block b ON b.height = p.height"# + $condition,
            $($argument),+
        )
        .fetch_all(&mut *$conn)
        .await?;
        records($conn, rows).await
    }};
}

/// Payments that are waiting or not final, that is announced with fewer than `last` confirmations.
pub async fn open(conn: &mut PgConnection, last: u32) -> sqlx::Result<Vec<PaymentRecord>> {
    records_where!(
        conn,
        r"
        WHERE p.state = 'mempool' OR (p.state = 'mined' AND p.announced_confirmations < $1)
        ",
        int(last)?,
    )
}

/// Payments of a block, whatever was announced of them.
pub async fn of_block(conn: &mut PgConnection, height: u32) -> sqlx::Result<Vec<PaymentRecord>> {
    records_where!(
        conn,
        r"
        WHERE p.height = $1 ORDER BY p.txid
        ",
        int(height)?,
    )
}

/// Payments for a message that are in the chain or the mempool, oldest first.
pub async fn for_message(
    conn: &mut PgConnection,
    message: MessageHash,
    page: &Page<AgeKey>,
) -> sqlx::Result<Vec<PaymentRecord>> {
    let after = page.after;
    records_where!(
        conn,
        r"
        WHERE p.message_hash = $1 AND p.state <> 'dropped'
          AND ($2::timestamptz IS NULL OR (p.first_seen_at, p.txid) > ($2, $3::bytea))
        ORDER BY p.first_seen_at, p.txid LIMIT $4
        ",
        message.0.as_slice(),
        after.map(|key| key.first_seen_at),
        after.map(|key| key.txid.as_wire().to_vec()),
        page.fetch_limit(),
    )
}

/// Payments that name no message, wherever they are, oldest first.
pub async fn unmatched(
    conn: &mut PgConnection,
    problem: Option<ProblemKind>,
    page: &Page<AgeKey>,
) -> sqlx::Result<Vec<PaymentRecord>> {
    let after = page.after;
    records_where!(
        conn,
        r"
        WHERE p.message_hash IS NULL AND ($1::text IS NULL OR p.problem = $1)
          AND ($2::timestamptz IS NULL OR (p.first_seen_at, p.txid) > ($2, $3::bytea))
        ORDER BY p.first_seen_at, p.txid LIMIT $4
        ",
        problem.map(ProblemKind::name),
        after.map(|key| key.first_seen_at),
        after.map(|key| key.txid.as_wire().to_vec()),
        page.fetch_limit(),
    )
}

/// A payment, wherever it is.
pub async fn get(conn: &mut PgConnection, txid: Hash256) -> sqlx::Result<Option<PaymentRecord>> {
    let mut found = records_where!(
        conn,
        r"
        WHERE p.txid = $1
        ",
        txid.as_wire().as_slice(),
    )?;
    Ok(found.pop())
}
