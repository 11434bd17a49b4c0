//! Instances.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use fluxplane_core::{
    NodeState, Resources,
    id::{AppId, NodeId},
};
use fluxplane_placement::Reservation;
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, integer, small, unsigned},
    ensure_one_row,
};
use serde::Serialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::domain::{Copy, Instance, InstanceState};

/// Columns of `instance`, also as one element of the JSON array by which many are written at once.
#[derive(Serialize)]
struct Columns {
    id: Uuid,
    app_id: Uuid,
    slot: i32,
    state: &'static str,
    reason: String,
    pending_filter: Option<String>,
    revision_id: Uuid,
    node_id: Option<Uuid>,
    epoch: i64,
    decision_id: Option<Uuid>,
    traceparent: String,
    created_at: DateTime<Utc>,
    assigned_at: Option<DateTime<Utc>>,
    told_version: Option<i64>,
    told_at: Option<DateTime<Utc>>,
    healthy_at: Option<DateTime<Utc>>,
    state_since: DateTime<Utc>,
    observed_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    left_version: Option<i64>,
    released_at: Option<DateTime<Utc>>,
    secrets: i64,
}

impl From<&Instance> for Columns {
    fn from(instance: &Instance) -> Self {
        Self {
            id: instance.id.uuid(),
            app_id: instance.app.uuid(),
            slot: integer(instance.slot),
            state: instance.state.name(),
            reason: instance.reason.clone(),
            pending_filter: instance.pending_filter.clone(),
            revision_id: instance.revision.uuid(),
            node_id: instance.node.map(NodeId::uuid),
            epoch: bigint(instance.epoch),
            decision_id: instance.decision,
            traceparent: instance.traceparent.clone(),
            created_at: instance.created_at,
            assigned_at: instance.assigned_at,
            told_version: instance.told_version.map(bigint),
            told_at: instance.told_at,
            healthy_at: instance.healthy_at,
            state_since: instance.state_since,
            observed_at: instance.observed_at,
            tried_at: instance.tried_at,
            ended_at: instance.ended_at,
            left_version: instance.left_version.map(bigint),
            released_at: instance.released_at,
            secrets: bigint(instance.secrets),
        }
    }
}

fn columns(instances: &[&Instance]) -> Json<Vec<Columns>> {
    Json(
        instances
            .iter()
            .map(|instance| Columns::from(*instance))
            .collect(),
    )
}

/// Adds instances of a locked application.
pub async fn insert(conn: &mut PgConnection, instances: &[&Instance]) -> sqlx::Result<()> {
    if instances.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO instance SELECT * FROM jsonb_populate_recordset(NULL::instance, $1)",
        columns(instances) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes instances whose applications are locked.
pub async fn update(conn: &mut PgConnection, instances: &[&Instance]) -> sqlx::Result<()> {
    if instances.is_empty() {
        return Ok(());
    }
    let updated = sqlx::query!(
        r#"
        UPDATE instance AS i SET
            state = n.state, reason = n.reason, pending_filter = n.pending_filter,
            revision_id = n.revision_id, node_id = n.node_id, epoch = n.epoch,
            decision_id = n.decision_id, traceparent = n.traceparent, assigned_at = n.assigned_at,
            told_version = n.told_version, told_at = n.told_at, healthy_at = n.healthy_at,
            state_since = n.state_since, observed_at = n.observed_at, tried_at = n.tried_at,
            ended_at = n.ended_at, left_version = n.left_version, released_at = n.released_at,
            secrets = n.secrets
        FROM jsonb_populate_recordset(NULL::instance, $1) AS n
        WHERE i.id = n.id
        "#,
        columns(instances) as _,
    )
    .execute(conn)
    .await?;
    let expected = u64::try_from(instances.len()).unwrap_or(u64::MAX);
    if updated.rows_affected() == expected {
        return Ok(());
    }
    ensure_one_row(updated.rows_affected(), "save instances")
}

/// An instance with its revision and its node.
struct Row {
    id: Uuid,
    app_id: Uuid,
    slot: i32,
    state: String,
    reason: String,
    pending_filter: Option<String>,
    revision_id: Uuid,
    node_id: Option<Uuid>,
    epoch: i64,
    decision_id: Option<Uuid>,
    traceparent: String,
    created_at: DateTime<Utc>,
    assigned_at: Option<DateTime<Utc>>,
    told_version: Option<i64>,
    told_at: Option<DateTime<Utc>>,
    healthy_at: Option<DateTime<Utc>>,
    state_since: DateTime<Utc>,
    observed_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    left_version: Option<i64>,
    released_at: Option<DateTime<Utc>>,
    secrets: i64,
    number: i32,
    rollout_number: i32,
    cpu_milli: i64,
    ram_mib: i64,
    disk_gib: i64,
    ports: Vec<i32>,
    node_state: Option<String>,
    node_ip: Option<String>,
}

/// A copy and the address at which it is reached.
#[derive(Debug, Clone)]
pub struct Located {
    pub copy: Copy,
    pub ip: Option<IpAddr>,
}

impl TryFrom<Row> for Located {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let id = row.id;
        let count = |column, value: i32| small("instance", column, id, value);
        let unsigned = |column, value| unsigned("instance", column, id, value);
        let maybe = |column, value: Option<i64>| value.map(|v| unsigned(column, v)).transpose();
        let standing = row.node_state.map(|state| {
            NodeState::from_name(&state)
                .map(Into::into)
                .ok_or_else(|| Inconsistency::new("node", "state", id, &state))
        });
        let ip = row.node_ip.map(|ip| {
            ip.parse()
                .map_err(|_| Inconsistency::new("node", "ip", id, &ip))
        });
        let instance = Instance {
            id: id.into(),
            app: row.app_id.into(),
            slot: count("slot", row.slot)?,
            state: InstanceState::from_name(&row.state)
                .ok_or_else(|| Inconsistency::new("instance", "state", id, &row.state))?,
            reason: row.reason,
            pending_filter: row.pending_filter,
            revision: row.revision_id.into(),
            node: row.node_id.map(Into::into),
            epoch: unsigned("epoch", row.epoch)?,
            decision: row.decision_id,
            traceparent: row.traceparent,
            created_at: row.created_at,
            assigned_at: row.assigned_at,
            told_version: maybe("told_version", row.told_version)?,
            told_at: row.told_at,
            healthy_at: row.healthy_at,
            state_since: row.state_since,
            observed_at: row.observed_at,
            tried_at: row.tried_at,
            ended_at: row.ended_at,
            left_version: maybe("left_version", row.left_version)?,
            released_at: row.released_at,
            secrets: unsigned("secrets", row.secrets)?,
        };
        let copy = Copy {
            instance,
            number: count("number", row.number)?,
            rollout: count("rollout_number", row.rollout_number)?,
            resources: Resources {
                cpu_milli: unsigned("cpu_milli", row.cpu_milli)?,
                ram_mib: unsigned("ram_mib", row.ram_mib)?,
                disk_gib: unsigned("disk_gib", row.disk_gib)?,
            },
            ports: ports(id, &row.ports)?,
            standing: standing.transpose()?,
        };
        Ok(Self {
            copy,
            ip: ip.transpose()?,
        })
    }
}

pub(super) fn ports(id: Uuid, ports: &[i32]) -> Result<Vec<u16>, Inconsistency> {
    ports
        .iter()
        .map(|port| {
            u16::try_from(*port).map_err(|_| Inconsistency::new("revision", "ports", id, port))
        })
        .collect()
}

/// Reads instances with their revisions and nodes; the queries differ in what they select.
macro_rules! select {
    ($conn:expr, $tail:literal, $($argument:expr),+ $(,)?) => {{
        let rows = sqlx::query_as!(
            Row,
            r#"
            SELECT i.id, i.app_id, i.slot, i.state, i.reason, i.pending_filter, i.revision_id,
                   i.node_id, i.epoch, i.decision_id, i.traceparent, i.created_at, i.assigned_at,
                   i.told_version, i.told_at, i.healthy_at, i.state_since, i.observed_at, i.tried_at,
                   i.ended_at, i.left_version, i.released_at, i.secrets, r.number, r.rollout_number,
                   r.cpu_milli, r.ram_mib, r.disk_gib, r.ports, n.state AS "node_state?",
                   n.ip AS "node_ip?"
            FROM instance AS i
            JOIN revision AS r ON r.id = i.revision_id
            LEFT JOIN node AS n ON n.id = i.node_id
            "# + $tail,
            $($argument),+
        )
        .fetch_all($conn)
        .await?;
        rows.into_iter()
            .map(|row| Located::try_from(row).map_err(sqlx::Error::from))
            .collect::<sqlx::Result<Vec<_>>>()?
    }};
}

/// Instances of an application that live, or still take room.
pub async fn active(conn: &mut PgConnection, app: AppId) -> sqlx::Result<Vec<Copy>> {
    let located = select!(
        conn,
        "WHERE i.app_id = $1 AND (i.ended_at IS NULL OR i.released_at IS NULL)
         ORDER BY i.slot, i.created_at",
        app.uuid(),
    );
    Ok(located.into_iter().map(|located| located.copy).collect())
}

/// Instances that a node runs or may still run.
pub async fn on_node(conn: &mut PgConnection, node: NodeId) -> sqlx::Result<Vec<Copy>> {
    let located = select!(
        conn,
        "WHERE i.node_id = $1 AND i.released_at IS NULL ORDER BY i.app_id, i.slot",
        node.uuid(),
    );
    Ok(located.into_iter().map(|located| located.copy).collect())
}

/// Instances of an application for its owner: by slot, newest first within a slot; with `ended`, also those that are over.
pub async fn list(
    conn: &mut PgConnection,
    app: AppId,
    ended: bool,
    limit: i64,
) -> sqlx::Result<Vec<Located>> {
    Ok(select!(
        conn,
        "WHERE i.app_id = $1 AND ($2 OR i.ended_at IS NULL)
         ORDER BY i.ended_at IS NOT NULL, i.slot, i.created_at DESC LIMIT $3",
        app.uuid(),
        ended,
        limit,
    ))
}

struct Room {
    id: Uuid,
    app_id: Uuid,
    node_id: Uuid,
    cpu_milli: i64,
    ram_mib: i64,
    disk_gib: i64,
    ports: Vec<i32>,
}

impl Room {
    fn reservation(self) -> sqlx::Result<Reservation> {
        let unsigned = |column, value| unsigned("revision", column, self.id, value);
        Ok(Reservation {
            instance: self.id.into(),
            app: self.app_id.into(),
            node: self.node_id.into(),
            resources: Resources {
                cpu_milli: unsigned("cpu_milli", self.cpu_milli)?,
                ram_mib: unsigned("ram_mib", self.ram_mib)?,
                disk_gib: unsigned("disk_gib", self.disk_gib)?,
            },
            ports: ports(self.id, &self.ports)?.into_iter().collect(),
        })
    }
}

/// Everything that takes room on nodes.
pub async fn rooms(conn: &mut PgConnection) -> sqlx::Result<Vec<Reservation>> {
    let rooms = sqlx::query_as!(
        Room,
        r#"
        SELECT i.id, i.app_id, i.node_id AS "node_id!", r.cpu_milli, r.ram_mib, r.disk_gib, r.ports
        FROM instance AS i JOIN revision AS r ON r.id = i.revision_id
        WHERE i.node_id IS NOT NULL AND i.released_at IS NULL
        "#
    )
    .fetch_all(conn)
    .await?;
    rooms.into_iter().map(Room::reservation).collect()
}

/// What takes room on these nodes.
pub async fn rooms_on(conn: &mut PgConnection, nodes: &[NodeId]) -> sqlx::Result<Vec<Reservation>> {
    let nodes: Vec<Uuid> = nodes.iter().map(|node| node.uuid()).collect();
    let rooms = sqlx::query_as!(
        Room,
        r#"
        SELECT i.id, i.app_id, i.node_id AS "node_id!", r.cpu_milli, r.ram_mib, r.disk_gib, r.ports
        FROM instance AS i JOIN revision AS r ON r.id = i.revision_id
        WHERE i.node_id = ANY($1) AND i.released_at IS NULL
        "#,
        &nodes,
    )
    .fetch_all(conn)
    .await?;
    rooms.into_iter().map(Room::reservation).collect()
}

/// Applications that look for a node in vain.
pub async fn apps_in_need(conn: &mut PgConnection) -> sqlx::Result<Vec<AppId>> {
    let rows = sqlx::query_scalar!(
        "SELECT DISTINCT app_id FROM instance WHERE tried_at IS NOT NULL AND ended_at IS NULL"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(AppId::from).collect())
}

/// Lets instances of locked applications look for a node again at once.
pub async fn forget_tries(conn: &mut PgConnection, apps: &[AppId]) -> sqlx::Result<()> {
    let apps: Vec<Uuid> = apps.iter().map(|app| app.uuid()).collect();
    sqlx::query!(
        "UPDATE instance SET tried_at = NULL WHERE app_id = ANY($1) AND tried_at IS NOT NULL",
        &apps,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many instances are in each state, and how many wait because of which filter; for metrics.
#[derive(Debug, Clone, Default)]
pub struct Census {
    pub states: Vec<(InstanceState, i64)>,
    /// An empty name stands for "no node at all".
    pub pending: Vec<(String, i64)>,
}

pub async fn census(conn: &mut PgConnection) -> sqlx::Result<Census> {
    let rows = sqlx::query!(
        r#"
        SELECT state, coalesce(pending_filter, '') AS "filter!", count(*) AS "count!"
        FROM instance WHERE ended_at IS NULL GROUP BY 1, 2
        "#
    )
    .fetch_all(conn)
    .await?;
    let mut census = Census::default();
    for row in rows {
        let state = InstanceState::from_name(&row.state)
            .ok_or_else(|| Inconsistency::new("instance", "state", "(group)", &row.state))?;
        match census.states.iter_mut().find(|(of, _)| *of == state) {
            Some((_, count)) => *count += row.count,
            None => census.states.push((state, row.count)),
        }
        if state == InstanceState::Pending {
            census.pending.push((row.filter, row.count));
        }
    }
    Ok(census)
}

/// How many of the latest starts there are, at most `limit`, and in how many seconds nine of ten of them were healthy, counted
/// from when they got their node.
pub async fn latest_starts(
    conn: &mut PgConnection,
    limit: i64,
) -> sqlx::Result<(u32, Option<u32>)> {
    let row = sqlx::query!(
        r#"
        SELECT count(*) AS "count!",
               ceil(percentile_disc(0.9) WITHIN GROUP (ORDER BY seconds))::bigint AS p90
        FROM (
            SELECT extract(epoch FROM healthy_at - assigned_at) AS seconds
            FROM instance WHERE healthy_at IS NOT NULL AND healthy_at >= assigned_at
            ORDER BY healthy_at DESC LIMIT $1
        ) AS latest
        "#,
        limit,
    )
    .fetch_one(conn)
    .await?;
    let count = u32::try_from(row.count).unwrap_or(u32::MAX);
    Ok((
        count,
        row.p90.and_then(|seconds| u32::try_from(seconds).ok()),
    ))
}
