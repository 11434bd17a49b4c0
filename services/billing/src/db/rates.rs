//! What sources said, what was set by hand, and the rates that were accepted.

use chrono::{DateTime, Utc};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, small, unsigned},
};
use fluxplane_pricing::{
    legacy::FluxUsdRate,
    native::{RateStatement, SignedStatement},
};
use sqlx::{PgConnection, types::Json};

use crate::domain::rate::{Accepted, Basis, Rate, Said, ratio, whole_micros};

/// What a source was asked and said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub source: String,
    /// Its last usable word.
    pub said: Option<Said>,
    pub asked_at: DateTime<Utc>,
    /// Why the last question failed; empty when it did not.
    pub problem: String,
}

/// What every source said last, also of those that are not asked any more.
pub async fn heard(conn: &mut PgConnection) -> sqlx::Result<Vec<Heard>> {
    let rows = sqlx::query!(
        "SELECT source, micro_usd, said_at, asked_at, problem FROM rate_observation ORDER BY source"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let said = match (row.micro_usd, row.said_at) {
                (Some(micro_usd), Some(at)) => Some(Said {
                    micro_usd: small("rate_observation", "micro_usd", &row.source, micro_usd)?,
                    at: unsigned("rate_observation", "said_at", &row.source, at.timestamp())?,
                    source: row.source.clone(),
                }),
                _ => None,
            };
            Ok(Heard {
                source: row.source,
                said,
                asked_at: row.asked_at,
                problem: row.problem,
            })
        })
        .collect()
}

/// Stores a usable word. A word that is older than the one known, which another replica heard, does not replace it.
pub async fn put_word(
    conn: &mut PgConnection,
    source: &str,
    micro_usd: u32,
    said_at: DateTime<Utc>,
    asked_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO rate_observation AS o (source, micro_usd, said_at, asked_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (source) DO UPDATE SET
            micro_usd = EXCLUDED.micro_usd, said_at = EXCLUDED.said_at, asked_at = EXCLUDED.asked_at, problem = ''
        WHERE o.asked_at <= EXCLUDED.asked_at
        "#,
        source,
        i64::from(micro_usd),
        said_at,
        asked_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores that a source gave no usable word. What it said before stays.
pub async fn put_problem(
    conn: &mut PgConnection,
    source: &str,
    problem: &str,
    asked_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO rate_observation AS o (source, asked_at, problem) VALUES ($1, $2, $3)
        ON CONFLICT (source) DO UPDATE SET asked_at = EXCLUDED.asked_at, problem = EXCLUDED.problem
        WHERE o.asked_at <= EXCLUDED.asked_at
        "#,
        source,
        asked_at,
        problem,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores a statement; `false` when the same was submitted before.
pub async fn insert_statement(
    conn: &mut PgConnection,
    signed: &SignedStatement,
    submitted_by: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let statement = &signed.statement;
    let micro_usd = whole_micros(statement.rate).ok_or_else(|| {
        Inconsistency::new(
            "rate_statement",
            "micro_usd",
            &signed.signer,
            statement.rate,
        )
    })?;
    let inserted = sqlx::query!(
        r#"
        INSERT INTO rate_statement (
            micro_usd, valid_from, valid_until, reason, signer, signature, submitted_by, submitted_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (signer, micro_usd, valid_from, valid_until, reason) DO NOTHING
        "#,
        i64::from(micro_usd),
        bigint(statement.valid_from),
        bigint(statement.valid_until),
        statement.reason,
        signed.signer,
        signed.signature,
        submitted_by,
        now,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The statement submitted last, whether it holds or not.
pub async fn last_statement(conn: &mut PgConnection) -> sqlx::Result<Option<SignedStatement>> {
    let row = sqlx::query!(
        r#"
        SELECT id, micro_usd, valid_from, valid_until, reason, signer, signature
        FROM rate_statement ORDER BY id DESC LIMIT 1
        "#
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (table, id) = ("rate_statement", row.id);
    let micro_usd: u32 = small(table, "micro_usd", id, row.micro_usd)?;
    let rate = ratio(micro_usd)
        .ok_or_else(|| Inconsistency::new(table, "micro_usd", id, row.micro_usd))?;
    Ok(Some(SignedStatement {
        statement: RateStatement {
            rate,
            valid_from: unsigned(table, "valid_from", id, row.valid_from)?,
            valid_until: unsigned(table, "valid_until", id, row.valid_until)?,
            reason: row.reason,
        },
        signer: row.signer,
        signature: row.signature,
    }))
}

/// The rate accepted last, if it is this very one.
pub async fn last_if_same(
    conn: &mut PgConnection,
    accepted: &Accepted,
    at: DateTime<Utc>,
) -> sqlx::Result<Option<u64>> {
    let last = sqlx::query!(
        r#"
        SELECT id, micro_usd, at, basis AS "basis: Json<Basis>" FROM rate ORDER BY id DESC LIMIT 1
        "#
    )
    .fetch_optional(conn)
    .await?;
    let same = last.filter(|row| {
        let Json(basis) = &row.basis;
        (row.micro_usd, row.at, basis) == (accepted.flux_usd.micros().into(), at, &accepted.basis)
    });
    let id = same.map(|row| unsigned("rate", "id", row.id, row.id));
    Ok(id.transpose()?)
}

/// Stores an accepted rate. Returns its id.
pub async fn insert(
    conn: &mut PgConnection,
    accepted: &Accepted,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let id = sqlx::query_scalar!(
        "INSERT INTO rate (micro_usd, at, basis, accepted_at) VALUES ($1, $2, $3, $4) RETURNING id",
        i64::from(accepted.flux_usd.micros()),
        at,
        Json(&accepted.basis) as _,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(unsigned("rate", "id", id, id)?)
}

/// A rate of a quote, from its columns.
pub fn of_quote(
    id: Option<i64>,
    micro_usd: u32,
    source: String,
    at: DateTime<Utc>,
    basis: Option<Basis>,
) -> Result<Rate, Inconsistency> {
    Ok(Rate {
        id: match id {
            Some(id) => unsigned("rate", "id", id, id)?,
            None => 0,
        },
        flux_usd: FluxUsdRate::from_micros(micro_usd),
        source,
        at,
        basis: basis.unwrap_or(Basis {
            sources: Vec::new(),
            statement: None,
        }),
    })
}
