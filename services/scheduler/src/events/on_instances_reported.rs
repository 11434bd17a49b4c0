//! An agent reported what it runs.

use anyhow::anyhow;
use fluxplane_platform::{
    bus::{Handler, HandlerError},
    reconciler::Nudge,
};
use fluxplane_proto::{
    Event as _,
    node_registry::v1::{InstancePhase, InstanceStatus, InstancesReported},
};
use sqlx::PgConnection;

use super::read::{decode, given, id, time};
use crate::{
    app::{Context, instances_reported},
    domain::observe::{Observed, Phase, Report},
};

/// Takes over what nodes say of instances.
#[derive(Debug)]
pub struct OnInstancesReported {
    pub ctx: Context,
    pub nudge: Nudge,
}

impl Handler for OnInstancesReported {
    const CONSUMER: &'static str = "scheduler-instance-reports";
    const PRODUCER: &'static str = "node-registry";
    const SUBJECT: &'static str = InstancesReported::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event: InstancesReported = decode(payload)?;
        let report = given("report", event.report)?;
        let report = Report {
            node: id("node_id", &event.node_id)?,
            desired_version: report.desired_version,
            instances: report
                .instances
                .iter()
                .map(read)
                .collect::<Result<_, HandlerError>>()?,
            received_at: time("received_at", event.received_at)?,
        };
        instances_reported::instances_reported(conn, &self.ctx, &report)
            .await
            .map_err(HandlerError::retry)
    }

    fn applied(&self) {
        self.nudge.nudge();
    }
}

fn read(status: &InstanceStatus) -> Result<Observed, HandlerError> {
    let phase = match status.phase() {
        InstancePhase::Pulling => Phase::Pulling,
        InstancePhase::Starting => Phase::Starting,
        InstancePhase::Healthy => Phase::Healthy,
        InstancePhase::Unhealthy => Phase::Unhealthy,
        InstancePhase::Failed => Phase::Failed,
        InstancePhase::Stopped => Phase::Stopped,
        InstancePhase::Unspecified => {
            let text = format!("phase {} of instance {}", status.phase, status.instance_id);
            return Err(HandlerError::poison(anyhow!(text)));
        }
    };
    Ok(Observed {
        instance: id("instance_id", &status.instance_id)?,
        epoch: status.assignment_epoch,
        phase,
        reason: status.reason.clone(),
    })
}
