//! What a FLUX is worth.

use chrono::{DateTime, Utc};
use fluxplane_pricing::native::SignedStatement;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{Amount, Client, Error, call::Call, open_enum::open_enum};

/// What one FLUX was worth when the plane accepted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Null until a quote is pinned to it.
    pub rate_id: Option<u64>,
    /// Dollars per FLUX.
    pub price: Amount,
    /// The oldest word that counted, or the beginning of a statement.
    pub at: DateTime<Utc>,
    /// What it rests on, in words.
    pub source: String,
    pub sources: Vec<RateSource>,
    /// Set when it was stated by hand.
    pub statement: Option<RateStatement>,
}

open_enum! {
    /// What became of a source's word.
    RateSourceState {
        /// Counted for the median.
        Used = "used",
        Stale = "stale",
        Ahead = "ahead",
        /// Too far from the median.
        Far = "far",
        /// Never said anything.
        Silent = "silent",
        /// A statement goes before it, or too few others agree.
        Unused = "unused",
    }
}

/// What a source said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateSource {
    pub name: String,
    pub state: RateSourceState,
    pub price: Option<Amount>,
    pub at: Option<DateTime<Utc>>,
    /// Why the last question failed.
    pub problem: Option<String>,
}

/// A rate set by hand, as it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateStatement {
    /// Millionths of a dollar per FLUX.
    pub micro_usd: i64,
    /// Seconds since 1970.
    pub valid_from: u64,
    pub valid_until: u64,
    pub reason: String,
    pub signer: String,
    pub signature: String,
}

/// The rate now in force, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentRate {
    pub rate: Option<Rate>,
    pub problem: Option<String>,
    pub sources: Vec<RateSource>,
}

impl Client {
    /// What a FLUX is worth now, and what that rests on.
    pub async fn rate(&self) -> Result<CurrentRate, Error> {
        self.json(&Call::get(&["rate"]).public()).await
    }

    /// Sets the rate by hand. For administrators.
    pub async fn override_rate(
        &self,
        micro_usd: u32,
        signed: SignedStatement,
    ) -> Result<Rate, Error> {
        let body = RateStatement {
            micro_usd: micro_usd.into(),
            valid_from: signed.statement.valid_from,
            valid_until: signed.statement.valid_until,
            reason: signed.statement.reason,
            signer: signed.signer,
            signature: signed.signature,
        };
        let call = Call::change(Method::POST, &["rate:override"], self.key()).json(&body)?;
        self.json(&call).await
    }
}
