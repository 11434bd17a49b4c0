//! What a FLUX is worth: asking the sources, accepting a rate for a quote, setting it by hand.

use chrono::TimeDelta;
use fluxplane_platform::{db::idempotency, error::chain};
use fluxplane_pricing::native::{FixingError, Policy, SignedStatement, VerifiedStatement};
use futures::{StreamExt as _, stream};
use sqlx::PgConnection;

use super::{Context, Error, seconds, time};
use crate::{
    clients::rate_source::{AskError, Asker, HttpSource, Word},
    db::{self, rates::Heard},
    domain::rate::{self, Accepted, Judged, Rate, Said, Standing, StatementError},
};

/// Sources asked at once.
const AT_ONCE: usize = 8;

/// Where rates come from and which are good enough.
#[derive(Debug, Clone)]
pub struct RateRules {
    pub policy: Policy,
    pub sources: Sources,
    /// Pause between two questions to one source.
    pub ask_every: TimeDelta,
    pub asker: Asker,
}

/// Live sources, or rates that the configuration fixes; never both.
#[derive(Debug, Clone)]
pub enum Sources {
    /// Names and micro-dollars per FLUX. For development: they are always fresh.
    Fixed(Vec<(String, u32)>),
    Http(Vec<HttpSource>),
}

impl Sources {
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Fixed(fixed) => fixed.iter().map(|(name, _)| name.as_str()).collect(),
            Self::Http(live) => live.iter().map(|source| source.name.as_str()).collect(),
        }
    }
}

/// What is known of the rate now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The rate a quote would be made with, or why there is none. Its id is 0 until a quote is pinned to it.
    pub rate: Result<Rate, FixingError>,
    pub sources: Vec<Source>,
}

/// A configured source as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub name: String,
    pub said: Option<Said>,
    pub standing: Standing,
    /// Why the last question failed; empty when it did not.
    pub problem: String,
}

/// What became of asking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    pub answered: usize,
    pub failed: usize,
}

/// Asks the sources whose time has come. Each that fails is noted with its cause; none keeps the others waiting.
pub async fn ask_due(ctx: &Context) -> Result<Asked, Error> {
    let rules = &ctx.rules.rate;
    let Sources::Http(sources) = &rules.sources else {
        return Ok(Asked::default());
    };
    let now = ctx.clock.now();
    let mut conn = ctx.pool.acquire().await?;
    let heard = db::rates::heard(&mut conn).await?;
    drop(conn);
    let mut due: Vec<HttpSource> = sources.clone();
    due.retain(|source| {
        let last = heard.iter().find(|own| own.source == source.name);
        last.is_none_or(|last| last.asked_at + rules.ask_every <= now)
    });
    let answers: Vec<(HttpSource, Result<Word, AskError>)> = stream::iter(due)
        .map(|source| async move {
            let answer = rules.asker.ask(&source).await;
            (source, answer)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut asked = Asked::default();
    let mut conn = ctx.pool.acquire().await?;
    for (source, answer) in answers {
        let name = source.name.as_str();
        ctx.metrics.rate_asked(name, answer.is_ok());
        match answer {
            Ok(word) => {
                asked.answered += 1;
                let at = word.at.map_or(now, time);
                db::rates::put_word(&mut conn, name, word.micro_usd, at, now).await?;
            }
            Err(err) => {
                asked.failed += 1;
                let problem = chain(&err);
                tracing::warn!(source = name, error = problem, "no rate from a source");
                db::rates::put_problem(&mut conn, name, &problem, now).await?;
            }
        }
    }
    Ok(asked)
}

/// What would be accepted now. Stores nothing.
pub(super) async fn find(conn: &mut PgConnection, ctx: &Context) -> Result<Accepted, Error> {
    let (said, statement) = known(conn, ctx).await?;
    let words: Vec<Said> = said.into_iter().filter_map(|own| own.said).collect();
    let policy = &ctx.rules.rate.policy;
    rate::accept(&words, statement.as_ref(), policy, ctx.now_s()).map_err(Error::NoRate)
}

/// The rate of now for a price that binds nobody. Stores nothing, so its id is 0.
pub(super) async fn now(conn: &mut PgConnection, ctx: &Context) -> Result<Rate, Error> {
    Ok(stored(0, find(conn, ctx).await?))
}

/// The rate for a quote made now, stored, so that the quote can be pinned to it.
pub(super) async fn accept_now(conn: &mut PgConnection, ctx: &Context) -> Result<Rate, Error> {
    let accepted = find(conn, ctx).await?;
    let (at, now) = (time(accepted.at), ctx.clock.now());
    let id = match db::rates::last_if_same(conn, &accepted, at).await? {
        Some(id) => id,
        None => db::rates::insert(conn, &accepted, at, now).await?,
    };
    Ok(stored(id, accepted))
}

/// How the rate stands.
pub async fn outlook(ctx: &Context) -> Result<Outlook, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let (known, statement) = known(&mut conn, ctx).await?;
    let words: Vec<Said> = known.iter().filter_map(|own| own.said.clone()).collect();
    let policy = &ctx.rules.rate.policy;
    let found = rate::accept(&words, statement.as_ref(), policy, ctx.now_s());
    let standing = |said: &Said| match &found {
        Ok(accepted) => standing_in(accepted, said),
        Err(err) => rate::standing_without(said, err),
    };
    let sources = known
        .into_iter()
        .map(|own| Source {
            standing: own.said.as_ref().map_or(Standing::Silent, standing),
            name: own.source,
            said: own.said,
            problem: own.problem,
        })
        .collect();
    let rate = match found {
        Ok(accepted) => {
            let id = db::rates::last_if_same(&mut conn, &accepted, time(accepted.at)).await?;
            Ok(stored(id.unwrap_or(0), accepted))
        }
        Err(err) => Err(err),
    };
    Ok(Outlook { rate, sources })
}

fn standing_in(accepted: &Accepted, said: &Said) -> Standing {
    let judged = accepted.basis.sources.iter();
    let judged = judged.filter(|own| own.said.source == said.source);
    judged
        .map(|own: &Judged| own.standing)
        .next()
        .unwrap_or(Standing::Unused)
}

/// A statement as it arrives.
#[derive(Debug)]
pub struct OverrideRate {
    /// Who submits it; the signer may be somebody else.
    pub principal: String,
    pub micro_usd: i64,
    pub valid_from: u64,
    pub valid_until: u64,
    pub reason: String,
    pub signer: String,
    pub signature: String,
}

/// Takes a signed statement. It replaces the one before at once, also when that would hold longer: a short statement is
/// how one is ended before its time.
pub async fn override_rate(
    ctx: &Context,
    idempotency: &idempotency::Request,
    command: OverrideRate,
) -> Result<Rate, Error> {
    let mut tx = ctx.begin().await?;
    let OverrideRate { principal, .. } = &command;
    let principal = principal.clone();
    // A repetition finds its statement stored, and must not be refused for it.
    idempotency::once(&mut tx, idempotency, async |conn| {
        let signed = verify(ctx, command)?;
        let now = ctx.clock.now();
        let is_new = db::rates::insert_statement(conn, &signed, &principal, now).await?;
        if !is_new {
            return Err(Error::StatementUsed);
        }
        let text = signed.statement.text();
        tracing::warn!(
            signer = signed.signer,
            submitted_by = principal,
            text,
            "the rate was set by hand"
        );
        Ok::<_, Error>(())
    })
    .await?;
    let rate = accept_now(&mut tx, ctx).await?;
    tx.commit().await?;
    Ok(rate)
}

fn verify(ctx: &Context, command: OverrideRate) -> Result<SignedStatement, Error> {
    let verified = rate::take_statement(
        command.micro_usd,
        (command.valid_from, command.valid_until),
        command.reason,
        command.signer,
        command.signature,
        &ctx.rules.rate.policy,
        ctx.now_s(),
    );
    let verified = verified.map_err(|err: StatementError| Error::Statement(err))?;
    Ok(verified.signed().clone())
}

/// What the configured sources said last, and the statement that counts, if any.
async fn known(
    conn: &mut PgConnection,
    ctx: &Context,
) -> Result<(Vec<Heard>, Option<VerifiedStatement>), Error> {
    let rules = &ctx.rules.rate;
    let now = ctx.clock.now();
    let heard = match &rules.sources {
        Sources::Fixed(fixed) => {
            // Of the last full interval, so that quotes soon after each other share a rate.
            let step = u64::try_from(rules.ask_every.num_seconds())
                .unwrap_or(1)
                .max(1);
            let at = seconds(now) / step * step;
            let word = |(source, micro_usd): &(String, u32)| Heard {
                source: source.clone(),
                said: Some(Said {
                    source: source.clone(),
                    micro_usd: *micro_usd,
                    at,
                }),
                asked_at: now,
                problem: String::new(),
            };
            fixed.iter().map(word).collect()
        }
        Sources::Http(sources) => {
            let mut heard = db::rates::heard(conn).await?;
            let known = |source: &HttpSource| {
                let found = heard.iter().position(|own| own.source == source.name);
                found.map_or_else(
                    || Heard {
                        source: source.name.clone(),
                        said: None,
                        asked_at: now,
                        problem: "it was not asked yet".to_owned(),
                    },
                    |place| heard.swap_remove(place),
                )
            };
            sources.iter().map(known).collect()
        }
    };
    let last = db::rates::last_statement(conn).await?;
    let last = last.filter(|signed| signed.statement.valid_until > seconds(now));
    // Who may sign is decided by the configuration of now.
    let statement = last.and_then(|signed| signed.verify(&rules.policy).ok());
    Ok((heard, statement))
}

fn stored(id: u64, accepted: Accepted) -> Rate {
    Rate {
        id,
        flux_usd: accepted.flux_usd,
        source: accepted.basis.to_string(),
        at: time(accepted.at),
        basis: accepted.basis,
    }
}
