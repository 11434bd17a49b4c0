//! Instances that got a node.

use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{Event as _, scheduler::v1::InstanceAssigned};
use prost::Message as _;
use sqlx::PgConnection;

use super::{id, time};
use crate::{
    app::seconds,
    db::assignments::{self, Assignment},
};

/// Remembers which node may charge for which instance.
#[derive(Debug)]
pub struct OnAssigned;

impl Handler for OnAssigned {
    const CONSUMER: &'static str = "billing-assignments";
    const PRODUCER: &'static str = "scheduler";
    const SUBJECT: &'static str = InstanceAssigned::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event = InstanceAssigned::decode(payload).map_err(HandlerError::poison)?;
        let assignment = Assignment {
            instance: id("instance_id", &event.instance_id)?,
            epoch: event.assignment_epoch,
            app: id("app_id", &event.app_id)?,
            revision: id("revision_id", &event.revision_id)?,
            node: id("node_id", &event.node_id)?,
            assigned_at: seconds(time("assigned_at", event.assigned_at)?),
        };
        Ok(assignments::put(conn, &assignment).await?)
    }
}
