//! Use cases. Each opens its transaction, decides with `domain`, stores with `db`, announces with `events`, commits. What
//! an event of another service sets off runs in the transaction of its consumer instead.

pub mod cancel_app;
pub mod deliver_private;
pub mod error;
pub mod follow_chain;
pub mod instances_reported;
pub mod keep_private;
pub mod known_fleet;
pub mod money;
pub mod node_changed;
pub mod preview;
pub mod queries;
pub mod reconcile;
pub mod reserve;
pub mod secrets;
pub mod submit_app;
pub mod update_app;
pub mod vault;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use fluxplane_core::{Clock, IdSource};
use sqlx::PgPool;

pub use error::Error;
pub use vault::Vault;

/// What every use case works with.
#[derive(Debug, Clone)]
pub struct Context {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub limits: Limits,
    pub vault: Vault,
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
    /// Most copies for which the quotes of one owner keep room.
    pub reserved_copies_per_owner: u32,
    /// Largest part of the fleet that all quotes together keep, in per cent.
    pub reserved_percent: u32,
    /// Most secrets of one owner.
    pub secrets_per_owner: u32,
    /// How long what is private of an application is kept after it ended.
    pub keep_ended: Duration,
}

/// A configured duration for arithmetic with times; one that is longer than time itself is forever.
pub fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
