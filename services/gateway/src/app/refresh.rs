//! A session goes on with new tokens.

use fluxplane_platform::db as platform_db;

use super::{Context, Error, Tokens, issue};
use crate::{
    db,
    domain::{
        Token,
        session::{EndReason, Verdict},
    },
};

/// Exchanges a refresh token. One that was used before ends its session: either the thief or the owner has seen the new
/// pair, and nobody can tell who asks now.
pub async fn refresh(ctx: &Context, token: &Token) -> Result<Tokens, Error> {
    let now = ctx.clock.now();
    let digest = token.digest();
    let mut tx = platform_db::begin(&ctx.pool).await?;
    let stored = db::sessions::lock_refresh(&mut tx, &digest)
        .await?
        .ok_or(Error::RefreshToken)?;
    match stored.judge(now) {
        Verdict::Dead => Err(Error::RefreshToken),
        Verdict::Reused => {
            db::sessions::end(&mut tx, stored.session, EndReason::TokenReused, now).await?;
            tx.commit().await?;
            tracing::warn!(session.id = %stored.session, "a refresh token came back, ended its session");
            Err(Error::RefreshReused)
        }
        Verdict::Rotate => {
            db::sessions::mark_used(&mut tx, &digest, now).await?;
            let tokens = issue(ctx, &mut tx, stored.session, stored.principal, now).await?;
            tx.commit().await?;
            Ok(tokens)
        }
    }
}
