//! The audit trail. Rows come and are completed in batches, one commit for many calls.

use chrono::{DateTime, Utc};
use fluxplane_core::id::SessionId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::audit::{Entry, Outcome};

pub async fn begin(conn: &mut PgConnection, entries: &[Entry]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    let times: Vec<DateTime<Utc>> = entries.iter().map(|entry| entry.at).collect();
    let principals: Vec<String> = entries
        .iter()
        .map(|entry| entry.principal.clone())
        .collect();
    let sessions: Vec<Option<Uuid>> = entries
        .iter()
        .map(|entry| entry.session.map(SessionId::uuid))
        .collect();
    let methods: Vec<String> = entries
        .iter()
        .map(|entry| entry.method.to_owned())
        .collect();
    let routes: Vec<String> = entries.iter().map(|entry| entry.route.to_owned()).collect();
    let targets: Vec<String> = entries.iter().map(|entry| entry.target.clone()).collect();
    let request_ids: Vec<String> = entries
        .iter()
        .map(|entry| entry.request_id.clone())
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO audit (id, at, principal, session_id, method, route, target, request_id)
        SELECT * FROM UNNEST($1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[],
                             $5::text[], $6::text[], $7::text[], $8::text[])
        "#,
        &ids,
        &times,
        &principals,
        &sessions as &[Option<Uuid>],
        &methods,
        &routes,
        &targets,
        &request_ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn finish(conn: &mut PgConnection, outcomes: &[Outcome]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = outcomes.iter().map(|outcome| outcome.id).collect();
    let times: Vec<DateTime<Utc>> = outcomes.iter().map(|outcome| outcome.finished_at).collect();
    let statuses: Vec<i16> = outcomes
        .iter()
        .map(|outcome| i16::try_from(outcome.status).unwrap_or(i16::MAX))
        .collect();
    let codes: Vec<Option<String>> = outcomes
        .iter()
        .map(|outcome| outcome.code.map(str::to_owned))
        .collect();
    let principals: Vec<Option<String>> = outcomes
        .iter()
        .map(|outcome| outcome.principal.clone())
        .collect();
    let targets: Vec<Option<String>> = outcomes
        .iter()
        .map(|outcome| outcome.target.clone())
        .collect();
    sqlx::query!(
        r#"
        UPDATE audit a
        SET finished_at = o.finished_at, status = o.status, code = o.code,
            principal = coalesce(o.principal, a.principal), target = coalesce(o.target, a.target)
        FROM UNNEST($1::uuid[], $2::timestamptz[], $3::smallint[], $4::text[], $5::text[], $6::text[])
            AS o (id, finished_at, status, code, principal, target)
        WHERE a.id = o.id
        "#,
        &ids,
        &times,
        &statuses,
        &codes as &[Option<String>],
        &principals as &[Option<String>],
        &targets as &[Option<String>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets calls that proved nobody.
pub async fn forget_nameless(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<u64> {
    let deleted = sqlx::query!("DELETE FROM audit WHERE principal = '' AND at < $1", before)
        .execute(conn)
        .await?;
    Ok(deleted.rows_affected())
}
