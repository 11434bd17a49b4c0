//! Two-phase holds: money set aside for a purpose that is not certain yet.
//!
//! A hold is reserved, then resolved exactly once: captured in whole or in part (the rest is released), voided, or
//! expired. While it is pending its amount counts against the limit of the account, so that the second step can never
//! overdraw.
//!
//! ```text
//!            ┌── capture ──▶ Captured
//!  Pending ──┼── void ─────▶ Voided
//!            └── expire ───▶ Expired      (only at or after expires_at; capture and void only before)
//! ```

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;
use serde::{Deserialize, Serialize};

use crate::{account::Account, asset::Asset};

/// Money of one account set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub account: Account,
    pub asset: Asset,
    /// More than zero.
    pub amount: Sat,
    pub expires_at: DateTime<Utc>,
    pub state: HoldState,
}

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    Pending,
    /// `captured` was moved, the rest is free again.
    Captured {
        captured: Sat,
    },
    Voided,
    Expired,
}

/// What is done with a pending hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldStep {
    Capture { amount: Sat },
    Void,
    Expire,
}

/// What resolving a hold does to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resolution {
    /// To be posted as transfers out of the account, together with the new state of the hold.
    pub captured: Sat,
    /// Free again.
    pub released: Sat,
}

/// Why a hold did not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    #[error("the hold's amount is {0}, but must be more than zero")]
    NotPositive(Sat),
    #[error("the hold would expire at {expires_at}, which is not after {now}; choose a later time")]
    ExpiresAtOnce {
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    },
    #[error("the hold is resolved already ({0:?}); a hold resolves once, make a new one")]
    Resolved(HoldState),
    #[error(
        "the capture of {asked} is more than the held {held}; capture at most that, and charge the rest separately"
    )]
    TooMuch { asked: Sat, held: Sat },
    #[error(
        "the capture's amount is {0}, but must be more than zero; void the hold to release it all"
    )]
    NothingCaptured(Sat),
    #[error("the hold expired at {expires_at}; make a new one")]
    TooLate { expires_at: DateTime<Utc> },
    #[error("the hold expires only at {expires_at}; void it to release it earlier")]
    TooEarly { expires_at: DateTime<Utc> },
}

impl Hold {
    /// A pending hold. That the account can give the amount is for the ledger to check, under the account's lock.
    pub fn reserve(
        account: Account,
        asset: Asset,
        amount: Sat,
        expires_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Self, HoldError> {
        if amount <= Sat::ZERO {
            return Err(HoldError::NotPositive(amount));
        }
        if expires_at <= now {
            return Err(HoldError::ExpiresAtOnce { expires_at, now });
        }
        Ok(Self {
            account,
            asset,
            amount,
            expires_at,
            state: HoldState::Pending,
        })
    }

    /// What counts against the limit of the account.
    pub fn pending(&self) -> Sat {
        match self.state {
            HoldState::Pending => self.amount,
            HoldState::Captured { .. } | HoldState::Voided | HoldState::Expired => Sat::ZERO,
        }
    }

    /// Resolves a pending hold. Fails without effect when the step is not due or the hold is resolved already; a
    /// caller that repeats itself compares the state in the error with what it wanted.
    pub fn resolve(
        &self,
        step: HoldStep,
        now: DateTime<Utc>,
    ) -> Result<(Self, Resolution), HoldError> {
        if self.state != HoldState::Pending {
            return Err(HoldError::Resolved(self.state));
        }
        let expires_at = self.expires_at;
        let expired = now >= expires_at;
        let (state, captured) = match step {
            HoldStep::Capture { .. } | HoldStep::Void if expired => {
                return Err(HoldError::TooLate { expires_at });
            }
            HoldStep::Capture { amount } if amount <= Sat::ZERO => {
                return Err(HoldError::NothingCaptured(amount));
            }
            HoldStep::Capture { amount } if amount > self.amount => {
                return Err(HoldError::TooMuch {
                    asked: amount,
                    held: self.amount,
                });
            }
            HoldStep::Capture { amount } => (HoldState::Captured { captured: amount }, amount),
            HoldStep::Void => (HoldState::Voided, Sat::ZERO),
            HoldStep::Expire if expired => (HoldState::Expired, Sat::ZERO),
            HoldStep::Expire => return Err(HoldError::TooEarly { expires_at }),
        };
        let resolved = Self {
            state,
            ..self.clone()
        };
        let released = Sat::new(self.amount.get() - captured.get());
        Ok((resolved, Resolution { captured, released }))
    }
}
