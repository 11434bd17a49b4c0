//! Epochs and their anchors.

use chrono::{DateTime, Utc};
use fluxplane_ledger::settlement::Hash32;
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, integer, small, unsigned},
    ensure_one_row,
    paging::Page,
};
use sqlx::PgConnection;

use crate::domain::anchor::{Anchor, AnchorState, Announced};

/// Stores an epoch that is new; one that is known stays as it was announced first.
pub async fn put(
    conn: &mut PgConnection,
    announced: &Announced,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        r#"
        INSERT INTO anchor (epoch, root, previous_root, leaf_count, state, updated_at)
        VALUES ($1, $2, $3, $4, 'announced', $5)
        ON CONFLICT (epoch) DO NOTHING
        "#,
        bigint(announced.epoch),
        &announced.root.0,
        &announced.previous_root.0,
        bigint(announced.leaf_count),
        now,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// A row of `anchor` with the transaction that counts.
struct Row {
    epoch: i64,
    root: Vec<u8>,
    previous_root: Vec<u8>,
    leaf_count: i64,
    state: String,
    reason: String,
    attempt: i32,
    txid: Option<String>,
    height: Option<i64>,
    block_hash: String,
    confirmations: i64,
    sent_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Anchor {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let epoch = row.epoch;
        let count = |column, value| unsigned("anchor", column, epoch, value);
        let hash = |column, bytes: Vec<u8>| {
            let hash: Result<[u8; 32], _> = bytes.as_slice().try_into();
            hash.map(Hash32)
                .map_err(|_| Inconsistency::new("anchor", column, epoch, bytes))
        };
        let state = AnchorState::from_name(&row.state);
        Ok(Self {
            announced: Announced {
                epoch: count("epoch", epoch)?,
                root: hash("root", row.root)?,
                previous_root: hash("previous_root", row.previous_root)?,
                leaf_count: count("leaf_count", row.leaf_count)?,
            },
            state: state.ok_or_else(|| Inconsistency::new("anchor", "state", epoch, &row.state))?,
            reason: row.reason,
            attempt: small("anchor", "attempt", epoch, row.attempt)?,
            txid: row.txid.unwrap_or_default(),
            height: row
                .height
                .map(|height| count("height", height))
                .transpose()?,
            block_hash: row.block_hash,
            confirmations: count("confirmations", row.confirmations)?,
            sent_at: row.sent_at,
            updated_at: row.updated_at,
        })
    }
}

fn anchors(rows: Vec<Row>) -> sqlx::Result<Vec<Anchor>> {
    rows.into_iter()
        .map(|row| Anchor::try_from(row).map_err(sqlx::Error::from))
        .collect()
}

pub async fn get(conn: &mut PgConnection, epoch: u64) -> sqlx::Result<Option<Anchor>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT anchor.epoch, root, previous_root, leaf_count, state, reason, attempt, txid AS "txid?", height,
               block_hash, confirmations, sent_at, updated_at
        FROM anchor LEFT JOIN attempt ON attempt.epoch = anchor.epoch AND attempt.number = anchor.attempt
        WHERE anchor.epoch = $1
        "#,
        bigint(epoch),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Anchor::try_from).transpose()?)
}

/// An anchor, locked until the transaction ends.
pub async fn lock(conn: &mut PgConnection, epoch: u64) -> sqlx::Result<Option<Anchor>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT anchor.epoch, root, previous_root, leaf_count, state, reason, attempt, txid AS "txid?", height,
               block_hash, confirmations, sent_at, updated_at
        FROM anchor LEFT JOIN attempt ON attempt.epoch = anchor.epoch AND attempt.number = anchor.attempt
        WHERE anchor.epoch = $1 FOR UPDATE OF anchor
        "#,
        bigint(epoch),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Anchor::try_from).transpose()?)
}

/// Everything that is not final, the oldest first.
pub async fn unfinished(conn: &mut PgConnection) -> sqlx::Result<Vec<Anchor>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT anchor.epoch, root, previous_root, leaf_count, state, reason, attempt, txid AS "txid?", height,
               block_hash, confirmations, sent_at, updated_at
        FROM anchor LEFT JOIN attempt ON attempt.epoch = anchor.epoch AND attempt.number = anchor.attempt
        WHERE state <> 'final' ORDER BY anchor.epoch
        "#
    )
    .fetch_all(conn)
    .await?;
    anchors(rows)
}

/// Anchors that there is something to say of, the newest first.
pub async fn list(conn: &mut PgConnection, page: &Page<u64>) -> sqlx::Result<Vec<Anchor>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT anchor.epoch, root, previous_root, leaf_count, state, reason, attempt, txid AS "txid?", height,
               block_hash, confirmations, sent_at, updated_at
        FROM anchor LEFT JOIN attempt ON attempt.epoch = anchor.epoch AND attempt.number = anchor.attempt
        WHERE state NOT IN ('announced', 'verified') AND ($1::bigint IS NULL OR anchor.epoch < $1)
        ORDER BY anchor.epoch DESC LIMIT $2
        "#,
        page.after.map(bigint),
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    anchors(rows)
}

/// The first epoch that is missing below the newest one, if any.
pub async fn first_gap(conn: &mut PgConnection) -> sqlx::Result<Option<u64>> {
    let gap = sqlx::query_scalar!(
        r#"
        SELECT min(expected.epoch) FROM (
            SELECT 1::bigint AS epoch WHERE EXISTS (SELECT FROM anchor)
            UNION ALL
            SELECT epoch + 1 FROM anchor WHERE epoch < (SELECT max(epoch) FROM anchor)
        ) AS expected
        WHERE NOT EXISTS (SELECT FROM anchor WHERE anchor.epoch = expected.epoch)
        "#
    )
    .fetch_one(conn)
    .await?;
    gap.map(|gap| Ok(unsigned("anchor", "epoch", gap, gap)?))
        .transpose()
}

/// Stores the standing of a locked anchor.
pub async fn update(conn: &mut PgConnection, anchor: &Anchor) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        r#"
        UPDATE anchor SET state = $2, reason = $3, attempt = $4, height = $5, block_hash = $6, confirmations = $7,
                          sent_at = $8, updated_at = $9
        WHERE epoch = $1
        "#,
        bigint(anchor.announced.epoch),
        anchor.state.name(),
        anchor.reason,
        integer(anchor.attempt),
        anchor.height.map(bigint),
        anchor.block_hash,
        bigint(anchor.confirmations),
        anchor.sent_at,
        anchor.updated_at,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "update an anchor")
}

/// Number of anchors per state, for metrics.
pub async fn count_by_state(conn: &mut PgConnection) -> sqlx::Result<Vec<(AnchorState, i64)>> {
    let rows = sqlx::query!(r#"SELECT state, count(*) AS "count!" FROM anchor GROUP BY state"#)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            let state = AnchorState::from_name(&row.state)
                .ok_or_else(|| Inconsistency::new("anchor", "state", "(group)", &row.state))?;
            Ok((state, row.count))
        })
        .collect()
}
