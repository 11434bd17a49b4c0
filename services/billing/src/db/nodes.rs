//! Nodes and their operators, as the registry announces them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::{Tier, id::NodeId};
use fluxplane_platform::db::{Inconsistency, columns::bigint};
use sqlx::PgConnection;
use uuid::Uuid;

use super::party;
use crate::domain::settlement::NodeFacts;

/// A node as announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    pub id: NodeId,
    pub operator: String,
    pub tier: Tier,
    pub eligible: bool,
    pub joined_at: DateTime<Utc>,
    pub version: u64,
}

/// Stores what is newer than what is there.
pub async fn put(conn: &mut PgConnection, node: &Announced) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO node (id, operator, tier, eligible, joined_at, version) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO UPDATE SET
            operator = EXCLUDED.operator, tier = EXCLUDED.tier, eligible = EXCLUDED.eligible,
            version = EXCLUDED.version
        WHERE node.version < EXCLUDED.version
        "#,
        node.id.uuid(),
        node.operator,
        i16::from(node.tier.number()),
        node.eligible,
        node.joined_at,
        bigint(node.version),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is known of these nodes.
pub async fn facts(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> sqlx::Result<BTreeMap<NodeId, NodeFacts>> {
    let rows = sqlx::query!(
        "SELECT id, operator, tier, eligible FROM node WHERE id IN (SELECT unnest($1::uuid[]))",
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let tier = u8::try_from(row.tier).ok().and_then(Tier::from_number);
            let facts = NodeFacts {
                operator: party("node", "operator", row.id, &row.operator)?,
                tier: tier.ok_or_else(|| Inconsistency::new("node", "tier", row.id, row.tier))?,
                eligible: row.eligible,
            };
            Ok((row.id.into(), facts))
        })
        .collect()
}
