//! The scheduler changed what a node shall run.

use anyhow::Context as _;
use fluxplane_core::id::NodeId;
use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{Event as _, scheduler::v1::NodeDesiredStateChanged};
use prost::Message as _;
use sqlx::PgConnection;

use crate::app::{Error, store_desired::store_desired};

/// Stores desired states; the replica with the node's stream is woken by the database.
#[derive(Debug)]
pub struct OnDesiredState;

impl Handler for OnDesiredState {
    const CONSUMER: &'static str = "node-registry-desired-state";
    const PRODUCER: &'static str = "scheduler";
    const SUBJECT: &'static str = NodeDesiredStateChanged::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event = NodeDesiredStateChanged::decode(payload).map_err(HandlerError::poison)?;
        let node: NodeId = event
            .node_id
            .parse()
            .context("node_id")
            .map_err(HandlerError::poison)?;
        let desired = event
            .desired
            .context("desired")
            .map_err(HandlerError::poison)?;
        let version = i64::try_from(desired.version).map_err(HandlerError::poison)?;
        let epoch = i64::try_from(desired.epoch).map_err(HandlerError::poison)?;
        match store_desired(conn, node, version, epoch, &desired.encode_to_vec()).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                tracing::debug!(node.id = %node, version, epoch, "ignored an older desired state");
                Ok(())
            }
            Err(Error::NoNode(_)) => Err(HandlerError::poison(Error::NoNode(node))),
            Err(err) => Err(HandlerError::retry(err)),
        }
    }
}
