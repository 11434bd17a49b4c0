//! A session ends.

use fluxplane_core::id::SessionId;

use super::{Context, Error};
use crate::{db, domain::session::EndReason};

pub async fn sign_out(ctx: &Context, session: SessionId) -> Result<(), Error> {
    let mut conn = ctx.pool.acquire().await?;
    db::sessions::end(&mut conn, session, EndReason::SignedOut, ctx.clock.now()).await?;
    Ok(())
}
