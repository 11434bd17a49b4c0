//! Which exchange rate is in force: the median of several sources, or what an authorised person has signed.
//!
//! A source that is late, or far from the others, is left out and named. With too few left there is no rate, and so no
//! new quote; nothing that was quoted changes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{flux::FluxUsd, statement::VerifiedStatement};

/// What a source said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    pub source: String,
    pub rate: FluxUsd,
    /// When it said so: seconds since 1970.
    pub at: u64,
}

/// What makes a rate good enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Older observations do not count, in seconds.
    pub max_age_s: u64,
    /// Observations may be this much ahead of our clock, in seconds.
    pub max_ahead_s: u64,
    /// So many sources must agree; at least one.
    pub min_sources: usize,
    /// How far a source may be from the median, in parts per million of it.
    pub max_spread_ppm: u32,
    /// Who may set the rate by a signed statement: Flux IDs and Ethereum addresses.
    pub override_signers: BTreeSet<String>,
    /// The longest time that a statement may hold, in seconds.
    pub max_override_s: u64,
}

impl Default for Policy {
    /// Ten minutes, three sources within 5 %, nobody who may override, statements of a day.
    fn default() -> Self {
        Self {
            max_age_s: 600,
            max_ahead_s: 60,
            min_sources: 3,
            max_spread_ppm: 50_000,
            override_signers: BTreeSet::new(),
            max_override_s: 86_400,
        }
    }
}

/// The rate in force, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixing {
    pub rate: FluxUsd,
    /// Seconds since 1970: the oldest observation that counted, or the beginning of the statement.
    pub at: u64,
    pub basis: Basis,
}

/// What a rate rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    Median {
        /// Sources that counted, by name.
        used: Vec<String>,
        /// Sources that did not.
        dropped: Vec<Dropped>,
    },
    Statement {
        signer: String,
        reason: String,
        valid_until: u64,
    },
}

/// A source that did not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    pub source: String,
    pub cause: DropCause,
}

/// Why a source did not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropCause {
    Stale,
    FromFuture,
    FarFromMedian,
}

/// Why there is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FixingError {
    #[error(
        "{fresh} sources are fresh, but {needed} are needed; see why the others are late, or sign a statement"
    )]
    TooFew {
        fresh: usize,
        needed: usize,
        dropped: Vec<Dropped>,
    },
    #[error(
        "{near} sources are near the median {median} USD per FLUX, but {needed} are needed; see which is wrong, or sign a statement"
    )]
    Disagree {
        near: usize,
        needed: usize,
        median: FluxUsd,
        dropped: Vec<Dropped>,
    },
}

/// Finds the rate in force at `now`, in seconds since 1970. A statement that holds goes before every source.
///
/// Of several observations of one source the newest counts. Of an even number of rates the higher middle one is the
/// median: the customer's favour, as with all rounding, and always a rate that somebody quoted.
///
/// # Errors
/// When too few sources are fresh, or too few agree.
pub fn fix(
    observations: &[Observation],
    statement: Option<&VerifiedStatement>,
    policy: &Policy,
    now: u64,
) -> Result<Fixing, FixingError> {
    if let Some(statement) = statement.filter(|own| own.holds_at(now)) {
        return Ok(statement.fixing());
    }
    let needed = policy.min_sources.max(1);
    let mut dropped = Vec::new();
    let mut fresh = Vec::new();
    for observation in newest_per_source(observations) {
        match cause_of_age(observation, policy, now) {
            None => fresh.push(observation),
            Some(cause) => dropped.push(drop_of(observation, cause)),
        }
    }
    if fresh.len() < needed {
        let fresh = fresh.len();
        return Err(FixingError::TooFew {
            fresh,
            needed,
            dropped,
        });
    }
    let centre = median(&mut fresh);
    let (mut near, far): (Vec<&Observation>, Vec<&Observation>) = fresh
        .into_iter()
        .partition(|own| own.rate.is_within(centre, policy.max_spread_ppm));
    let far = far.into_iter();
    dropped.extend(far.map(|own| drop_of(own, DropCause::FarFromMedian)));
    if near.len() < needed {
        return Err(FixingError::Disagree {
            near: near.len(),
            needed,
            median: centre,
            dropped,
        });
    }
    let rate = median(&mut near);
    let at = near.iter().map(|own| own.at).min().unwrap_or(now);
    let mut used: Vec<String> = near.into_iter().map(|own| own.source.clone()).collect();
    used.sort_unstable();
    Ok(Fixing {
        rate,
        at,
        basis: Basis::Median { used, dropped },
    })
}

fn newest_per_source(observations: &[Observation]) -> impl Iterator<Item = &Observation> {
    let mut newest: BTreeMap<&str, &Observation> = BTreeMap::new();
    for observation in observations {
        let slot = newest.entry(&observation.source).or_insert(observation);
        if observation.at > slot.at {
            *slot = observation;
        }
    }
    newest.into_values()
}

fn cause_of_age(observation: &Observation, policy: &Policy, now: u64) -> Option<DropCause> {
    if observation.at > now.saturating_add(policy.max_ahead_s) {
        Some(DropCause::FromFuture)
    } else if observation.at.saturating_add(policy.max_age_s) < now {
        Some(DropCause::Stale)
    } else {
        None
    }
}

fn drop_of(observation: &Observation, cause: DropCause) -> Dropped {
    let source = observation.source.clone();
    Dropped { source, cause }
}

/// The middle rate, or the higher of the two in the middle. There must be one.
fn median(observations: &mut [&Observation]) -> FluxUsd {
    observations.sort_by_key(|own| own.rate);
    observations[observations.len() / 2].rate
}
