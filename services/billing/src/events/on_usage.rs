//! Signed usage reports.

use anyhow::{Context as _, ensure};
use fluxplane_ledger::interval::Interval;
use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{
    Event as _,
    node_registry::v1::{UsageReportBody, UsageReported},
};
use prost::Message as _;
use sqlx::PgConnection;

use super::{id, refused, time};
use crate::{
    app::{
        Context,
        take_usage::{Taken, take_usage},
    },
    db::reports::SignedReport,
    domain::{
        signed::usage_signed,
        usage::{Ran, Report},
    },
};

/// Turns usage reports into evidence.
#[derive(Debug)]
pub struct OnUsage {
    pub ctx: Context,
}

impl Handler for OnUsage {
    const CONSUMER: &'static str = "billing-usage";
    const PRODUCER: &'static str = "node-registry";
    const SUBJECT: &'static str = UsageReported::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let taken = read(payload).inspect_err(|_| self.ctx.metrics.usage_report("refused", 1))?;
        let outcome = take_usage(conn, &self.ctx, vec![taken])
            .await
            .map_err(refused)?;
        self.ctx.metrics.usage_report("stored", outcome.stored);
        self.ctx.metrics.usage_report("repeated", outcome.repeated);
        Ok(())
    }
}

/// Reads a report and checks its signature once more: nobody between the node and the books is believed.
fn read(payload: &[u8]) -> Result<Taken, HandlerError> {
    let event = UsageReported::decode(payload).map_err(HandlerError::poison)?;
    let received_at = time("received_at", event.received_at)?;
    let node = id("node_id", &event.node_id)?;
    let signed = event
        .report
        .context("report is missing")
        .map_err(HandlerError::poison)?;
    if !usage_signed(&event.agent_pubkey, &signed.signed, &signed.signature) {
        let err = anyhow::anyhow!("the report of node {node} is not signed by its key");
        return Err(HandlerError::Poison(err));
    }
    let body = UsageReportBody::decode(signed.signed.as_slice()).map_err(HandlerError::poison)?;
    if body.node_id != event.node_id {
        let err = anyhow::anyhow!("node {node} signed a report of node {}", body.node_id);
        return Err(HandlerError::Poison(err));
    }
    let report = report(node, &body).map_err(HandlerError::poison)?;
    Ok(Taken {
        signed: SignedReport {
            node,
            sequence: report.sequence,
            signed: signed.signed,
            signature: signed.signature,
            agent_pubkey: event.agent_pubkey,
            received_at,
        },
        report,
    })
}

/// Intervals without a second are left out; times beyond what a database holds are nonsense.
fn report(node: fluxplane_core::id::NodeId, body: &UsageReportBody) -> anyhow::Result<Report> {
    const LATEST: u64 = 1 << 40;
    let interval = |from: u64, to: u64| -> anyhow::Result<Option<Interval>> {
        ensure!(
            from < LATEST && to < LATEST,
            "an interval ends at second {to}"
        );
        Ok(Interval::new(from, to).ok())
    };
    let mut ran = Vec::with_capacity(body.instances.len());
    for part in &body.instances {
        let instance = part.instance_id.parse().context("instance_id")?;
        if let Some(seconds) = interval(part.from_unix_s, part.to_unix_s)? {
            ran.push(Ran {
                instance,
                assignment_epoch: part.assignment_epoch,
                seconds,
            });
        }
    }
    Ok(Report {
        node,
        sequence: body.sequence,
        up: interval(body.from_unix_s, body.to_unix_s)?,
        ran,
    })
}
