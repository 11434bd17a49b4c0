//! Decision records.

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, InstanceId, NodeId};
use fluxplane_placement::DecisionRecord;
use fluxplane_platform::db::columns::integer;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// A decision to be stored.
#[derive(Debug)]
pub struct NewDecision<'a> {
    pub id: Uuid,
    pub app: AppId,
    /// Revision that was placed.
    pub number: u32,
    pub made_at: DateTime<Utc>,
    /// Term of the leader that decided.
    pub token: i64,
    pub record: &'a DecisionRecord,
}

pub async fn insert(conn: &mut PgConnection, decision: &NewDecision<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO decision (id, app_id, number, made_at, token, record)
        VALUES ($1, $2, $3, $4, $5, $6)
        "#,
        decision.id,
        decision.app.uuid(),
        integer(decision.number),
        decision.made_at,
        decision.token,
        Json(decision.record) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets decisions that no instance refers to any more: those that found no node and were made again.
pub async fn prune(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        DELETE FROM decision
        WHERE id = ANY($1) AND NOT EXISTS (SELECT 1 FROM instance WHERE decision_id = decision.id)
        "#,
        ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The decision behind an instance of an owner, and the node the instance is on.
pub async fn of_instance(
    conn: &mut PgConnection,
    instance: InstanceId,
    owner: &str,
) -> sqlx::Result<Option<(DecisionRecord, Option<NodeId>)>> {
    let row = sqlx::query!(
        r#"
        SELECT d.record AS "record: Json<DecisionRecord>", i.node_id
        FROM instance AS i
        JOIN app AS a ON a.id = i.app_id
        JOIN decision AS d ON d.id = i.decision_id
        WHERE i.id = $1 AND a.owner = $2
        "#,
        instance.uuid(),
        owner,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.record.0, row.node_id.map(NodeId::from))))
}
