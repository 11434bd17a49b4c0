//! A node changed: what runs there may need another place, what waits may have found one.

use std::collections::BTreeSet;

use fluxplane_core::{NodeState, id::AppId};
use sqlx::PgConnection;

use super::{Context, Error};
use crate::{
    db,
    domain::{Copy, Entry, Node, Stage, Standing},
};

/// Takes over a node, in the transaction of the event's consumer. An older version than the known one changes nothing.
pub async fn node_changed(
    conn: &mut PgConnection,
    ctx: &Context,
    node: &Node,
) -> Result<(), Error> {
    let now = ctx.clock.now();
    let known = db::nodes::lock(conn, node.id).await?;
    if !db::nodes::put(conn, node, now).await? {
        return Ok(());
    }
    let before = known.as_ref().map(|node| Standing::from(node.state));
    let after = Standing::from(node.state);
    let grew = known.is_none_or(|known| !known.capacity.covers(node.capacity));
    if before == Some(after) && !grew {
        return Ok(());
    }
    let here: Vec<Copy> = db::instances::on_node(conn, node.id).await?;
    let live = || here.iter().filter(|copy| copy.is_live());
    let mut apps: BTreeSet<AppId> = here.iter().map(|copy| copy.instance.app).collect();
    let mut in_need = Vec::new();
    if after == Standing::Ready {
        in_need = db::instances::apps_in_need(conn).await?;
        apps.extend(&in_need);
    }
    let apps: Vec<AppId> = apps.into_iter().collect();
    db::apps::attend(conn, &apps, now).await?;
    if !in_need.is_empty() {
        db::instances::forget_tries(conn, &in_need).await?;
    }
    if before == Some(after) {
        return Ok(());
    }
    let entries: Vec<(AppId, Entry)> = live()
        .filter_map(|copy| Some((copy.instance.app, entry(copy, node, before?)?)))
        .collect();
    db::timeline::append(conn, now, &entries).await?;
    Ok(())
}

/// What the owner of an instance should know.
fn entry(copy: &Copy, node: &Node, before: Standing) -> Option<Entry> {
    let slot = copy.instance.slot;
    let (stage, message) = match node.state {
        NodeState::Suspect => (
            Stage::NodeSuspect,
            format!("the node of instance {slot} fell silent; the instance stays for now"),
        ),
        NodeState::Lost => (
            Stage::NodeLost,
            format!("the node of instance {slot} is lost; another one is looked for"),
        ),
        NodeState::Ineligible => (
            Stage::NodeLost,
            format!("the node of instance {slot} lost its collateral; another one is looked for"),
        ),
        NodeState::Retired => (
            Stage::NodeLost,
            format!(
                "the node of instance {slot} was replaced by its operator; another one is looked for"
            ),
        ),
        NodeState::Ready => (
            Stage::NodeReturned,
            format!("the node of instance {slot} answers again"),
        ),
        NodeState::Joined if before == Standing::Gone => (
            Stage::NodeReturned,
            format!("the node of instance {slot} may work again once it connects"),
        ),
        NodeState::Joined => return None,
    };
    Some(Entry::instance(
        stage,
        copy.instance.id,
        Some(node.id),
        copy.number,
        message,
    ))
}
