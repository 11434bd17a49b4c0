//! Secrets of owners, sealed, and which revisions name them.

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, RevisionId};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, unsigned},
    paging::Page,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::ATTENTION;
use crate::domain::{
    private::Use,
    secret::{Described, Kind},
};

/// A secret as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub described: Described,
    pub sealed: Vec<u8>,
}

struct Row {
    id: Uuid,
    name: String,
    kind: String,
    version: i64,
    sealed: Vec<u8>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    used_by: Vec<String>,
}

impl TryFrom<Row> for Stored {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let id = row.id;
        let kind = Kind::from_name(&row.kind);
        Ok(Self {
            described: Described {
                id,
                name: row.name,
                kind: kind.ok_or_else(|| Inconsistency::new("secret", "kind", id, &row.kind))?,
                version: unsigned("secret", "version", id, row.version)?,
                created_at: row.created_at,
                updated_at: row.updated_at,
                used_by: row.used_by,
            },
            sealed: row.sealed,
        })
    }
}

/// Whoever changes a secret of an owner, or takes a revision that names one, does so alone until the transaction ends.
pub async fn lock_owner(conn: &mut PgConnection, owner: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.secrets.' || $1, 0))",
        owner,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// These secrets of an owner, as far as they exist, without who uses them.
pub async fn by_names(
    conn: &mut PgConnection,
    owner: &str,
    names: &[String],
) -> sqlx::Result<Vec<Stored>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, name, kind, version, sealed, created_at, updated_at, '{}'::text[] AS "used_by!"
        FROM secret WHERE owner = $1 AND name = ANY($2)
        "#,
        owner,
        names,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Stored::try_from(row).map_err(sqlx::Error::from))
        .collect()
}

/// One page of an owner's secrets by name; with a name, that one alone.
pub async fn list(
    conn: &mut PgConnection,
    owner: &str,
    name: Option<&str>,
    page: &Page<String>,
) -> sqlx::Result<Vec<Described>> {
    // In use: a living application names it in a revision that its instances run, may run, or will run once it is paid.
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT s.id, s.name, s.kind, s.version, ''::bytea AS "sealed!", s.created_at, s.updated_at,
               ARRAY(
                   SELECT DISTINCT a.name FROM secret_use AS u
                   JOIN revision AS r ON r.id = u.revision_id
                   JOIN app AS a ON a.id = r.app_id
                   WHERE u.owner = s.owner AND u.name = s.name AND a.ended_at IS NULL
                     AND r.dropped_at IS NULL
                     AND (r.number >= a.current_number OR EXISTS (
                         SELECT 1 FROM instance AS i
                         WHERE i.revision_id = r.id AND i.released_at IS NULL))
                   ORDER BY a.name) AS "used_by!"
        FROM secret AS s
        WHERE s.owner = $1 AND ($2::text IS NULL OR s.name = $2) AND ($3::text IS NULL OR s.name > $3)
        ORDER BY s.name LIMIT $4
        "#,
        owner,
        name,
        page.after.as_deref(),
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(Stored::try_from(row)?.described))
        .collect()
}

pub async fn count(conn: &mut PgConnection, owner: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM secret WHERE owner = $1"#,
        owner
    )
    .fetch_one(conn)
    .await
}

/// Writes a secret; an older value is overwritten.
pub async fn put(
    conn: &mut PgConnection,
    owner: &str,
    secret: &Described,
    sealed: &[u8],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO secret (id, owner, name, kind, version, sealed, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (owner, name) DO UPDATE SET
            kind = EXCLUDED.kind, version = EXCLUDED.version, sealed = EXCLUDED.sealed,
            updated_at = EXCLUDED.updated_at
        "#,
        secret.id,
        owner,
        secret.name,
        secret.kind.name(),
        bigint(secret.version),
        sealed,
        secret.created_at,
        secret.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a secret, and with it the only copy of its data key.
pub async fn remove(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM secret WHERE id = $1", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes what a revision names.
pub async fn note_uses(
    conn: &mut PgConnection,
    revision: RevisionId,
    owner: &str,
    uses: &[Use],
) -> sqlx::Result<()> {
    if uses.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = uses.iter().map(|one| one.secret.clone()).collect();
    let purposes: Vec<String> = uses
        .iter()
        .map(|one| one.purpose.name().to_owned())
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO secret_use (revision_id, owner, name, purpose)
        SELECT $1, $2, name, purpose FROM unnest($3::text[], $4::text[]) AS named (name, purpose)
        ON CONFLICT DO NOTHING
        "#,
        revision.uuid(),
        owner,
        &names,
        &purposes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The containers of living applications that have this secret in their environment are to be made anew. Locks the
/// applications until the transaction ends. Returns which they are.
pub async fn renew_containers(
    conn: &mut PgConnection,
    owner: &str,
    name: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<AppId>> {
    let apps = sqlx::query!(
        r#"
        WITH using_it AS (
            SELECT a.id FROM app AS a
            WHERE a.ended_at IS NULL AND EXISTS (
                SELECT 1 FROM secret_use AS u JOIN revision AS r ON r.id = u.revision_id
                WHERE u.owner = $1 AND u.name = $2 AND u.purpose = 'environment' AND r.app_id = a.id)
            ORDER BY a.id FOR UPDATE
        ), renewed AS (
            UPDATE app SET secrets = secrets + 1, attention_at = $3
            FROM using_it WHERE app.id = using_it.id RETURNING app.id
        )
        SELECT id AS "id!", pg_notify($4, '') IS NULL AS "told!" FROM renewed
        "#,
        owner,
        name,
        now,
        ATTENTION,
    )
    .fetch_all(conn)
    .await?;
    Ok(apps.into_iter().map(|row| row.id.into()).collect())
}
