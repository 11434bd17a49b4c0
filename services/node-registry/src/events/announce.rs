//! Announcements of the registry, appended to the outbox in the caller's transaction.

use chrono::{DateTime, Utc};
use fluxplane_core::{IdSource, id::NodeId};
use fluxplane_platform::db::outbox::{self, NewEvent};
use fluxplane_proto::{
    Event,
    node_registry::v1::{
        InstanceReport, InstancesReported, NodeChanged, SignedUsageReport, UsageReported,
    },
};
use sqlx::PgConnection;

use crate::{
    domain::Node,
    grpc::convert::{node_to_wire, timestamp},
};

/// What a node runs, as its agent sent it.
#[derive(Debug)]
pub struct Reported(pub(crate) InstanceReport);

/// A usage report with its signature, as its agent sent it.
#[derive(Debug, Clone)]
pub struct SignedReport {
    pub signed: Vec<u8>,
    pub signature: Vec<u8>,
}

pub async fn node_changed(
    conn: &mut PgConnection,
    ids: &dyn IdSource,
    node: &Node,
) -> sqlx::Result<()> {
    append(
        conn,
        ids,
        &NodeChanged {
            node: Some(node_to_wire(node)),
        },
    )
    .await
}

pub async fn instances_reported(
    conn: &mut PgConnection,
    ids: &dyn IdSource,
    node: NodeId,
    report: Reported,
    received_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let event = InstancesReported {
        node_id: node.to_string(),
        report: Some(report.0),
        received_at: Some(timestamp(received_at)),
    };
    append(conn, ids, &event).await
}

pub async fn usage_reported(
    conn: &mut PgConnection,
    ids: &dyn IdSource,
    node: NodeId,
    report: SignedReport,
    agent_pubkey: &[u8],
    received_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let SignedReport { signed, signature } = report;
    let event = UsageReported {
        node_id: node.to_string(),
        report: Some(SignedUsageReport { signed, signature }),
        agent_pubkey: agent_pubkey.to_vec(),
        received_at: Some(timestamp(received_at)),
    };
    append(conn, ids, &event).await
}

async fn append<E: Event>(
    conn: &mut PgConnection,
    ids: &dyn IdSource,
    event: &E,
) -> sqlx::Result<()> {
    outbox::append(conn, &NewEvent::new(ids.next(), E::SUBJECT, event)).await
}
