//! Which node may run an instance, and from when to when.

use fluxplane_core::id::{AppId, InstanceId, NodeId, RevisionId};
use fluxplane_platform::db::columns::bigint;
use sqlx::PgConnection;

/// An assignment as the scheduler announced it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    pub instance: InstanceId,
    pub epoch: u64,
    pub app: AppId,
    pub revision: RevisionId,
    pub node: NodeId,
    /// Seconds since 1970.
    pub assigned_at: u64,
}

/// Stores an assignment. An assignment lasts until the next one of the same instance begins, in whatever order they are
/// heard of.
pub async fn put(conn: &mut PgConnection, assignment: &Assignment) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO assignment (instance_id, assignment_epoch, app_id, revision_id, node_id, assigned_at,
                                superseded_at)
        VALUES ($1, $2, $3, $4, $5, $6,
                (SELECT min(assigned_at) FROM assignment WHERE instance_id = $1 AND assignment_epoch > $2))
        ON CONFLICT (instance_id, assignment_epoch) DO NOTHING
        "#,
        assignment.instance.uuid(),
        bigint(assignment.epoch),
        assignment.app.uuid(),
        assignment.revision.uuid(),
        assignment.node.uuid(),
        bigint(assignment.assigned_at),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"
        UPDATE assignment SET superseded_at = $3
        WHERE instance_id = $1 AND assignment_epoch < $2 AND (superseded_at IS NULL OR superseded_at > $3)
        "#,
        assignment.instance.uuid(),
        bigint(assignment.epoch),
        bigint(assignment.assigned_at),
    )
    .execute(conn)
    .await?;
    Ok(())
}
