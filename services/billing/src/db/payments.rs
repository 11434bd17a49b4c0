//! Payments from the chain.

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, integer, small, unsigned},
    ensure_one_row,
};
use sqlx::PgConnection;

use crate::domain::payment::{CreditedTo, PaidOutput, Payment, PaymentState};

/// A row of `payment`, column by column.
struct Row {
    txid: String,
    message_hash: String,
    memo_problem: String,
    total_sat: i64,
    state: String,
    height: Option<i64>,
    block_hash: String,
    confirmations: i64,
    credited_to: Option<String>,
    credits: i32,
    sequence: i64,
    first_seen_at: DateTime<Utc>,
}

impl TryFrom<Row> for Payment {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let txid = row.txid;
        let state = match (row.state.as_str(), row.height) {
            ("seen", None) => PaymentState::Seen,
            ("confirmed", Some(height)) => PaymentState::Confirmed {
                height: unsigned("payment", "height", &txid, height)?,
                block_hash: row.block_hash,
            },
            ("reorganised", None) => PaymentState::Reorganised,
            ("dropped", None) => PaymentState::Dropped,
            (state, _) => return Err(Inconsistency::new("payment", "state", &txid, state)),
        };
        let credited_to = row
            .credited_to
            .map(|name| {
                CreditedTo::from_name(&name)
                    .ok_or_else(|| Inconsistency::new("payment", "credited_to", &txid, &name))
            })
            .transpose()?;
        Ok(Self {
            message_hash: row.message_hash,
            memo_problem: row.memo_problem,
            total: Sat::new(row.total_sat),
            state,
            confirmations: unsigned("payment", "confirmations", &txid, row.confirmations)?,
            credited_to,
            credits: small("payment", "credits", &txid, row.credits)?,
            sequence: u64::try_from(row.sequence).ok(),
            first_seen_at: row.first_seen_at,
            txid,
        })
    }
}

/// Stores a payment that is new; one that is known stays as it is.
pub async fn put(
    conn: &mut PgConnection,
    payment: &Payment,
    outputs: &[PaidOutput],
) -> sqlx::Result<()> {
    let inserted = sqlx::query!(
        r#"
        INSERT INTO payment (txid, message_hash, memo_problem, total_sat, state, first_seen_at, updated_at)
        VALUES ($1, $2, $3, $4, 'seen', $5, $5)
        ON CONFLICT (txid) DO NOTHING
        "#,
        payment.txid,
        payment.message_hash,
        payment.memo_problem,
        payment.total.get(),
        payment.first_seen_at,
    )
    .execute(&mut *conn)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    for output in outputs {
        sqlx::query!(
            "INSERT INTO payment_output (txid, vout, address, amount_sat) VALUES ($1, $2, $3, $4)",
            payment.txid,
            i64::from(output.vout),
            output.address,
            output.amount.get(),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Reads a payment and locks it until the transaction ends.
pub async fn lock(conn: &mut PgConnection, txid: &str) -> sqlx::Result<Option<Payment>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT txid, message_hash, memo_problem, total_sat, state, height, block_hash, confirmations,
               credited_to, credits, sequence, first_seen_at
        FROM payment WHERE txid = $1 FOR UPDATE
        "#,
        txid,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Payment::try_from).transpose()?)
}

/// The payments that carry a message hash, the oldest first, locked.
pub async fn lock_of_hash(
    conn: &mut PgConnection,
    message_hash: &str,
) -> sqlx::Result<Vec<Payment>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT txid, message_hash, memo_problem, total_sat, state, height, block_hash, confirmations,
               credited_to, credits, sequence, first_seen_at
        FROM payment WHERE message_hash = $1 ORDER BY first_seen_at, txid FOR UPDATE
        "#,
        message_hash,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Payment::try_from(row).map_err(sqlx::Error::from))
        .collect()
}

/// Payments in blocks up to a height that nobody was credited for yet: transaction and message hash.
pub async fn uncredited_up_to(
    conn: &mut PgConnection,
    height: u64,
) -> sqlx::Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"
        SELECT txid, message_hash FROM payment
        WHERE state = 'confirmed' AND credited_to IS NULL AND height <= $1 ORDER BY height, txid
        "#,
        bigint(height),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.txid, row.message_hash))
        .collect())
}

pub async fn set_state(
    conn: &mut PgConnection,
    txid: &str,
    state: &PaymentState,
    confirmations: u64,
    sequence: u64,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (height, block_hash) = match state {
        PaymentState::Confirmed { height, block_hash } => {
            (Some(bigint(*height)), block_hash.as_str())
        }
        PaymentState::Seen | PaymentState::Reorganised | PaymentState::Dropped => (None, ""),
    };
    let updated = sqlx::query!(
        r#"
        UPDATE payment SET state = $2, height = $3, block_hash = $4, confirmations = $5, sequence = $6,
                           updated_at = $7
        WHERE txid = $1
        "#,
        txid,
        state.name(),
        height,
        block_hash,
        bigint(confirmations),
        bigint(sequence),
        now,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "set the state of a payment")
}

/// Records whom a payment was credited to; `None` takes the credit back. `credits` counts the credits so far.
pub async fn set_credited(
    conn: &mut PgConnection,
    txid: &str,
    to: Option<CreditedTo>,
    credits: u32,
    suspense_reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        r#"
        UPDATE payment SET credited_to = $2, credits = $3, suspense_reason = $4, updated_at = $5
        WHERE txid = $1
        "#,
        txid,
        to.map(CreditedTo::name),
        integer(credits),
        suspense_reason,
        now,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "credit a payment")
}

pub async fn outputs(conn: &mut PgConnection, txid: &str) -> sqlx::Result<Vec<PaidOutput>> {
    let rows = sqlx::query!(
        "SELECT vout, address, amount_sat FROM payment_output WHERE txid = $1 ORDER BY vout",
        txid,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(PaidOutput {
                vout: small("payment_output", "vout", txid, row.vout)?,
                address: row.address,
                amount: Sat::new(row.amount_sat),
            })
        })
        .collect()
}

/// Payments in suspense: how many, and the age of the oldest in seconds.
pub async fn suspense(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"
        SELECT count(*) AS "count!",
               coalesce(extract(epoch FROM $1::timestamptz - min(updated_at)), 0)::bigint AS "age!"
        FROM payment WHERE credited_to = 'suspense'
        "#,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok((row.count, row.age))
}
