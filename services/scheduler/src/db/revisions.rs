//! Revisions of applications.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Funding, Sat,
    id::{AppId, RevisionId},
};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, integer, small},
    ensure_one_row,
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::domain::{Revision, Workload, app::Published, submission::SignedSpec};

struct Row {
    id: Uuid,
    number: i32,
    rollout_number: i32,
    instances: i32,
    owner: String,
    message_hash: String,
    quote_id: String,
    funding: String,
    traceparent: String,
    submitted_at: DateTime<Utc>,
    pay_until: DateTime<Utc>,
    payment_seen_at: Option<DateTime<Utc>>,
    funded_at: Option<DateTime<Utc>>,
    dropped_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    placed_at: Option<DateTime<Utc>>,
    proven_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    failure: Option<String>,
    spec_json: String,
    app_id: Uuid,
}

impl TryFrom<Row> for Published {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let id = row.id;
        let count = |column, value: i32| small("revision", column, id, value);
        let revision = Revision {
            id: id.into(),
            number: count("number", row.number)?,
            rollout: count("rollout_number", row.rollout_number)?,
            instances: count("instances", row.instances)?,
            owner: row.owner,
            message_hash: row.message_hash,
            quote_id: row.quote_id,
            funding: Funding::from_name(&row.funding)
                .ok_or_else(|| Inconsistency::new("revision", "funding", id, &row.funding))?,
            traceparent: row.traceparent,
            submitted_at: row.submitted_at,
            pay_until: row.pay_until,
            payment_seen_at: row.payment_seen_at,
            funded_at: row.funded_at,
            dropped_at: row.dropped_at,
            started_at: row.started_at,
            placed_at: row.placed_at,
            proven_at: row.proven_at,
            finished_at: row.finished_at,
            failure: row.failure,
        };
        Ok(Self {
            revision,
            spec_json: row.spec_json,
        })
    }
}

/// Adds a revision, unless its signed message was taken before. Returns whether it was added.
pub async fn insert(
    conn: &mut PgConnection,
    app: AppId,
    published: &Published,
    workload: &Workload,
    signed: &SignedSpec,
) -> sqlx::Result<bool> {
    let Published {
        revision,
        spec_json,
    } = published;
    let ports: Vec<i32> = workload.ports.iter().map(|port| i32::from(*port)).collect();
    let inserted = sqlx::query!(
        r#"
        INSERT INTO revision (
            id, app_id, number, rollout_number, instances, cpu_milli, ram_mib, disk_gib, ports,
            spec_json, workload, owner, message_hash, quote_id, funding, traceparent, submitted_at,
            pay_until, message_type, signed_at_ms, signature)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                $19, $20, $21)
        ON CONFLICT (message_hash) DO NOTHING
        "#,
        revision.id.uuid(),
        app.uuid(),
        integer(revision.number),
        integer(revision.rollout),
        integer(revision.instances),
        bigint(workload.resources.cpu_milli),
        bigint(workload.resources.ram_mib),
        bigint(workload.resources.disk_gib),
        &ports,
        spec_json,
        Json(workload) as _,
        revision.owner,
        revision.message_hash,
        revision.quote_id,
        revision.funding.name(),
        revision.traceparent,
        revision.submitted_at,
        revision.pay_until,
        signed.kind,
        bigint(signed.timestamp_ms),
        signed.signature,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The revisions of an application that are funded or may be, without their specifications, oldest first.
pub async fn not_dropped(conn: &mut PgConnection, app: AppId) -> sqlx::Result<Vec<Revision>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, number, rollout_number, instances, owner, message_hash, quote_id, funding,
               traceparent, submitted_at, pay_until, payment_seen_at, funded_at, dropped_at,
               started_at, placed_at, proven_at, finished_at, failure, '' AS "spec_json!", app_id
        FROM revision WHERE app_id = $1 AND dropped_at IS NULL ORDER BY number
        "#,
        app.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(Published::try_from(row)?.revision))
        .collect()
}

/// One revision of an application, by its number.
pub async fn by_number(
    conn: &mut PgConnection,
    app: AppId,
    number: u32,
) -> sqlx::Result<Option<Published>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, number, rollout_number, instances, owner, message_hash, quote_id, funding,
               traceparent, submitted_at, pay_until, payment_seen_at, funded_at, dropped_at,
               started_at, placed_at, proven_at, finished_at, failure, spec_json, app_id
        FROM revision WHERE app_id = $1 AND number = $2
        "#,
        app.uuid(),
        integer(number),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Published::try_from).transpose()?)
}

/// The given numbers of the given applications, pairwise.
pub async fn of_apps(
    conn: &mut PgConnection,
    wanted: &[(AppId, u32)],
) -> sqlx::Result<Vec<(AppId, Published)>> {
    let apps: Vec<Uuid> = wanted.iter().map(|(app, _)| app.uuid()).collect();
    let numbers: Vec<i32> = wanted.iter().map(|(_, number)| integer(*number)).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT r.id, number, rollout_number, instances, owner, message_hash, quote_id, funding,
               traceparent, submitted_at, pay_until, payment_seen_at, funded_at, dropped_at,
               started_at, placed_at, proven_at, finished_at, failure, spec_json, r.app_id
        FROM unnest($1::uuid[], $2::integer[]) AS wanted (app_id, wanted_number)
        JOIN revision AS r ON r.app_id = wanted.app_id AND r.number = wanted.wanted_number
        "#,
        &apps,
        &numbers,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.app_id.into(), Published::try_from(row)?)))
        .collect()
}

/// The revision by its id, without its specification, and its application.
pub async fn by_id(
    conn: &mut PgConnection,
    id: RevisionId,
) -> sqlx::Result<Option<(AppId, Revision)>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, number, rollout_number, instances, owner, message_hash, quote_id, funding,
               traceparent, submitted_at, pay_until, payment_seen_at, funded_at, dropped_at,
               started_at, placed_at, proven_at, finished_at, failure, '' AS "spec_json!", app_id
        FROM revision WHERE id = $1
        "#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok((row.app_id.into(), Published::try_from(row)?.revision)))
        .transpose()
}

/// The number the next revision of a locked application gets.
pub async fn next_number(conn: &mut PgConnection, app: AppId) -> sqlx::Result<u32> {
    let highest = sqlx::query_scalar!(
        r#"SELECT coalesce(max(number), 0) AS "highest!" FROM revision WHERE app_id = $1"#,
        app.uuid(),
    )
    .fetch_one(conn)
    .await?;
    Ok(small("revision", "number", app, highest)? + 1)
}

/// Writes what became of a revision: everything that may change of it. `paid_until` is kept beside.
pub async fn save(
    conn: &mut PgConnection,
    revision: &Revision,
    paid_until: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        r#"
        UPDATE revision SET payment_seen_at = $2, funded_at = $3, dropped_at = $4, started_at = $5,
            placed_at = $6, proven_at = $7, finished_at = $8, failure = $9,
            paid_until = coalesce($10, paid_until)
        WHERE id = $1
        "#,
        revision.id.uuid(),
        revision.payment_seen_at,
        revision.funded_at,
        revision.dropped_at,
        revision.started_at,
        revision.placed_at,
        revision.proven_at,
        revision.finished_at,
        revision.failure,
        paid_until,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "save revision")
}

/// Keeps which payment funded a revision.
pub async fn keep_payment(
    conn: &mut PgConnection,
    id: RevisionId,
    txid: &str,
    height: u32,
    paid: Sat,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE revision SET payment_txid = $2, payment_height = $3, paid_sat = $4 WHERE id = $1",
        id.uuid(),
        txid,
        i64::from(height),
        paid.get(),
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "keep payment of a revision")
}

/// What instances of these revisions are.
pub async fn workloads(
    conn: &mut PgConnection,
    ids: &[RevisionId],
) -> sqlx::Result<Vec<(RevisionId, Workload)>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT id, workload AS "workload: Json<Workload>" FROM revision WHERE id = ANY($1)"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id.into(), row.workload.0))
        .collect())
}
