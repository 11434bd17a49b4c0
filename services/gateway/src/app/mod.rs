//! Use cases of identity and audit. Each opens its transaction, decides with `domain`, stores with `db`, commits.

pub mod audit_log;
pub mod authenticate;
pub mod create_challenge;
pub mod error;
pub mod fluxos_login;
pub mod refresh;
pub mod sign_in;
pub mod sign_out;
pub mod sweep;

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use fluxplane_core::{Clock, IdSource, id::SessionId};
use ring::rand::{SecureRandom as _, SystemRandom};
use sqlx::{PgConnection, PgPool};

pub use error::Error;

use crate::{
    db,
    domain::{Token, TokenKind, session::Lives},
};

/// What every use case works with.
#[derive(Debug, Clone)]
pub struct Context {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub random: SystemRandom,
    pub lives: Lives,
    /// Canonical addresses of administrators.
    pub admins: Arc<BTreeSet<String>>,
}

impl Context {
    fn random_bytes(&self) -> Result<[u8; 32], Error> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).map_err(|_| Error::Random)?;
        Ok(bytes)
    }
}

/// The tokens of a session, shown once.
#[derive(Debug)]
pub struct Tokens {
    pub principal: String,
    pub access: Token,
    pub access_expires_at: DateTime<Utc>,
    pub refresh: Token,
    pub refresh_expires_at: DateTime<Utc>,
}

/// Makes a new pair of tokens for a session.
async fn issue(
    ctx: &Context,
    conn: &mut PgConnection,
    session: SessionId,
    principal: String,
    now: DateTime<Utc>,
) -> Result<Tokens, Error> {
    let tokens = Tokens {
        principal,
        access: Token::new(TokenKind::Access, &ctx.random_bytes()?),
        access_expires_at: now + ctx.lives.access,
        refresh: Token::new(TokenKind::Refresh, &ctx.random_bytes()?),
        refresh_expires_at: now + ctx.lives.refresh,
    };
    for (kind, token, expires_at) in [
        (TokenKind::Access, &tokens.access, tokens.access_expires_at),
        (
            TokenKind::Refresh,
            &tokens.refresh,
            tokens.refresh_expires_at,
        ),
    ] {
        let digest = token.digest();
        db::sessions::insert_token(conn, session, kind.name(), &digest, now, expires_at).await?;
    }
    Ok(tokens)
}
