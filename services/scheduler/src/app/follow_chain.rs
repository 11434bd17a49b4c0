//! The height of the chain, on which FluxOS' rules depend.

use sqlx::PgConnection;

use super::Context;
use crate::db;

pub async fn connected(
    conn: &mut PgConnection,
    ctx: &Context,
    height: u32,
    hash: &str,
) -> sqlx::Result<()> {
    db::chain::connected(conn, height, hash, ctx.clock.now()).await
}

pub async fn disconnected(conn: &mut PgConnection, ctx: &Context, height: u32) -> sqlx::Result<()> {
    db::chain::disconnected(conn, height, ctx.clock.now()).await
}
