//! The chain's fluxnode list changed: a node may have lost or regained its right to work.

use fluxplane_core::{NodeState, id::NodeId};
use sqlx::PgConnection;

use super::{Context, Error, join::announce};
use crate::{db, domain::Collateral};

/// What the chain says of a collateral now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Confirmed,
    /// Expired, spent, or on the DoS list.
    Gone,
}

/// Applies the change in the caller's transaction. Returns the node it concerns, if any changed.
pub async fn set_eligibility(
    conn: &mut PgConnection,
    ctx: &Context,
    collateral: &Collateral,
    standing: Standing,
) -> Result<Option<NodeId>, Error> {
    let Some(node) = db::nodes::lock_by_collateral(conn, collateral).await? else {
        return Ok(None);
    };
    let (state, reason) = match (standing, node.state) {
        (
            Standing::Gone,
            NodeState::Joined | NodeState::Ready | NodeState::Suspect | NodeState::Lost,
        ) => (
            NodeState::Ineligible,
            "its collateral left the chain's fluxnode list",
        ),
        // The next beat makes it ready.
        (Standing::Confirmed, NodeState::Ineligible) => {
            (NodeState::Joined, "its collateral is confirmed again")
        }
        (Standing::Gone, NodeState::Ineligible | NodeState::Retired)
        | (
            Standing::Confirmed,
            NodeState::Joined
            | NodeState::Ready
            | NodeState::Suspect
            | NodeState::Lost
            | NodeState::Retired,
        ) => return Ok(None),
    };
    db::nodes::set_state(conn, node.id, state, reason).await?;
    announce(conn, ctx, node.id).await?;
    Ok(Some(node.id))
}
