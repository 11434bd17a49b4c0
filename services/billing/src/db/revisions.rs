//! Revisions.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Funding,
    id::{AppId, QuoteId, RevisionId},
};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, small, unsigned},
    ensure_one_row,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::app::{Revision, RevisionState};

/// A row of `revision`, column by column.
struct Row {
    id: Uuid,
    app_id: Uuid,
    number: i64,
    message_hash: String,
    quote_id: Uuid,
    funding: String,
    state: String,
    submitted_at: DateTime<Utc>,
    pay_until: DateTime<Utc>,
}

impl TryFrom<Row> for Revision {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let wrong = |column, value: &str| Inconsistency::new("revision", column, row.id, value);
        Ok(Self {
            id: row.id.into(),
            app: row.app_id.into(),
            number: small("revision", "number", row.id, row.number)?,
            funding: Funding::from_name(&row.funding)
                .ok_or_else(|| wrong("funding", &row.funding))?,
            state: RevisionState::from_name(&row.state)
                .ok_or_else(|| wrong("state", &row.state))?,
            message_hash: row.message_hash,
            quote: row.quote_id.into(),
            submitted_at: row.submitted_at,
            pay_until: row.pay_until,
        })
    }
}

/// Stores a new revision in its state; returns whether it is new.
pub async fn insert(
    conn: &mut PgConnection,
    revision: &Revision,
    refusal: &str,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        r#"
        INSERT INTO revision (id, app_id, number, message_hash, quote_id, funding, state, refusal,
                              submitted_at, pay_until)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (id) DO NOTHING
        "#,
        revision.id.uuid(),
        revision.app.uuid(),
        i64::from(revision.number),
        revision.message_hash,
        revision.quote.uuid(),
        revision.funding.name(),
        revision.state.name(),
        refusal,
        revision.submitted_at,
        revision.pay_until,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Reads a revision and locks it until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: RevisionId) -> sqlx::Result<Option<Revision>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, app_id, number, message_hash, quote_id, funding, state, submitted_at, pay_until
        FROM revision WHERE id = $1 FOR UPDATE
        "#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Revision::try_from).transpose()?)
}

pub async fn by_hash(
    conn: &mut PgConnection,
    message_hash: &str,
) -> sqlx::Result<Option<Revision>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, app_id, number, message_hash, quote_id, funding, state, submitted_at, pay_until
        FROM revision WHERE message_hash = $1
        "#,
        message_hash,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Revision::try_from).transpose()?)
}

/// Whether a revision waits on or was paid by this quote.
pub async fn uses_quote(conn: &mut PgConnection, quote: QuoteId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (SELECT FROM revision WHERE quote_id = $1 AND state IN ('awaiting', 'funded')) AS "used!"
        "#,
        quote.uuid(),
    )
    .fetch_one(conn)
    .await
}

pub async fn set_funded(
    conn: &mut PgConnection,
    id: RevisionId,
    at: DateTime<Utc>,
    height: u64,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        r#"
        UPDATE revision SET state = 'funded', funded_at = $2, funded_height = $3
        WHERE id = $1 AND state = 'awaiting'
        "#,
        id.uuid(),
        at,
        bigint(height),
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "fund a revision")
}

pub async fn set_refused(
    conn: &mut PgConnection,
    id: RevisionId,
    refusal: &str,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE revision SET state = 'refused', refusal = $2 WHERE id = $1 AND state = 'awaiting'",
        id.uuid(),
        refusal,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "refuse a revision")
}

/// Nothing of an application that ended is funded any more.
pub async fn end_awaiting(conn: &mut PgConnection, app: AppId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE revision SET state = 'ended' WHERE app_id = $1 AND state = 'awaiting'",
        app.uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A revision that was funded: its specification and the height that counts for later prices.
pub struct Funded {
    pub id: RevisionId,
    pub spec: String,
    pub height: u64,
    pub number: u32,
}

/// The funded revisions of an application, the newest first.
pub async fn funded(conn: &mut PgConnection, app: AppId) -> sqlx::Result<Vec<Funded>> {
    let rows = sqlx::query!(
        r#"
        SELECT revision.id, number, spec, funded_height AS "funded_height!"
        FROM revision JOIN quote ON quote.id = quote_id
        WHERE app_id = $1 AND state = 'funded' ORDER BY number DESC
        "#,
        app.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Funded {
                id: row.id.into(),
                spec: row.spec,
                height: unsigned("revision", "funded_height", row.id, row.funded_height)?,
                number: small("revision", "number", row.id, row.number)?,
            })
        })
        .collect()
}
