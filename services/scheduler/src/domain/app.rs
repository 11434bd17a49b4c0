//! An application and its revisions.

use std::fmt;

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Funding,
    id::{AppId, RevisionId},
};
use serde::{Deserialize, Serialize};

/// Where an application is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppState {
    /// Accepted; waits for its payment.
    AwaitingPayment,
    /// Paid; instances are placed and started.
    Deploying,
    /// As many healthy instances of the current revision as asked for.
    Running,
    /// Fewer.
    Degraded,
    /// Ended by its owner.
    Cancelled,
    /// Not paid in time, or its term is over.
    Expired,
}

impl AppState {
    pub const ALL: [Self; 6] = [
        Self::AwaitingPayment,
        Self::Deploying,
        Self::Running,
        Self::Degraded,
        Self::Cancelled,
        Self::Expired,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting_payment",
            Self::Deploying => "deploying",
            Self::Running => "running",
            Self::Degraded => "degraded",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::Expired)
    }
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    pub id: AppId,
    pub name: String,
    /// Wallet address.
    pub owner: String,
    pub state: AppState,
    /// Why it is not running; empty when it is.
    pub state_reason: String,
    /// The revision instances run or move to.
    pub current: u32,
    /// A newer revision that waits for its payment.
    pub pending: Option<u32>,
    /// Instances that are healthy, whatever their revision.
    pub healthy: u32,
    pub created_at: DateTime<Utc>,
    /// End of the paid term.
    pub expires_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    /// Grows with every visible change.
    pub version: u64,
    /// Version of the last change of intent: a submission, a payment, an end.
    pub intent_version: u64,
    /// Grows when a secret in the environment of its containers gets a new value.
    #[serde(default)]
    pub secrets: u64,
}

impl App {
    /// Whether a caller who last saw `expected` decided on what still is. What instances do in the meantime does not
    /// count: a change of intent is not refused because a health probe succeeded.
    pub fn is_current(&self, expected: u64) -> bool {
        (self.intent_version..=self.version).contains(&expected)
    }

    /// It is over. Nothing that was derived from its instances says anything any more.
    pub fn end(&mut self, state: AppState, reason: &str, now: DateTime<Utc>) {
        self.state = state;
        reason.clone_into(&mut self.state_reason);
        self.pending = None;
        self.ended_at = Some(now);
    }

    /// Gives the application its next version if anything about it differs from `before`.
    pub fn count_change(&mut self, before: &Self, intent: bool) {
        if self == before {
            return;
        }
        self.version = before.version + 1;
        if intent {
            self.intent_version = self.version;
        }
    }
}

/// One immutable version of an application's specification, and what became of it. Its specification is kept apart,
/// because most work does without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    pub id: RevisionId,
    /// From 1.
    pub number: u32,
    /// The revision whose containers instances of this one run: itself, unless nothing changed that a container notices.
    pub rollout: u32,
    /// How many copies are wanted.
    pub instances: u32,
    /// Wallet address of the owner it names.
    pub owner: String,
    /// What a payment's `OP_RETURN` must carry.
    pub message_hash: String,
    pub quote_id: String,
    pub funding: Funding,
    /// Trace of the request that submitted it, W3C; may be empty.
    pub traceparent: String,
    pub submitted_at: DateTime<Utc>,
    pub pay_until: DateTime<Utc>,
    /// The whole amount was on its way.
    pub payment_seen_at: Option<DateTime<Utc>>,
    pub funded_at: Option<DateTime<Utc>>,
    /// Not paid in time, refused, or the application ended before.
    pub dropped_at: Option<DateTime<Utc>>,
    /// The first instance of it was asked for.
    pub started_at: Option<DateTime<Utc>>,
    /// All instances had a node first.
    pub placed_at: Option<DateTime<Utc>>,
    /// An instance with these containers was healthy first.
    pub proven_at: Option<DateTime<Utc>>,
    /// All instances were healthy first.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why the rollout of these containers stopped.
    pub failure: Option<String>,
}

impl Revision {
    /// Whether it still waits for its payment.
    pub const fn awaits_payment(&self) -> bool {
        self.funded_at.is_none() && self.dropped_at.is_none()
    }

    /// When it is given up unless it is funded before. A payment that was seen in time gets `grace` to be confirmed.
    pub fn unpaid_deadline(&self, grace: chrono::TimeDelta) -> DateTime<Utc> {
        match self.payment_seen_at {
            Some(seen) if seen <= self.pay_until => self.pay_until + grace,
            Some(_) | None => self.pay_until,
        }
    }
}

/// A revision with its specification.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub revision: Revision,
    /// Canonical JSON; empty when it was destroyed after the application ended. Answers that are kept for repeated requests
    /// do not hold it.
    #[serde(skip)]
    pub spec_json: String,
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// An application as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub app: App,
    pub current: Published,
    pub pending: Option<Published>,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn names_lead_back() {
        for state in AppState::ALL {
            assert_eq!(AppState::from_name(state.name()), Some(state));
        }
        assert_eq!(Funding::from_name("balance"), Some(Funding::Balance));
        assert_eq!(Funding::from_name("cash"), None);
    }

    #[test]
    fn a_payment_seen_in_time_may_be_confirmed_late() {
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let mut revision = fixture::revision(1);
        revision.pay_until = at(60);
        let grace = TimeDelta::minutes(30);
        assert_eq!(revision.unpaid_deadline(grace), at(60));
        revision.payment_seen_at = Some(at(59));
        assert_eq!(revision.unpaid_deadline(grace), at(90));
        revision.payment_seen_at = Some(at(61));
        assert_eq!(revision.unpaid_deadline(grace), at(60));
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    use uuid::Uuid;

    use super::*;

    pub(crate) fn revision(number: u32) -> Revision {
        Revision {
            id: Uuid::from_u128(number.into()).into(),
            number,
            rollout: number,
            instances: 3,
            owner: "owner".to_owned(),
            message_hash: String::new(),
            quote_id: String::new(),
            funding: Funding::Balance,
            traceparent: String::new(),
            submitted_at: DateTime::UNIX_EPOCH,
            pay_until: DateTime::UNIX_EPOCH,
            payment_seen_at: None,
            funded_at: None,
            dropped_at: None,
            started_at: None,
            placed_at: None,
            proven_at: None,
            finished_at: None,
            failure: None,
        }
    }
}
