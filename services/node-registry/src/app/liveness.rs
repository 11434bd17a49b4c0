//! Looks for silent nodes and draws the consequences.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::{NodeState, id::NodeId};
use fluxplane_platform::db::lease;

use super::{Context, Error, join::announce};
use crate::{
    db::{self, nodes::Beating},
    domain::liveness::{self, Judgement, Rules, Suspicion, Verdict, Watched},
};

/// Lease of the one replica that judges.
pub const LEASE: &str = "registry.liveness";

/// Nodes that should beat, with what the caller knows from probing.
pub async fn watched(ctx: &Context) -> Result<Vec<Beating>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::nodes::beating(&mut conn).await?)
}

/// Judges by the outcome of the probes made since each node became suspect.
pub fn judge(
    nodes: &[Beating],
    probes: &BTreeMap<NodeId, Suspicion>,
    listening_since: DateTime<Utc>,
    now: DateTime<Utc>,
    rules: Rules,
) -> Judgement {
    let watched: Vec<Watched> = nodes
        .iter()
        .map(|node| {
            let id = NodeId::new(node.id);
            let suspect = node.state == NodeState::Suspect.name();
            let probed = probes.get(&id).copied().unwrap_or(Suspicion::NotProbed);
            Watched {
                id,
                suspicion: suspect.then_some(probed),
                last_heartbeat_at: node.last_heartbeat_at,
            }
        })
        .collect();
    liveness::judge(&watched, listening_since, now, rules)
}

/// Applies one verdict, unless the node beat or moved on in the meantime.
pub async fn apply(
    ctx: &Context,
    token: i64,
    id: NodeId,
    seen: DateTime<Utc>,
    verdict: &Verdict,
) -> Result<bool, Error> {
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    match lease::fence(&mut tx, LEASE, token).await {
        Ok(()) => {}
        Err(lease::FenceError::Superseded { .. }) => return Ok(false),
        Err(lease::FenceError::Db(err)) => return Err(err.into()),
    }
    let Some(node) = db::nodes::lock(&mut tx, id).await? else {
        return Ok(false);
    };
    let beat_since = node.last_heartbeat_at.is_some_and(|at| at > seen);
    let (from, to, reason) = match verdict {
        Verdict::Suspect { missed } => (
            NodeState::Ready,
            NodeState::Suspect,
            format!("missed {missed} heartbeats"),
        ),
        Verdict::Lost {
            missed,
            unreachable: true,
        } => (
            NodeState::Suspect,
            NodeState::Lost,
            format!("missed {missed} heartbeats and does not answer the plane's own probe"),
        ),
        Verdict::Lost {
            missed,
            unreachable: false,
        } => (
            NodeState::Suspect,
            NodeState::Lost,
            format!("missed {missed} heartbeats"),
        ),
    };
    if beat_since || node.state != from {
        return Ok(false);
    }
    db::nodes::set_state(&mut tx, id, to, &reason).await?;
    announce(&mut tx, ctx, id).await?;
    tx.commit().await?;
    tracing::warn!(node.id = %id, node.state = to.name(), reason, "node fell silent");
    Ok(true)
}
