//! Who presents this token?

use super::{Context, Error};
use crate::{
    db,
    domain::{Principal, Token},
};

pub async fn authenticate(ctx: &Context, token: &Token) -> Result<Principal, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let live = db::sessions::live(&mut conn, &token.digest(), ctx.clock.now())
        .await?
        .ok_or(Error::AccessToken)?;
    Ok(Principal {
        admin: ctx.admins.contains(&live.principal),
        address: live.principal,
        session: live.session,
        expires_at: live.expires_at,
    })
}
