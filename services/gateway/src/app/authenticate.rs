//! Who presents this token?

use super::{Context, Error};
use crate::{
    db,
    domain::{Principal, Token, TokenKind, fluxos::Login},
};

pub async fn authenticate(ctx: &Context, token: &Token) -> Result<Principal, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let live = db::sessions::live(
        &mut conn,
        TokenKind::Access.name(),
        &token.digest(),
        ctx.clock.now(),
    )
    .await?
    .ok_or(Error::AccessToken)?;
    Ok(principal(ctx, live))
}

/// Who sends this credential of FluxOS? It counts only after its login: what FluxOS takes from anybody who holds a fresh
/// signature, a thief could replay.
pub async fn authenticate_login(ctx: &Context, login: &Login) -> Result<Principal, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let now = ctx.clock.now();
    let live = db::sessions::live(&mut conn, Login::KIND, &login.digest(), now)
        .await?
        .ok_or(Error::AccessToken)?;
    Ok(principal(ctx, live))
}

fn principal(ctx: &Context, live: db::sessions::Live) -> Principal {
    Principal {
        admin: ctx.admins.contains(&live.principal),
        address: live.principal,
        session: live.session,
        expires_at: live.expires_at,
    }
}
