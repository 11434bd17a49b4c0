//! Applications: submitting, reading, cancelling.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Amount, Client, Error, call::Call, open_enum::open_enum, page::Listing};

open_enum! {
    /// Where an application is in its life.
    AppState {
        AwaitingPayment = "awaiting_payment",
        Deploying = "deploying",
        Running = "running",
        Degraded = "degraded",
        Cancelled = "cancelled",
        Expired = "expired",
    }
}

/// Where the money comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funding {
    /// A chain payment that carries the message hash.
    ChainPayment,
    /// The owner's balance with the plane.
    Balance,
}

/// An application.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct App {
    pub app_id: Uuid,
    pub name: String,
    pub owner: String,
    pub state: AppState,
    /// Why it is not running; empty when it is.
    pub state_reason: String,
    /// The revision instances run or move to.
    pub current: Option<Revision>,
    /// A newer revision that waits for its payment.
    pub pending: Option<Revision>,
    pub instances_wanted: u32,
    pub instances_healthy: u32,
    pub created_at: DateTime<Utc>,
    /// End of the paid term; null until funded.
    pub expires_at: Option<DateTime<Utc>>,
    /// What a change must name.
    pub version: u64,
}

/// One immutable version of an application's specification.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Revision {
    pub revision_id: Uuid,
    pub number: u32,
    /// The canonical specification. Left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<Box<RawValue>>,
    /// What the `OP_RETURN` of a payment must carry.
    pub message_hash: String,
    pub quote_id: Option<Uuid>,
    pub submitted_at: DateTime<Utc>,
    pub funded_at: Option<DateTime<Utc>>,
    pub pay_until: Option<DateTime<Utc>>,
}

impl App {
    /// The revision that was submitted last.
    pub fn newest(&self) -> Option<&Revision> {
        self.pending.as_ref().or(self.current.as_ref())
    }
}

/// A specification with its owner's signature, as FluxOS takes it.
#[derive(Debug, Clone, Serialize)]
pub struct SignedSpec {
    /// `fluxappregister` or `fluxappupdate`.
    #[serde(rename = "type")]
    pub message_type: String,
    /// Version of the message.
    pub version: u32,
    pub spec: Box<RawValue>,
    /// Milliseconds since 1970, as signed.
    pub timestamp: u64,
    pub signature: String,
}

/// An accepted submission.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Submitted {
    pub app: App,
    /// How to pay on the chain; null when nothing is due there.
    pub payment: Option<PaymentInstructions>,
}

/// One transaction with an output of at least `amount` to `address`, and an `OP_RETURN` with the 64 characters of
/// `message_hash`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentInstructions {
    pub quote_id: Uuid,
    pub address: String,
    pub amount: Amount,
    pub message_hash: String,
    /// Money that comes later becomes credit.
    pub pay_until: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct Submission<'a> {
    quote_id: Uuid,
    funding: Funding,
    registration: &'a SignedSpec,
}

impl Client {
    /// Registers an application.
    pub async fn create_app(
        &self,
        quote_id: Uuid,
        funding: Funding,
        registration: &SignedSpec,
    ) -> Result<Submitted, Error> {
        let body = Submission {
            quote_id,
            funding,
            registration,
        };
        let call = Call::change(Method::POST, &["apps"], self.key()).json(&body)?;
        self.json(&call).await
    }

    /// Adds a revision to an application that has version `expected`.
    pub async fn update_app(
        &self,
        name: &str,
        expected: u64,
        quote_id: Uuid,
        funding: Funding,
        registration: &SignedSpec,
    ) -> Result<Submitted, Error> {
        let body = Submission {
            quote_id,
            funding,
            registration,
        };
        let call = Call::change(Method::PUT, &["apps", name], self.key())
            .header("if-match", etag(expected))
            .json(&body)?;
        self.json(&call).await
    }

    /// Stops an application for good.
    pub async fn cancel_app(&self, name: &str, expected: u64) -> Result<App, Error> {
        let call = Call::change(Method::DELETE, &["apps", name], self.key())
            .header("if-match", etag(expected));
        self.json(&call).await
    }

    pub async fn app(&self, name: &str) -> Result<App, Error> {
        self.json(&Call::get(&["apps", name])).await
    }

    /// The caller's applications, without their specifications.
    pub async fn apps(&self, limit: u32) -> Result<Listing<App>, Error> {
        self.listing(Call::get(&["apps"]), limit).await
    }
}

/// A version as an entity tag.
fn etag(version: u64) -> String {
    format!("\"{version}\"")
}
