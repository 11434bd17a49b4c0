//! Usage reports as nodes signed them.

use chrono::{DateTime, Utc};
use fluxplane_core::id::NodeId;
use fluxplane_platform::db::columns::bigint;
use sqlx::PgConnection;
use uuid::Uuid;

/// A report with its signature.
#[derive(Debug, Clone)]
pub struct SignedReport {
    pub node: NodeId,
    pub sequence: u64,
    pub signed: Vec<u8>,
    pub signature: Vec<u8>,
    pub agent_pubkey: Vec<u8>,
    pub received_at: DateTime<Utc>,
}

/// Stores reports and returns the places of those that are new; the others were counted before.
pub async fn insert(conn: &mut PgConnection, reports: &[SignedReport]) -> sqlx::Result<Vec<usize>> {
    let nodes: Vec<Uuid> = reports.iter().map(|report| report.node.uuid()).collect();
    let sequences: Vec<i64> = reports
        .iter()
        .map(|report| bigint(report.sequence))
        .collect();
    let bytes = |part: fn(&SignedReport) -> &Vec<u8>| -> Vec<Vec<u8>> {
        reports.iter().map(|report| part(report).clone()).collect()
    };
    let received: Vec<DateTime<Utc>> = reports.iter().map(|report| report.received_at).collect();
    let inserted = sqlx::query!(
        r#"
        INSERT INTO usage_report (node_id, sequence, signed, signature, agent_pubkey, received_at)
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::timestamptz[])
        ON CONFLICT (node_id, sequence) DO NOTHING
        RETURNING node_id, sequence
        "#,
        &nodes,
        &sequences,
        &bytes(|report| &report.signed),
        &bytes(|report| &report.signature),
        &bytes(|report| &report.agent_pubkey),
        &received,
    )
    .fetch_all(conn)
    .await?;
    let mut new: std::collections::BTreeSet<(Uuid, i64)> = inserted
        .into_iter()
        .map(|row| (row.node_id, row.sequence))
        .collect();
    // Twice in one batch, it counts at its first place.
    let first = |place: &usize| new.remove(&(nodes[*place], sequences[*place]));
    Ok((0..reports.len()).filter(first).collect())
}
