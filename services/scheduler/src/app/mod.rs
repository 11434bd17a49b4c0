//! Use cases. Each opens its transaction, decides with `domain`, stores with `db`, announces with `events`, commits. What
//! an event of another service sets off runs in the transaction of its consumer instead.

pub mod cancel_app;
pub mod error;
pub mod follow_chain;
pub mod instances_reported;
pub mod money;
pub mod node_changed;
pub mod preview;
pub mod queries;
pub mod reconcile;
pub mod reserve_name;
pub mod submit_app;
pub mod update_app;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use fluxplane_core::{Clock, IdSource};
use sqlx::PgPool;

pub use error::Error;

/// What every use case works with.
#[derive(Debug, Clone)]
pub struct Context {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub limits: Limits,
}

/// What owners may want, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time in which a revision must be paid.
    pub pay_within: Duration,
    /// Most applications of one owner that wait for their payment.
    pub unpaid_per_owner: u32,
    /// Most names that the quotes of one owner keep.
    pub reserved_per_owner: u32,
}

/// A configured duration for arithmetic with times; one that is longer than time itself is forever.
pub fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
