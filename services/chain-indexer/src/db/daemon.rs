//! What a daemon said last.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::columns::{Column, int};
use crate::domain::Tip;

/// A row of `daemon`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Height it reported last.
    pub height: Option<u32>,
    pub seen_at: Option<DateTime<Utc>>,
    pub problem: String,
}

/// It answered.
pub async fn seen(
    conn: &mut PgConnection,
    name: &str,
    tip: Tip,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO daemon AS d (name, height, hash, seen_at, problem) VALUES ($1, $2, $3, $4, '')
        ON CONFLICT (name) DO UPDATE SET
            height = EXCLUDED.height, hash = EXCLUDED.hash, seen_at = EXCLUDED.seen_at, problem = ''
        "#,
        name,
        int(tip.height)?,
        tip.hash.as_wire().as_slice(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// It did not.
pub async fn failed(conn: &mut PgConnection, name: &str, problem: &str) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO daemon AS d (name, problem) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET problem = EXCLUDED.problem
        "#,
        name,
        problem,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn get(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<Stored>> {
    let row = sqlx::query!(
        "SELECT height, seen_at, problem FROM daemon WHERE name = $1",
        name
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Stored {
        height: row
            .height
            .map(|height| Column("daemon", "height").uint(name, height))
            .transpose()?,
        seen_at: row.seen_at,
        problem: row.problem,
    }))
}
