//! Use cases. Each opens its transaction, or works in that of the event it answers; decides with `domain`, stores with `db`,
//! announces with `events`, commits.
//!
//! Locks are taken in one order: name, payment, application, revision, terms, accounts.

pub mod create_quote;
pub mod credit;
pub mod end_app;
pub mod epochs;
pub mod error;
pub mod estimate_price;
pub mod fund;
pub mod payments;
pub mod prove_line;
pub mod queries;
pub mod rates;
pub mod settle_epoch;
pub mod submit_revision;
pub mod take_usage;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::{Clock, IdSource};
use fluxplane_platform::db;
use fluxplane_pricing::native::Tables;
use sqlx::{PgPool, Postgres, Transaction};

pub use error::Error;

use self::rates::RateRules;
use crate::metrics::BillingMetrics;

/// What every use case works with.
#[derive(Debug, Clone)]
pub struct Context {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub rules: Arc<Rules>,
    pub metrics: BillingMetrics,
}

/// What the configuration decides.
#[derive(Debug, Clone)]
pub struct Rules {
    pub rate: RateRules,
    /// Our own price list, for specifications `fluxplane/v1`.
    pub tables: Tables,
    /// How long a quote is firm.
    pub quote_life: TimeDelta,
    /// Where chain payments go.
    pub payment_address: String,
    /// Added to the height of the chain before the rules of FluxOS are applied.
    pub height_offset: u64,
    /// Confirmations at which a payment is money.
    pub credit_confirmations: u64,
    /// How far clocks of nodes may be ahead.
    pub clock_tolerance: TimeDelta,
    /// How long evidence waits for its assignment to become known.
    pub unknown_assignment_for: TimeDelta,
    /// Seconds.
    pub epoch_length: u64,
    /// How long after its end an epoch takes late evidence.
    pub epoch_grace: TimeDelta,
}

impl Context {
    /// Begins a transaction.
    async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        db::begin(&self.pool).await
    }

    /// The present second.
    pub fn now_s(&self) -> u64 {
        seconds(self.clock.now())
    }
}

/// A time in whole seconds since 1970, the fraction cut off.
pub fn seconds(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp()).unwrap_or(0)
}

/// The time of a second since 1970.
pub fn time(seconds: u64) -> DateTime<Utc> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
