//! A client of FluxOS signs in.

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_platform::db as platform_db;

use super::{Context, Error, sign_in::SESSIONS_PER_PRINCIPAL};
use crate::{
    db,
    domain::{
        WalletAddress, challenge,
        fluxos::{Login, LoginProblem, PHRASE_LIFE},
    },
};

/// A login that counts.
#[derive(Debug, Clone)]
pub struct LoggedIn {
    /// Canonical wallet address.
    pub principal: String,
    pub admin: bool,
    /// When the phrase was made.
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Makes a phrase that anybody may sign.
pub async fn create_phrase(ctx: &Context) -> Result<String, Error> {
    let now = ctx.clock.now();
    let phrase = challenge::phrase(now, &ctx.random_bytes()?);
    let mut conn = ctx.pool.acquire().await?;
    db::login_phrases::insert(&mut conn, &phrase, now, now + PHRASE_LIFE).await?;
    Ok(phrase)
}

/// Opens a session whose credential is the login itself. A wrong signature leaves the phrase usable.
pub async fn verify_login(ctx: &Context, login: &Login) -> Result<LoggedIn, Error> {
    let now = ctx.clock.now();
    login.check(now)?;
    let mut tx = platform_db::begin(&ctx.pool).await?;
    let taken = db::login_phrases::take(&mut tx, &login.phrase).await?;
    let Some((created_at, _)) = taken.filter(|(_, expires_at)| now < *expires_at) else {
        return Err(LoginProblem::Unknown.into());
    };
    // FluxOS takes what no wallet has for a wrong signature, too.
    let address = WalletAddress::parse("zelid", &login.address)
        .map_err(|_| Error::Login(LoginProblem::Signature))?;
    address
        .signed(&login.phrase, &login.signature)
        .map_err(|_| Error::Login(LoginProblem::Signature))?;
    let session = ctx.ids.next().into();
    let principal = address.into_string();
    let life = TimeDelta::from_std(ctx.lives.fluxos).unwrap_or(TimeDelta::MAX);
    let expires_at = created_at + life;
    db::sessions::insert(&mut tx, session, &principal, now).await?;
    db::sessions::end_surplus(&mut tx, &principal, SESSIONS_PER_PRINCIPAL, now).await?;
    let digest = login.digest();
    db::sessions::insert_token(&mut tx, session, Login::KIND, &digest, now, expires_at).await?;
    tx.commit().await?;
    Ok(LoggedIn {
        admin: ctx.admins.contains(&principal),
        principal,
        created_at,
        expires_at,
    })
}
