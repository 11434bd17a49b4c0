//! What a FLUX is worth: which of the words of several sources, or which signed statement, is accepted.
//!
//! The rules are `fluxplane_pricing::native::fix`. Here every rate is a whole number of micro-dollars per FLUX, because that
//! is what quotes of both price lists are made with.

pub mod answer;

use std::fmt;

use chrono::{DateTime, Utc};
use fluxplane_core::money::SAT_PER_FLUX;
use fluxplane_pricing::{
    legacy::FluxUsdRate,
    native::{
        FixingError, FluxUsd, Observation, OverrideError, Policy, RateStatement, SignedStatement,
        VerifiedStatement, fix,
        fixing::{Basis as Ground, DropCause},
    },
};
use serde::{Deserialize, Serialize};

/// What a source said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub source: String,
    /// Micro-dollars per FLUX.
    pub micro_usd: u32,
    /// Seconds since 1970.
    pub at: u64,
}

/// What became of a source's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Counted for the median.
    Used,
    Stale,
    /// Says to be from the future.
    Ahead,
    /// Too far from the median.
    Far,
    /// Never said anything.
    Silent,
    /// Good as far as is known, but not needed or not enough.
    Unused,
}

impl Standing {
    pub const ALL: [Self; 6] = [
        Self::Used,
        Self::Stale,
        Self::Ahead,
        Self::Far,
        Self::Silent,
        Self::Unused,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Stale => "stale",
            Self::Ahead => "ahead",
            Self::Far => "far",
            Self::Silent => "silent",
            Self::Unused => "unused",
        }
    }
}

impl From<DropCause> for Standing {
    fn from(cause: DropCause) -> Self {
        match cause {
            DropCause::Stale => Self::Stale,
            DropCause::FromFuture => Self::Ahead,
            DropCause::FarFromMedian => Self::Far,
        }
    }
}

/// A source's word and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    #[serde(flatten)]
    pub said: Said,
    pub standing: Standing,
}

/// What an accepted rate rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// By name.
    pub sources: Vec<Judged>,
    /// Set when it was stated by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<SignedStatement>,
}

/// A rate that quotes may be made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub flux_usd: FluxUsdRate,
    /// The oldest word that counted, or the beginning of the statement, in seconds since 1970.
    pub at: u64,
    pub basis: Basis,
}

/// An accepted rate as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// 0 for rates that were configured before they were stored.
    pub id: u64,
    pub flux_usd: FluxUsdRate,
    /// What it rests on, in words.
    pub source: String,
    pub at: DateTime<Utc>,
    pub basis: Basis,
}

/// Why a rate cannot be set by hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    #[error("{0} micro-dollars per FLUX is no rate; a FLUX costs 1 to 4294967295")]
    Rate(i64),
    #[error(transparent)]
    Refused(#[from] OverrideError),
    #[error("the statement held until {until}, and it is {now} now; sign one that still holds")]
    Over { until: u64, now: u64 },
    #[error("the statement holds from {from} on, and it is {now} now; submit it when it holds")]
    Early { from: u64, now: u64 },
}

/// The ratio behind micro-dollars per FLUX; `None` for 0.
pub fn ratio(micro_usd: u32) -> Option<FluxUsd> {
    FluxUsd::new(micro_usd.into(), SAT_PER_FLUX.unsigned_abs()).ok()
}

/// Whole micro-dollars per FLUX behind a ratio; `None` when there is a fraction, or more than a `u32` holds.
pub fn whole_micros(rate: FluxUsd) -> Option<u32> {
    let micros = u128::from(rate.micro_usd()) * u128::from(SAT_PER_FLUX.unsigned_abs());
    let sat = u128::from(rate.sat());
    (micros % sat == 0)
        .then(|| u32::try_from(micros / sat).ok())
        .flatten()
}

/// Checks a statement that somebody wants to be taken now.
///
/// # Errors
/// When its signer has no right to, the signature does not fit, or it makes no sense.
pub fn take_statement(
    micro_usd: i64,
    window: (u64, u64),
    reason: String,
    signer: String,
    signature: String,
    policy: &Policy,
    now: u64,
) -> Result<VerifiedStatement, StatementError> {
    let rate = u32::try_from(micro_usd).ok().and_then(ratio);
    let rate = rate.ok_or(StatementError::Rate(micro_usd))?;
    let (valid_from, valid_until) = window;
    let statement = RateStatement {
        rate,
        valid_from,
        valid_until,
        reason,
    };
    let signed = SignedStatement {
        statement,
        signer,
        signature,
    };
    let verified = signed.verify(policy)?;
    if valid_until <= now {
        let until = valid_until;
        return Err(StatementError::Over { until, now });
    }
    if valid_from > now {
        let from = valid_from;
        return Err(StatementError::Early { from, now });
    }
    Ok(verified)
}

/// Finds the rate to be accepted at `now`, in seconds since 1970.
///
/// # Errors
/// When too few sources are fresh, or too few agree.
pub fn accept(
    said: &[Said],
    statement: Option<&VerifiedStatement>,
    policy: &Policy,
    now: u64,
) -> Result<Accepted, FixingError> {
    let observations: Vec<Observation> = said.iter().filter_map(observation).collect();
    let fixing = fix(&observations, statement, policy, now)?;
    let statement = match &fixing.basis {
        Ground::Median { .. } => None,
        Ground::Statement { .. } => statement.map(|own| own.signed().clone()),
    };
    let mut sources: Vec<Judged> = said
        .iter()
        .map(|own| Judged {
            standing: match &fixing.basis {
                Ground::Statement { .. } => Standing::Unused,
                Ground::Median { used, dropped } => {
                    let cause = dropped.iter().find(|drop| drop.source == own.source);
                    match cause {
                        Some(drop) => drop.cause.into(),
                        None if used.contains(&own.source) => Standing::Used,
                        None => Standing::Unused,
                    }
                }
            },
            said: own.clone(),
        })
        .collect();
    sources.sort_by(|a, b| a.said.source.cmp(&b.said.source));
    let micros = whole_micros(fixing.rate)
        .expect("the rate is one of those given, all of which are whole micro-dollars");
    Ok(Accepted {
        flux_usd: FluxUsdRate::from_micros(micros),
        at: fixing.at,
        basis: Basis { sources, statement },
    })
}

/// What became of each source when there is no rate.
pub fn standing_without(said: &Said, err: &FixingError) -> Standing {
    let (FixingError::TooFew { dropped, .. } | FixingError::Disagree { dropped, .. }) = err;
    let cause = dropped.iter().find(|drop| drop.source == said.source);
    cause.map_or(Standing::Unused, |drop| drop.cause.into())
}

/// How far the sources that counted are apart, in parts per million of the lowest.
pub fn spread_ppm(basis: &Basis) -> u64 {
    let used = basis.sources.iter();
    let used = used.filter(|own| own.standing == Standing::Used);
    let rates: Vec<u64> = used.map(|own| own.said.micro_usd.into()).collect();
    match (rates.iter().min(), rates.iter().max()) {
        (Some(low), Some(high)) => (high - low) * 1_000_000 / (*low).max(1),
        _ => 0,
    }
}

fn observation(said: &Said) -> Option<Observation> {
    Some(Observation {
        source: said.source.clone(),
        rate: ratio(said.micro_usd)?,
        at: said.at,
    })
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(signed) = &self.statement {
            let SignedStatement {
                statement, signer, ..
            } = signed;
            return write!(f, "set by {signer}: {}", statement.reason);
        }
        let used = self.sources.iter();
        let used = used.filter(|own| own.standing == Standing::Used);
        let names: Vec<&str> = used.map(|own| own.said.source.as_str()).collect();
        match names.as_slice() {
            [only] => f.write_str(only),
            several => write!(f, "median of {}", several.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests;
