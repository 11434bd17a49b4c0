//! Someone wants to sign in.

use super::{Context, Error};
use crate::{
    db,
    domain::{
        WalletAddress,
        challenge::{self, Challenge},
    },
};

/// Makes a phrase for `address` to sign. Everyone may ask for anyone: only the signature proves something.
pub async fn create_challenge(ctx: &Context, address: WalletAddress) -> Result<Challenge, Error> {
    let now = ctx.clock.now();
    let challenge = Challenge {
        phrase: challenge::phrase(now, &ctx.random_bytes()?),
        address,
        created_at: now,
        expires_at: now + ctx.lives.challenge,
    };
    let mut conn = ctx.pool.acquire().await?;
    db::challenges::insert(&mut conn, &challenge).await?;
    Ok(challenge)
}
