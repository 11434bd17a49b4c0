//! What each node shall run.

use fluxplane_core::id::NodeId;
use sqlx::PgConnection;
use uuid::Uuid;

/// Channel on which a node's new desired state is announced to every replica of this service.
pub const CHANNEL: &str = "desired_state";

/// A stored desired state.
#[derive(Debug, Clone)]
pub struct Stored {
    pub version: i64,
    /// Serialised wire form.
    pub payload: Vec<u8>,
}

/// Stores a newer desired state and wakes the replica that holds the node's stream. An older one, or one of a scheduler
/// that was superseded, changes nothing; returns whether it was taken.
pub async fn put(
    conn: &mut PgConnection,
    node: NodeId,
    version: i64,
    epoch: i64,
    payload: &[u8],
) -> sqlx::Result<bool> {
    let taken = sqlx::query_scalar!(
        r#"
        WITH put AS (
            INSERT INTO desired_state AS d (node_id, version, epoch, payload) VALUES ($1, $2, $3, $4)
            ON CONFLICT (node_id) DO UPDATE SET
                version = EXCLUDED.version, epoch = EXCLUDED.epoch,
                payload = EXCLUDED.payload, updated_at = now()
            WHERE d.version < EXCLUDED.version AND d.epoch <= EXCLUDED.epoch
            RETURNING node_id
        )
        SELECT pg_notify($5, current_schema() || ':' || node_id::text) IS NOT NULL AS "taken!" FROM put
        "#,
        node.uuid(),
        version,
        epoch,
        payload,
        CHANNEL,
    )
    .fetch_optional(conn)
    .await?;
    Ok(taken.is_some())
}

pub async fn get(conn: &mut PgConnection, node: NodeId) -> sqlx::Result<Option<Stored>> {
    sqlx::query_as!(
        Stored,
        "SELECT version, payload FROM desired_state WHERE node_id = $1",
        node.uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// The node that a notification on [`CHANNEL`] is about, if it is of `schema`.
pub fn parse_notification(payload: &str, schema: &str) -> Option<NodeId> {
    let (of, node) = payload.split_once(':')?;
    if of != schema {
        return None;
    }
    node.parse::<Uuid>().ok().map(NodeId::from)
}
