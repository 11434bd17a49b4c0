//! Questions about nodes.

use fluxplane_core::{NodeState, error::Violation, id::NodeId};
use fluxplane_platform::db::paging::Page;
use uuid::Uuid;

use super::{Context, Error};
use crate::{db, domain::Node};

pub async fn get_node(ctx: &Context, id: NodeId) -> Result<Node, Error> {
    let mut conn = ctx.pool.acquire().await?;
    db::nodes::get(&mut conn, id)
        .await?
        .ok_or(Error::NoNode(id))
}

/// Refuses nodes that are unknown, or whose place another machine took.
pub async fn serving(ctx: &Context, id: NodeId) -> Result<(), Error> {
    match get_node(ctx, id).await?.state {
        NodeState::Retired => Err(Error::Retired(id)),
        NodeState::Joined
        | NodeState::Ready
        | NodeState::Suspect
        | NodeState::Lost
        | NodeState::Ineligible => Ok(()),
    }
}

/// One page of nodes and the cursor of the next.
pub async fn list_nodes(
    ctx: &Context,
    operator: &str,
    state: Option<NodeState>,
    page: &Page<Uuid>,
) -> Result<(Vec<Node>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut nodes = db::nodes::list(&mut conn, operator, state, page).await?;
    let cursor = page.cut(&mut nodes, |node| node.id.uuid());
    Ok((nodes, cursor))
}

/// Reads a page wish.
pub fn page(size: u32, cursor: &str) -> Result<Page<Uuid>, Error> {
    Page::parse(size, cursor).map_err(|violation: Violation| Error::Invalid(vec![violation]))
}
