//! Applications.

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, RevisionId};
use fluxplane_platform::db::ensure_one_row;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::app::App;

/// A row of `app` with its end.
struct Row {
    id: Uuid,
    name: String,
    owner: String,
    running_revision: Option<Uuid>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<Row> for App {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            owner: row.owner,
            running: row.running_revision.map(Into::into),
            ended_at: row.ended_at,
        }
    }
}

/// Makes the application if it is new. Its owner may change with a later revision.
pub async fn put(
    conn: &mut PgConnection,
    id: AppId,
    name: &str,
    owner: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO app (id, name, owner, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE SET owner = EXCLUDED.owner WHERE app.owner <> EXCLUDED.owner
        "#,
        id.uuid(),
        name,
        owner,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads an application and locks it until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: AppId) -> sqlx::Result<Option<App>> {
    let row = sqlx::query!(
        "SELECT id, name, owner, running_revision FROM app WHERE id = $1 FOR UPDATE",
        id.uuid(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    // A statement of its own: one that waits for a lock does not see what was committed meanwhile.
    let ended_at = sqlx::query_scalar!("SELECT ended_at FROM app_end WHERE app_id = $1", id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(Some(App::from(Row {
        id: row.id,
        name: row.name,
        owner: row.owner,
        running_revision: row.running_revision,
        ended_at,
    })))
}

/// The running application of this name, if it belongs to this owner.
pub async fn running(
    conn: &mut PgConnection,
    name: &str,
    owner: &str,
) -> sqlx::Result<Option<App>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT app.id, name, owner, running_revision, ended_at AS "ended_at?"
        FROM app LEFT JOIN app_end ON app_end.app_id = app.id
        WHERE name = $1 AND owner = $2 AND running_revision IS NOT NULL AND ended_at IS NULL
        ORDER BY created_at DESC LIMIT 1
        "#,
        name,
        owner,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(App::from))
}

pub async fn set_running(
    conn: &mut PgConnection,
    id: AppId,
    revision: RevisionId,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE app SET running_revision = $2 WHERE id = $1",
        id.uuid(),
        revision.uuid(),
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "set the running revision")
}

/// Records the end; returns whether it is news.
pub async fn end(conn: &mut PgConnection, id: AppId, at: DateTime<Utc>) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO app_end (app_id, ended_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        id.uuid(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Names of applications.
pub async fn names(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!("SELECT id, name FROM app WHERE id = ANY($1)", ids)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// What is held for the applications of an owner, in sat.
pub async fn held(conn: &mut PgConnection, owner: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        SELECT coalesce(sum(total_sat - charged_sat - returned_sat), 0)::bigint AS "held!"
        FROM term WHERE owner = $1
        "#,
        owner,
    )
    .fetch_one(conn)
    .await
}
