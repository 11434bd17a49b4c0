//! Proofs of life, many at a time.

use fluxplane_core::{NodeState, id::NodeId};

use super::{Context, Error, join::announce};
use crate::db::{
    self,
    nodes::{Accepted, Beat},
};

/// Takes verified beats. Returns those that counted; the others repeat a sequence that was taken already.
pub async fn take_heartbeats(ctx: &Context, beats: &[Beat]) -> Result<Vec<Accepted>, Error> {
    let accepted = {
        let mut conn = ctx.pool.acquire().await?;
        db::nodes::advance_heartbeats(&mut conn, beats, ctx.clock.now()).await?
    };
    for beat in accepted.iter().filter(|beat| beat.revived) {
        revive(ctx, beat.node).await?;
    }
    Ok(accepted)
}

/// A node that was silent or new beats: it is ready.
async fn revive(ctx: &Context, id: NodeId) -> Result<(), Error> {
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let node = db::nodes::lock(&mut tx, id)
        .await?
        .ok_or(Error::NoNode(id))?;
    match node.state {
        NodeState::Joined | NodeState::Suspect | NodeState::Lost => {
            db::nodes::set_state(&mut tx, id, NodeState::Ready, "").await?;
            announce(&mut tx, ctx, id).await?;
            tx.commit().await?;
            tracing::info!(node.id = %id, node.was = node.state.name(), "node is ready");
        }
        NodeState::Ready | NodeState::Ineligible | NodeState::Retired => {}
    }
    Ok(())
}
