//! Revisions of applications.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Funding, Sat,
    id::{AppId, InstanceId, RevisionId},
};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, integer, small, unsigned},
    ensure_one_row,
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::domain::{Revision, Workload, submission::SignedSpec};

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
    spec_json: Option<String>,
    spec_sealed: Option<Vec<u8>>,
    app_id: Uuid,
}

/// A specification as it is stored.
#[derive(Clone)]
pub enum StoredSpec {
    /// From before they were sealed.
    Clear(String),
    Sealed(Vec<u8>),
    /// Destroyed after its application ended.
    Gone,
}

impl StoredSpec {
    pub(super) fn of(clear: Option<String>, sealed: Option<Vec<u8>>) -> Self {
        match (clear, sealed) {
            (Some(clear), _) => Self::Clear(clear),
            (None, Some(sealed)) => Self::Sealed(sealed),
            (None, None) => Self::Gone,
        }
    }
}

/// A revision and its specification, as they are stored.
#[derive(Clone)]
pub struct Stored {
    pub app: AppId,
    pub revision: Revision,
    pub spec: StoredSpec,
}

/// What is private about a revision, sealed.
#[derive(Clone, Copy)]
pub struct SealedParts<'a> {
    pub spec: &'a [u8],
    /// Environments of the components; `None` when there are none.
    pub environments: Option<&'a [u8]>,
}

impl TryFrom<Row> for Stored {
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
            app: row.app_id.into(),
            revision,
            spec: StoredSpec::of(row.spec_json, row.spec_sealed),
        })
    }
}

/// Adds a revision, unless its signed message was taken before. Returns whether it was added.
pub async fn insert(
    conn: &mut PgConnection,
    app: AppId,
    revision: &Revision,
    sealed: SealedParts<'_>,
    workload: &Workload,
    signed: &SignedSpec,
) -> sqlx::Result<bool> {
    let ports: Vec<i32> = workload.ports.iter().map(|port| i32::from(*port)).collect();
    let inserted = sqlx::query!(
        r#"
        INSERT INTO revision (
            id, app_id, number, rollout_number, instances, cpu_milli, ram_mib, disk_gib, ports,
            spec_sealed, workload, owner, message_hash, quote_id, funding, traceparent, submitted_at,
            pay_until, message_type, signed_at_ms, signature, private_sealed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                $19, $20, $21, $22)
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
        sealed.spec,
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
        sealed.environments,
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
               started_at, placed_at, proven_at, finished_at, failure, NULL AS "spec_json: String",
               NULL AS "spec_sealed: Vec<u8>", app_id
        FROM revision WHERE app_id = $1 AND dropped_at IS NULL ORDER BY number
        "#,
        app.uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(Stored::try_from(row)?.revision))
        .collect()
}

/// One revision of an application, by its number.
pub async fn by_number(
    conn: &mut PgConnection,
    app: AppId,
    number: u32,
) -> sqlx::Result<Option<Stored>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, number, rollout_number, instances, owner, message_hash, quote_id, funding,
               traceparent, submitted_at, pay_until, payment_seen_at, funded_at, dropped_at,
               started_at, placed_at, proven_at, finished_at, failure, spec_json, spec_sealed, app_id
        FROM revision WHERE app_id = $1 AND number = $2
        "#,
        app.uuid(),
        integer(number),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

/// The given numbers of the given applications, pairwise.
pub async fn of_apps(
    conn: &mut PgConnection,
    wanted: &[(AppId, u32)],
) -> sqlx::Result<Vec<Stored>> {
    let apps: Vec<Uuid> = wanted.iter().map(|(app, _)| app.uuid()).collect();
    let numbers: Vec<i32> = wanted.iter().map(|(_, number)| integer(*number)).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT r.id, number, rollout_number, instances, owner, message_hash, quote_id, funding,
               traceparent, submitted_at, pay_until, payment_seen_at, funded_at, dropped_at,
               started_at, placed_at, proven_at, finished_at, failure, spec_json, spec_sealed, r.app_id
        FROM unnest($1::uuid[], $2::integer[]) AS wanted (app_id, wanted_number)
        JOIN revision AS r ON r.app_id = wanted.app_id AND r.number = wanted.wanted_number
        "#,
        &apps,
        &numbers,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Stored::try_from(row).map_err(sqlx::Error::from))
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
               started_at, placed_at, proven_at, finished_at, failure, NULL AS "spec_json: String",
               NULL AS "spec_sealed: Vec<u8>", app_id
        FROM revision WHERE id = $1
        "#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let stored = Stored::try_from(row)?;
        Ok((stored.app, stored.revision))
    })
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

/// What is not sealed yet, or not any more.
pub struct Clear {
    pub id: RevisionId,
    /// Of the revision.
    pub owner: String,
    pub spec_json: String,
    pub workload: Workload,
}

/// Revisions that are not sealed yet, locked until the transaction ends; those that another replica has are left out.
pub async fn clear(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<Clear>> {
    let rows = sqlx::query!(
        r#"
        SELECT id, owner, spec_json AS "spec_json!", workload AS "workload: Json<Workload>"
        FROM revision WHERE spec_json IS NOT NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
        "#,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let clear = rows.into_iter().map(|row| Clear {
        id: row.id.into(),
        owner: row.owner,
        spec_json: row.spec_json,
        workload: row.workload.0,
    });
    Ok(clear.collect())
}

pub async fn count_clear(conn: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM revision WHERE spec_json IS NOT NULL"#)
        .fetch_one(conn)
        .await
}

/// Replaces what was clear of a locked revision.
pub async fn seal(
    conn: &mut PgConnection,
    id: RevisionId,
    sealed: SealedParts<'_>,
    workload: &Workload,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        r#"
        UPDATE revision SET spec_json = NULL, spec_sealed = $2, private_sealed = $3, workload = $4
        WHERE id = $1
        "#,
        id.uuid(),
        sealed.spec,
        sealed.environments,
        Json(workload) as _,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "seal a revision")
}

/// Destroys what is private of some applications that ended before then and that their owners did not publish. Returns of how
/// many.
pub async fn shred_ended(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<usize> {
    let shredded = sqlx::query_scalar!(
        r#"
        WITH ended AS (
            SELECT id FROM app
            WHERE ended_at < $1 AND shredded_at IS NULL AND NOT published
            ORDER BY ended_at LIMIT $3 FOR UPDATE SKIP LOCKED
        ), emptied AS (
            UPDATE revision AS r SET spec_json = NULL, spec_sealed = NULL, private_sealed = NULL
            FROM ended WHERE r.app_id = ended.id
        )
        UPDATE app SET shredded_at = $2 FROM ended WHERE app.id = ended.id RETURNING app.id
        "#,
        before,
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(shredded.len())
}

/// The private part of an instance and who may have it.
pub struct Assigned {
    pub node: Option<Uuid>,
    pub epoch: u64,
    /// It fills its slot: it is neither stopping nor over.
    pub wanted: bool,
    pub revision: RevisionId,
    /// Of the revision.
    pub owner: String,
    pub workload: Workload,
    pub environments: Option<Vec<u8>>,
}

/// An instance as its node may ask for it.
pub async fn assigned(
    conn: &mut PgConnection,
    instance: InstanceId,
) -> sqlx::Result<Option<Assigned>> {
    let row = sqlx::query!(
        r#"
        SELECT i.node_id, i.epoch,
               i.state IN ('stopping', 'stopped', 'lost') OR a.ended_at IS NOT NULL AS "over!",
               r.id, r.owner, r.workload AS "workload: Json<Workload>", r.private_sealed
        FROM instance AS i JOIN revision AS r ON r.id = i.revision_id JOIN app AS a ON a.id = i.app_id
        WHERE i.id = $1
        "#,
        instance.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Assigned {
            node: row.node_id,
            epoch: unsigned("instance", "epoch", instance, row.epoch)?,
            wanted: !row.over,
            revision: row.id.into(),
            owner: row.owner,
            workload: row.workload.0,
            environments: row.private_sealed,
        })
    })
    .transpose()
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
