//! A wallet proves its key and gets a session.

use fluxplane_platform::db as platform_db;

use super::{Context, Error, Tokens, issue};
use crate::{db, domain::WalletAddress};

/// Sessions one wallet may have at a time; the oldest ends when another begins.
pub(super) const SESSIONS_PER_PRINCIPAL: u32 = 20;

/// Opens a session. A wrong signature leaves the phrase usable: only who asked for it knows it.
pub async fn sign_in(
    ctx: &Context,
    address: WalletAddress,
    phrase: &str,
    signature: &str,
) -> Result<Tokens, Error> {
    let now = ctx.clock.now();
    let mut tx = platform_db::begin(&ctx.pool).await?;
    let expires_at = db::challenges::take(&mut tx, phrase, address.as_str()).await?;
    if expires_at.is_none_or(|expires_at| now >= expires_at) {
        return Err(Error::Challenge);
    }
    address
        .signed(phrase, signature)
        .map_err(Error::Signature)?;
    let session = ctx.ids.next().into();
    db::sessions::insert(&mut tx, session, address.as_str(), now).await?;
    let surplus =
        db::sessions::end_surplus(&mut tx, address.as_str(), SESSIONS_PER_PRINCIPAL, now).await?;
    let tokens = issue(ctx, &mut tx, session, address.into_string(), now).await?;
    tx.commit().await?;
    if surplus > 0 {
        tracing::info!(session.id = %session, surplus, "ended surplus sessions of one wallet");
    }
    Ok(tokens)
}
