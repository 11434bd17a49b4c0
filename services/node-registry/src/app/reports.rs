//! What agents report: what they run, and for how long it ran.

use fluxplane_core::{NodeState, Resources, attest::Statement, id::NodeId};

use super::{Context, Error, join::announce};
use crate::{
    db,
    db::nodes::AgentFacts,
    domain::{Node, signed},
    events::announce::{self as announcements, Reported, SignedReport},
};

/// A session begins: what the agent says of itself. Returns the node as it is now.
pub async fn greet(
    ctx: &Context,
    id: NodeId,
    agent_version: &str,
    runtime: &str,
    offered: Resources,
) -> Result<Node, Error> {
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let node = db::nodes::lock(&mut tx, id)
        .await?
        .ok_or(Error::NoNode(id))?;
    if node.state == NodeState::Retired {
        return Err(Error::Retired(id));
    }
    // An agent may offer less than the benchmark found, never more.
    let limit = node.benchmark.usable();
    let capacity = Resources {
        cpu_milli: offered.cpu_milli.min(limit.cpu_milli),
        ram_mib: offered.ram_mib.min(limit.ram_mib),
        disk_gib: offered.disk_gib.min(limit.disk_gib),
    };
    let unchanged =
        node.agent_version == agent_version && node.runtime == runtime && node.capacity == capacity;
    if unchanged {
        return Ok(node);
    }
    let facts = AgentFacts {
        agent_version,
        runtime,
        capacity,
    };
    db::nodes::set_agent_facts(&mut tx, id, &facts).await?;
    announce(&mut tx, ctx, id).await?;
    let node = db::nodes::get(&mut tx, id)
        .await?
        .ok_or(Error::NoNode(id))?;
    tx.commit().await?;
    Ok(node)
}

/// Passes on what a node runs.
pub async fn instances_reported(ctx: &Context, id: NodeId, report: Reported) -> Result<(), Error> {
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    announcements::instances_reported(&mut tx, ctx.ids.as_ref(), id, report, ctx.clock.now())
        .await?;
    tx.commit().await?;
    Ok(())
}

/// What became of a usage report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageOutcome {
    /// Stored; billing will hear of it.
    Stored,
    /// Was stored before.
    Repeated,
    /// An earlier one is missing; the agent sends from there.
    Gap { expected: u64 },
    /// Not signed by the node's key, or not about this node.
    BadSignature,
}

/// Takes a signed usage report in its place in the node's sequence.
pub async fn usage_reported(
    ctx: &Context,
    id: NodeId,
    sequence: u64,
    report: SignedReport,
) -> Result<UsageOutcome, Error> {
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let node = db::nodes::lock(&mut tx, id)
        .await?
        .ok_or(Error::NoNode(id))?;
    if !signed::agent_signed(
        &node.agent_pubkey,
        Statement::Usage,
        &report.signed,
        &report.signature,
    ) {
        return Ok(UsageOutcome::BadSignature);
    }
    if sequence <= node.usage_sequence {
        return Ok(UsageOutcome::Repeated);
    }
    if sequence != node.usage_sequence + 1 {
        return Ok(UsageOutcome::Gap {
            expected: node.usage_sequence + 1,
        });
    }
    db::nodes::set_usage_sequence(&mut tx, id, sequence).await?;
    announcements::usage_reported(
        &mut tx,
        ctx.ids.as_ref(),
        id,
        report,
        &node.agent_pubkey,
        ctx.clock.now(),
    )
    .await?;
    tx.commit().await?;
    Ok(UsageOutcome::Stored)
}
