//! An operator asks for a permission to join a machine.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fluxplane_core::{error::Violation, id::JoinTokenId};
use fluxplane_platform::db::idempotency;
use ring::hmac;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Context, Error};
use crate::{
    db,
    domain::{Collateral, join::JoinToken},
};

/// Longest life of a token (security rule S14), also the default.
const MAX_LIFE: Duration = Duration::from_hours(1);

/// Shortest life: less is over before the operator has copied it.
const MIN_LIFE: Duration = Duration::from_mins(1);

/// Makes tokens out of their ids, so that a repeated request can be answered alike although only a hash is kept.
#[derive(Debug, Clone)]
pub struct TokenKey(hmac::Key);

impl TokenKey {
    /// `secret` is private key material of this service.
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The token of an id: `fxj_` and 32 bytes in hex.
    fn token(&self, id: JoinTokenId) -> String {
        let message = [b"fluxplane-join-token:v1:", id.uuid().as_bytes().as_slice()].concat();
        format!("fxj_{}", hex::encode(hmac::sign(&self.0, &message)))
    }
}

/// What is kept of a token.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[derive(Debug)]
pub struct CreateJoinToken {
    pub operator: String,
    pub collateral: Collateral,
    /// Zero for the default.
    pub life: Duration,
}

#[derive(Debug)]
pub struct Created {
    pub token: String,
    pub expires_at: DateTime<Utc>,
}

/// What a repetition is answered from; not the token itself.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: JoinTokenId,
    expires_at: DateTime<Utc>,
}

pub async fn create_join_token(
    ctx: &Context,
    key: &TokenKey,
    idempotency: &idempotency::Request,
    command: CreateJoinToken,
) -> Result<Created, Error> {
    let life = if command.life.is_zero() {
        MAX_LIFE
    } else {
        command.life
    };
    if !(MIN_LIFE..=MAX_LIFE).contains(&life) {
        return Err(Error::Invalid(vec![Violation::new(
            "ttl_seconds",
            life.as_secs(),
            format!(
                "a token lives {} to {} seconds",
                MIN_LIFE.as_secs(),
                MAX_LIFE.as_secs()
            ),
            "leave it out for an hour",
        )]));
    }
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    let stored = idempotency::once(&mut tx, idempotency, async |conn| {
        let now = ctx.clock.now();
        let token = JoinToken {
            id: ctx.ids.next().into(),
            operator: command.operator,
            collateral: command.collateral,
            expires_at: now + life,
            used_at: None,
        };
        db::join_tokens::insert(conn, &token, &token_hash(&key.token(token.id)), now).await?;
        Ok::<_, Error>(Stored {
            id: token.id,
            expires_at: token.expires_at,
        })
    })
    .await?;
    tx.commit().await?;
    Ok(Created {
        token: key.token(stored.id),
        expires_at: stored.expires_at,
    })
}
