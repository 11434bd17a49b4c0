//! Use cases. Each opens its transaction, decides with `domain`, stores with `db`, announces with `events`, commits. No
//! transaction waits for billing or the chain.

pub mod advance;
pub mod error;
pub mod follow;
pub mod queries;
pub mod send;
pub mod sign;
pub mod verify;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::{Clock, IdSource};
use fluxplane_platform::db::{self, lease};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

pub use error::Error;

use crate::{
    clients::{billing::Billing, daemon::Daemon},
    db::anchors,
    domain::{
        anchor::{Anchor, worth_telling},
        build::Signer,
    },
    events::announce,
    metrics::ValidatorMetrics,
};

/// Lease of the one replica that anchors.
pub const LEASE: &str = "validator.anchors";

/// What every use case works with.
#[derive(Debug, Clone)]
pub struct Context {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
    pub metrics: ValidatorMetrics,
}

/// What anchoring needs besides the database.
#[derive(Debug, Clone)]
pub struct Anchoring {
    pub billing: Billing,
    pub daemon: Daemon,
    /// Absent without a key: epochs are checked and not anchored.
    pub signer: Option<Signer>,
    pub final_confirmations: u64,
    /// How long a refused epoch waits until it is checked again.
    pub recheck_refused: TimeDelta,
    /// How long a transaction may be in no block until it is sent again.
    pub resend_after: TimeDelta,
    /// Fencing token of the term.
    pub token: i64,
}

impl Context {
    /// Begins a transaction.
    async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        db::begin(&self.pool).await
    }

    /// Changes an anchor as long as this replica leads and the anchor is what the caller saw, and tells of the change if it is
    /// worth telling. Returns whether it was.
    async fn change(
        &self,
        token: i64,
        seen: &Anchor,
        next: Anchor,
        also: impl AsyncFnOnce(&mut PgConnection) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let Some(now_there) = anchors::lock(&mut tx, seen.announced.epoch).await? else {
            return Ok(false);
        };
        if now_there != *seen {
            return Ok(false);
        }
        let next = Anchor {
            updated_at: self.later_than(seen.updated_at),
            ..next
        };
        also(&mut tx).await?;
        anchors::update(&mut tx, &next).await?;
        if worth_telling(seen, &next) {
            announce::anchor_changed(&mut tx, self, &next).await?;
        }
        match lease::fence(&mut tx, LEASE, token).await {
            Ok(()) => {}
            Err(lease::FenceError::Superseded { .. }) => return Err(Error::Superseded),
            Err(lease::FenceError::Db(err)) => return Err(err.into()),
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Now, but later than an earlier change, so that whoever hears of both knows the order.
    fn later_than(&self, earlier: DateTime<Utc>) -> DateTime<Utc> {
        self.clock.now().max(earlier + TimeDelta::microseconds(1))
    }
}
