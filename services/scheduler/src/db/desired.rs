//! What nodes shall run.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Tier,
    id::{AppId, InstanceId, NodeId, RevisionId},
};
use fluxplane_platform::db::{Inconsistency, columns::unsigned};
use sqlx::PgConnection;
use uuid::Uuid;

/// A node's new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bumped {
    pub node: NodeId,
    pub version: u64,
    pub tier: Tier,
}

/// Gives each node's desired state its next version.
pub async fn bump(
    conn: &mut PgConnection,
    nodes: &[NodeId],
    epoch: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Bumped>> {
    let ids: Vec<Uuid> = nodes.iter().map(|node| node.uuid()).collect();
    let rows = sqlx::query!(
        r#"
        WITH bumped AS (
            INSERT INTO node_desired AS d (node_id, version, epoch, updated_at)
            SELECT id, 1, $2, $3 FROM unnest($1::uuid[]) AS n (id) ORDER BY id
            ON CONFLICT (node_id) DO UPDATE SET
                version = d.version + 1, epoch = EXCLUDED.epoch, updated_at = EXCLUDED.updated_at,
                outdated = false
            RETURNING node_id, version
        )
        SELECT node_id, bumped.version, tier FROM bumped JOIN node ON node.id = node_id
        "#,
        &ids,
        epoch,
        now,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = row.node_id;
            let tier = u8::try_from(row.tier).ok().and_then(Tier::from_number);
            Ok(Bumped {
                node: id.into(),
                version: unsigned("node_desired", "version", id, row.version)?,
                tier: tier.ok_or_else(|| Inconsistency::new("node", "tier", id, row.tier))?,
            })
        })
        .collect()
}

/// Nodes whose desired state was announced in a form that is not used any more.
pub async fn outdated(conn: &mut PgConnection, limit: i64) -> sqlx::Result<Vec<NodeId>> {
    let ids = sqlx::query_scalar!(
        "SELECT node_id FROM node_desired WHERE outdated ORDER BY node_id LIMIT $1",
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(NodeId::from).collect())
}

/// An instance that a node shall run.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub node: NodeId,
    pub instance: InstanceId,
    pub epoch: u64,
    pub app: AppId,
    pub app_name: String,
    pub revision: RevisionId,
    /// What the application's number was when the assignment was made.
    pub secrets: u64,
    pub traceparent: String,
}

/// The instances that these nodes shall run, in a fixed order.
pub async fn wanted(conn: &mut PgConnection, nodes: &[NodeId]) -> sqlx::Result<Vec<Wanted>> {
    let ids: Vec<Uuid> = nodes.iter().map(|node| node.uuid()).collect();
    let rows = sqlx::query!(
        r#"
        SELECT i.node_id AS "node_id!", i.id, i.epoch, i.app_id, a.name, i.revision_id, i.secrets, i.traceparent
        FROM instance AS i JOIN app AS a ON a.id = i.app_id
        WHERE i.node_id = ANY($1) AND i.released_at IS NULL
          AND i.state NOT IN ('stopping', 'stopped', 'lost')
        ORDER BY i.id
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Wanted {
                node: row.node_id.into(),
                instance: row.id.into(),
                epoch: unsigned("instance", "epoch", row.id, row.epoch)?,
                app: row.app_id.into(),
                app_name: row.name,
                revision: row.revision_id.into(),
                secrets: unsigned("instance", "secrets", row.id, row.secrets)?,
                traceparent: row.traceparent,
            })
        })
        .collect()
}
