//! The scheduler said what a node shall run.

use fluxplane_core::id::NodeId;
use sqlx::PgConnection;

use super::{Context, Error};
use crate::db::{self, desired::Stored};

/// Stores a desired state in the caller's transaction; returns whether it was newer than what was there.
pub async fn store_desired(
    conn: &mut PgConnection,
    node: NodeId,
    version: i64,
    epoch: i64,
    payload: &[u8],
) -> Result<bool, Error> {
    if db::nodes::get(conn, node).await?.is_none() {
        return Err(Error::NoNode(node));
    }
    Ok(db::desired::put(conn, node, version, epoch, payload).await?)
}

/// What a node shall run, as last said.
pub async fn desired(ctx: &Context, node: NodeId) -> Result<Option<Stored>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::desired::get(&mut conn, node).await?)
}
