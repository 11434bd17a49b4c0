//! A rate as everybody sees it, with what it rests on.

use chrono::{DateTime, Utc};
use fluxplane_proto::billing::v1 as wire;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::{
    amount::Amount,
    wire::{Malformed, optional_time, some, time},
};

/// What one FLUX was worth when the plane accepted it. A rate with an id never changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Rate {
    /// Null until a quote is pinned to it.
    #[schema(example = 41)]
    pub rate_id: Option<u64>,
    /// Dollars per FLUX.
    pub price: Amount,
    /// The oldest word that counted, or the beginning of a statement.
    pub at: DateTime<Utc>,
    /// What it rests on, in words.
    #[schema(example = "median of a, b, c")]
    pub source: String,
    /// What the sources said that were asked.
    pub sources: Vec<RateSource>,
    /// Set when it was stated by hand.
    pub statement: Option<RateStatement>,
}

/// What became of a source's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateSourceState {
    /// Counted for the median.
    Used,
    /// Too old.
    Stale,
    /// Says to be from the future.
    Ahead,
    /// Too far from the median.
    Far,
    /// Never said anything.
    Silent,
    /// A statement goes before it, or too few others agree.
    Unused,
}

/// What a source said.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RateSource {
    pub name: String,
    pub state: RateSourceState,
    /// Dollars per FLUX; null while silent.
    pub price: Option<Amount>,
    pub at: Option<DateTime<Utc>>,
    /// Why the last question failed.
    pub problem: Option<String>,
}

/// A rate set by hand, as it was signed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RateStatement {
    /// Millionths of a dollar per FLUX.
    #[schema(example = 80_000)]
    pub micro_usd: i64,
    /// Seconds since 1970, as in the signed text.
    pub valid_from: u64,
    /// The first second in which it does not hold any more.
    pub valid_until: u64,
    pub reason: String,
    /// Flux ID or Ethereum address.
    pub signer: String,
    pub signature: String,
}

/// The rate now in force, or why there is none.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CurrentRate {
    /// Null while there is none; then no quotes are made.
    pub rate: Option<Rate>,
    /// Why there is none.
    pub problem: Option<String>,
    /// What every source said last.
    pub sources: Vec<RateSource>,
}

impl TryFrom<wire::Rate> for Rate {
    type Error = Malformed;

    fn try_from(rate: wire::Rate) -> Result<Self, Malformed> {
        Ok(Self {
            rate_id: Some(rate.rate_id).filter(|id| *id > 0),
            price: Amount::usd(rate.micro_usd),
            at: time("rate.at", rate.at)?,
            source: rate.source,
            sources: sources(rate.sources)?,
            statement: rate.statement.map(RateStatement::from),
        })
    }
}

impl From<wire::RateStatement> for RateStatement {
    fn from(statement: wire::RateStatement) -> Self {
        Self {
            micro_usd: statement.micro_usd,
            valid_from: statement.valid_from_unix_s,
            valid_until: statement.valid_until_unix_s,
            reason: statement.reason,
            signer: statement.signer,
            signature: statement.signature,
        }
    }
}

impl TryFrom<wire::GetRateResponse> for CurrentRate {
    type Error = Malformed;

    fn try_from(known: wire::GetRateResponse) -> Result<Self, Malformed> {
        Ok(Self {
            rate: known.rate.map(Rate::try_from).transpose()?,
            problem: some(&known.problem).map(str::to_owned),
            sources: sources(known.sources)?,
        })
    }
}

fn sources(sources: Vec<wire::RateSource>) -> Result<Vec<RateSource>, Malformed> {
    sources.into_iter().map(RateSource::try_from).collect()
}

impl TryFrom<wire::RateSource> for RateSource {
    type Error = Malformed;

    fn try_from(source: wire::RateSource) -> Result<Self, Malformed> {
        let state = match wire::RateSourceState::try_from(source.state) {
            Ok(wire::RateSourceState::Used) => RateSourceState::Used,
            Ok(wire::RateSourceState::Stale) => RateSourceState::Stale,
            Ok(wire::RateSourceState::Ahead) => RateSourceState::Ahead,
            Ok(wire::RateSourceState::Far) => RateSourceState::Far,
            Ok(wire::RateSourceState::Silent) => RateSourceState::Silent,
            Ok(wire::RateSourceState::Unused) => RateSourceState::Unused,
            Ok(wire::RateSourceState::Unspecified) | Err(_) => {
                return Err(Malformed::value("source.state", source.state));
            }
        };
        Ok(Self {
            name: source.name,
            state,
            price: (source.micro_usd > 0).then(|| Amount::usd(source.micro_usd)),
            at: optional_time("source.at", source.at)?,
            problem: some(&source.problem).map(str::to_owned),
        })
    }
}
