//! Applications.

use chrono::{DateTime, Utc};
use fluxplane_core::id::AppId;
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, integer, small, unsigned},
    ensure_one_row,
    paging::Page,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::ATTENTION;
use crate::domain::{App, AppState};

struct Row {
    id: Uuid,
    name: String,
    owner: String,
    state: String,
    state_reason: String,
    current_number: i32,
    pending_number: Option<i32>,
    instances_healthy: i32,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    version: i64,
    intent_version: i64,
    secrets: i64,
}

impl TryFrom<Row> for App {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let id = row.id;
        let count = |column, value: i32| small("app", column, id, value);
        let version = |column, value: i64| unsigned("app", column, id, value);
        Ok(Self {
            id: id.into(),
            name: row.name,
            owner: row.owner,
            state: AppState::from_name(&row.state)
                .ok_or_else(|| Inconsistency::new("app", "state", id, &row.state))?,
            state_reason: row.state_reason,
            current: count("current_number", row.current_number)?,
            pending: row
                .pending_number
                .map(|number| count("pending_number", number))
                .transpose()?,
            healthy: count("instances_healthy", row.instances_healthy)?,
            created_at: row.created_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            version: version("version", row.version)?,
            intent_version: version("intent_version", row.intent_version)?,
            secrets: version("secrets", row.secrets)?,
        })
    }
}

/// Adds an application, unless its name belongs to a living one. Returns whether it was added.
pub async fn insert(
    conn: &mut PgConnection,
    app: &App,
    published: bool,
    attention_at: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        r#"
        INSERT INTO app (id, name, owner, state, current_number, created_at, attention_at, published)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (name_key) WHERE ended_at IS NULL DO NOTHING
        "#,
        app.id.uuid(),
        app.name,
        app.owner,
        app.state.name(),
        integer(app.current),
        app.created_at,
        attention_at,
        published,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Reads an application and locks it until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: AppId) -> sqlx::Result<Option<App>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, name, owner, state, state_reason, current_number, pending_number,
               instances_healthy, created_at, expires_at, ended_at, version, intent_version, secrets
        FROM app WHERE id = $1 FOR UPDATE
        "#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(App::try_from).transpose()?)
}

/// The application of this name, whatever its case: the living one, else the one that ended last. Locked with `lock`.
pub async fn by_name(
    conn: &mut PgConnection,
    name: &str,
    owner: Option<&str>,
) -> sqlx::Result<Option<App>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, name, owner, state, state_reason, current_number, pending_number,
               instances_healthy, created_at, expires_at, ended_at, version, intent_version, secrets
        FROM app
        WHERE name_key = lower($1) AND ($2::text IS NULL OR owner = $2)
        ORDER BY ended_at IS NULL DESC, created_at DESC LIMIT 1
        "#,
        name,
        owner,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(App::try_from).transpose()?)
}

/// Applications of an owner in the order of their creation.
pub async fn list(
    conn: &mut PgConnection,
    owner: &str,
    page: &Page<Uuid>,
) -> sqlx::Result<Vec<App>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, name, owner, state, state_reason, current_number, pending_number,
               instances_healthy, created_at, expires_at, ended_at, version, intent_version, secrets
        FROM app WHERE owner = $1 AND ($2::uuid IS NULL OR id > $2)
        ORDER BY id LIMIT $3
        "#,
        owner,
        page.after,
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| App::try_from(row).map_err(sqlx::Error::from))
        .collect()
}

/// When the leader looks at an application next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// At once, and it is told so.
    Now(DateTime<Utc>),
    /// Then at the latest; `None` when nothing can happen any more.
    At(Option<DateTime<Utc>>),
}

/// Writes what may change of a locked application.
pub async fn save(conn: &mut PgConnection, app: &App, attention: Attention) -> sqlx::Result<()> {
    let (attention_at, wake) = match attention {
        Attention::Now(at) => (Some(at), true),
        Attention::At(at) => (at, false),
    };
    let saved = sqlx::query!(
        r#"
        WITH saved AS (
            UPDATE app SET owner = $2, state = $3, state_reason = $4, current_number = $5,
                pending_number = $6, instances_healthy = $7, expires_at = $8, ended_at = $9,
                version = $10, intent_version = $11, attention_at = $12
            WHERE id = $1 RETURNING id
        )
        SELECT CASE WHEN $13 THEN pg_notify($14, '') END IS NULL AS "saved!" FROM saved
        "#,
        app.id.uuid(),
        app.owner,
        app.state.name(),
        app.state_reason,
        integer(app.current),
        app.pending.map(integer),
        integer(app.healthy),
        app.expires_at,
        app.ended_at,
        bigint(app.version),
        bigint(app.intent_version),
        attention_at,
        wake,
        ATTENTION,
    )
    .fetch_all(conn)
    .await?;
    ensure_one_row(u64::try_from(saved.len()).unwrap_or(0), "save application")
}

/// Sends applications to the leader, and locks them until the transaction ends.
pub async fn attend(
    conn: &mut PgConnection,
    ids: &[AppId],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        r#"
        WITH due AS (
            SELECT id FROM app WHERE id = ANY($1) ORDER BY id FOR UPDATE
        ), marked AS (
            UPDATE app SET attention_at = $2 FROM due WHERE app.id = due.id RETURNING 1
        )
        SELECT pg_notify($3, '') FROM (SELECT 1 FROM marked LIMIT 1) AS any_marked
        "#,
        &ids,
        now,
        ATTENTION,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Puts off an application that the leader could not deal with.
pub async fn put_off(conn: &mut PgConnection, id: AppId, until: DateTime<Utc>) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE app SET attention_at = $2 WHERE id = $1",
        id.uuid(),
        until,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "put off application")
}

/// What waits for the leader.
#[derive(Debug, Clone)]
pub struct Due {
    pub apps: Vec<AppId>,
    /// Nodes changed since it looked last.
    pub nodes_changed: bool,
    /// Something was kept for a quote since, or is not any more.
    pub holds_changed: bool,
}

/// Applications that are due, those that wait longest first.
pub async fn due(conn: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> sqlx::Result<Due> {
    let row = sqlx::query!(
        r#"
        SELECT
            ARRAY(SELECT id FROM app WHERE attention_at <= $1 ORDER BY attention_at LIMIT $2) AS "apps!",
            EXISTS (SELECT 1 FROM node WHERE unseen) AS "nodes_changed!",
            EXISTS (SELECT 1 FROM kept_room WHERE unseen) AS "holds_changed!"
        "#,
        now,
        limit,
    )
    .fetch_one(conn)
    .await?;
    Ok(Due {
        apps: row.apps.into_iter().map(AppId::from).collect(),
        nodes_changed: row.nodes_changed,
        holds_changed: row.holds_changed,
    })
}

/// Applications of an owner that wait for their first payment.
pub async fn count_unpaid(conn: &mut PgConnection, owner: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM app WHERE owner = $1 AND state = 'awaiting_payment'"#,
        owner,
    )
    .fetch_one(conn)
    .await
}

/// Number of applications per state, for metrics.
pub async fn count_by_state(conn: &mut PgConnection) -> sqlx::Result<Vec<(AppState, i64)>> {
    let rows = sqlx::query!(r#"SELECT state, count(*) AS "count!" FROM app GROUP BY state"#)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            let state = AppState::from_name(&row.state)
                .ok_or_else(|| Inconsistency::new("app", "state", "(group)", &row.state))?;
            Ok((state, row.count))
        })
        .collect()
}
