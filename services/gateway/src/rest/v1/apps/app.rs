//! An application as its owner sees it.

use chrono::{DateTime, Utc};
use fluxplane_proto::scheduler::v1 as wire;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::{
    v1::AnySpec,
    wire::{Malformed, id, json, optional_id, optional_time, some, time},
};

/// Where an application is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
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
    /// Cancelled by its owner.
    Cancelled,
    /// Not paid in time, or its term is over.
    Expired,
}

/// An application.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "fields are named as in the JSON")]
pub struct App {
    pub app_id: Uuid,
    #[schema(example = "KadenaChainWebNode")]
    pub name: String,
    /// Wallet address.
    #[schema(example = "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd")]
    pub owner: String,
    pub state: AppState,
    /// Why it is not running; empty when it is.
    pub state_reason: String,
    /// The revision instances run or move to.
    pub current: Option<Revision>,
    /// A newer revision that waits for its payment.
    pub pending: Option<Revision>,
    #[schema(example = 3)]
    pub instances_wanted: u32,
    #[schema(example = 3)]
    pub instances_healthy: u32,
    pub created_at: DateTime<Utc>,
    /// End of the paid term; null until funded.
    pub expires_at: Option<DateTime<Utc>>,
    /// What `ETag` says and `If-Match` must name.
    #[schema(example = 7)]
    pub version: u64,
}

/// One immutable version of an application's specification.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "fields are named as in the JSON")]
pub struct Revision {
    pub revision_id: Uuid,
    /// Counts from 1.
    #[schema(example = 1)]
    pub number: u32,
    /// The canonical specification. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AnySpec>)]
    pub spec: Option<Box<RawValue>>,
    /// What the `OP_RETURN` of a payment must carry.
    pub message_hash: String,
    /// The quote it was submitted with.
    pub quote_id: Option<Uuid>,
    pub submitted_at: DateTime<Utc>,
    /// Null until paid.
    pub funded_at: Option<DateTime<Utc>>,
    /// Until when it must be paid; null once it is.
    pub pay_until: Option<DateTime<Utc>>,
}

impl TryFrom<wire::App> for App {
    type Error = Malformed;

    fn try_from(app: wire::App) -> Result<Self, Malformed> {
        Ok(Self {
            app_id: id("app_id", &app.app_id)?,
            state: state(app.state)?,
            name: app.name,
            owner: app.owner,
            state_reason: app.state_reason,
            current: app.current.map(Revision::try_from).transpose()?,
            pending: app.pending.map(Revision::try_from).transpose()?,
            instances_wanted: app.instances_wanted,
            instances_healthy: app.instances_healthy,
            created_at: time("created_at", app.created_at)?,
            expires_at: optional_time("expires_at", app.expires_at)?,
            version: app.version,
        })
    }
}

impl App {
    /// The same without specifications, which may be large.
    pub fn brief(mut self) -> Self {
        for revision in [&mut self.current, &mut self.pending].into_iter().flatten() {
            revision.spec = None;
        }
        self
    }

    /// The revision that was submitted last.
    pub fn newest(&self) -> Option<&Revision> {
        self.pending.as_ref().or(self.current.as_ref())
    }
}

impl TryFrom<wire::Revision> for Revision {
    type Error = Malformed;

    fn try_from(revision: wire::Revision) -> Result<Self, Malformed> {
        Ok(Self {
            revision_id: id("revision_id", &revision.revision_id)?,
            number: revision.number,
            spec: some(&revision.spec_json)
                .map(|spec| json("spec_json", spec.to_owned()))
                .transpose()?,
            message_hash: revision.message_hash,
            quote_id: optional_id("quote_id", &revision.quote_id)?,
            submitted_at: time("submitted_at", revision.submitted_at)?,
            funded_at: optional_time("funded_at", revision.funded_at)?,
            pay_until: optional_time("pay_until", revision.pay_until)?,
        })
    }
}

fn state(state: i32) -> Result<AppState, Malformed> {
    match wire::AppState::try_from(state) {
        Ok(wire::AppState::AwaitingPayment) => Ok(AppState::AwaitingPayment),
        Ok(wire::AppState::Deploying) => Ok(AppState::Deploying),
        Ok(wire::AppState::Running) => Ok(AppState::Running),
        Ok(wire::AppState::Degraded) => Ok(AppState::Degraded),
        Ok(wire::AppState::Cancelled) => Ok(AppState::Cancelled),
        Ok(wire::AppState::Expired) => Ok(AppState::Expired),
        Ok(wire::AppState::Unspecified) | Err(_) => Err(Malformed::value("app.state", state)),
    }
}
