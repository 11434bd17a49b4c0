//! The timeline of applications. Whoever appends holds the lock of the application, so that entries of one application
//! become visible in the order of their sequences and a reader can go on from the last one it saw.

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, InstanceId, NodeId};
use fluxplane_platform::db::columns::{integer, small, unsigned};
use sqlx::PgConnection;
use uuid::Uuid;

use super::TIMELINE;
use crate::domain::Entry;

/// Adds entries in order, and wakes those who watch.
pub async fn append(
    conn: &mut PgConnection,
    at: DateTime<Utc>,
    entries: &[(AppId, Entry)],
) -> sqlx::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let apps: Vec<Uuid> = entries.iter().map(|(app, _)| app.uuid()).collect();
    let stages: Vec<String> = entries
        .iter()
        .map(|(_, entry)| entry.stage.name().to_owned())
        .collect();
    let instances: Vec<Option<Uuid>> = entries
        .iter()
        .map(|(_, entry)| entry.instance.map(InstanceId::uuid))
        .collect();
    let nodes: Vec<Option<Uuid>> = entries
        .iter()
        .map(|(_, entry)| entry.node.map(NodeId::uuid))
        .collect();
    let revisions: Vec<i32> = entries
        .iter()
        .map(|(_, entry)| integer(entry.revision))
        .collect();
    let messages: Vec<String> = entries
        .iter()
        .map(|(_, entry)| entry.message.clone())
        .collect();
    sqlx::query!(
        r#"
        WITH added AS (
            INSERT INTO app_event (app_id, at, stage, instance_id, node_id, revision_number, message)
            SELECT app_id, $1, stage, instance_id, node_id, revision_number, message
            FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::integer[], $7::text[])
                WITH ORDINALITY
                AS e (app_id, stage, instance_id, node_id, revision_number, message, place)
            ORDER BY place
            RETURNING app_id
        )
        SELECT pg_notify($8, app_id::text) FROM (SELECT DISTINCT app_id FROM added) AS apps
        "#,
        at,
        &apps,
        &stages,
        &instances as _,
        &nodes as _,
        &revisions,
        &messages,
        TIMELINE,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// An entry as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    pub sequence: u64,
    pub at: DateTime<Utc>,
    pub stage: String,
    pub instance: Option<InstanceId>,
    pub node: Option<NodeId>,
    pub revision: u32,
    pub message: String,
}

/// Entries of an application with a higher sequence, oldest first.
pub async fn after(
    conn: &mut PgConnection,
    app: AppId,
    sequence: i64,
    limit: i64,
) -> sqlx::Result<Vec<StoredEntry>> {
    let rows = sqlx::query!(
        r#"
        SELECT sequence, at, stage, instance_id, node_id, revision_number, message
        FROM app_event WHERE app_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
        "#,
        app.uuid(),
        sequence,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let sequence = row.sequence;
            Ok(StoredEntry {
                sequence: unsigned("app_event", "sequence", sequence, sequence)?,
                at: row.at,
                stage: row.stage,
                instance: row.instance_id.map(InstanceId::from),
                node: row.node_id.map(NodeId::from),
                revision: small(
                    "app_event",
                    "revision_number",
                    sequence,
                    row.revision_number,
                )?,
                message: row.message,
            })
        })
        .collect()
}
