//! Submitting a signed specification, and what its owner must pay for it.

use axum::{
    Extension, Json,
    http::{HeaderName, HeaderValue, header},
    response::IntoResponse,
};
use chrono::{DateTime, Utc};
use fluxplane_platform::error::Remote;
use fluxplane_proto::scheduler::v1 as wire;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::app::App;
use crate::rest::{
    Failure,
    amount::Amount,
    etag,
    layers::Audited,
    v1::{AnySpec, quotes::Quote},
    wire::object_text,
};

/// Where the money comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Funding {
    /// A chain payment that carries the message hash.
    ChainPayment,
    /// The owner's balance with the plane.
    Balance,
}

impl Funding {
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChainPayment => "chain_payment",
            Self::Balance => "balance",
        }
    }

    pub fn to_wire(self) -> i32 {
        let funding = match self {
            Self::ChainPayment => wire::Funding::ChainPayment,
            Self::Balance => wire::Funding::Balance,
        };
        funding.into()
    }
}

/// What a signed message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageType {
    FluxAppRegister,
    FluxAppUpdate,
    /// Registers a specification `fluxplane/v1`.
    FluxplaneRegister,
    /// Updates one.
    FluxplaneUpdate,
}

impl MessageType {
    const fn name(self) -> &'static str {
        match self {
            Self::FluxAppRegister => "fluxappregister",
            Self::FluxAppUpdate => "fluxappupdate",
            Self::FluxplaneRegister => "fluxplaneregister",
            Self::FluxplaneUpdate => "fluxplaneupdate",
        }
    }
}

/// A specification with its owner's signature.
///
/// What is signed of a specification of FluxOS is the text `type` + `version` + canonical JSON of `spec` + `timestamp`, exactly as
/// FluxOS takes it. Of `fluxplane/v1` it is `type` + `version` + `fluxplane/v1` + SHA-256 of the canonical JSON in lower-case hex +
/// `timestamp`; `POST /v1/specs:check` answers with that SHA-256.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedSpec {
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// Version of the message, 1.
    #[schema(example = 1)]
    pub version: u32,
    #[schema(value_type = AnySpec)]
    pub spec: Box<RawValue>,
    /// Milliseconds since 1970, as signed. At most one hour old.
    #[schema(example = 1_763_798_400_123_u64)]
    pub timestamp: u64,
    /// Base64 of a Bitcoin message signature, or `0x` and 130 hex digits of `personal_sign`.
    #[schema(example = "IEdvV0zS…=")]
    pub signature: String,
}

/// Where the message is in a body.
const FIELD: &str = "registration";

/// What other services call parts of the message.
const PARTS: [&str; 5] = ["type", "version", "spec", "timestamp", "signature"];

impl SignedSpec {
    pub fn to_wire(&self) -> Result<wire::SignedSpec, Failure> {
        Ok(wire::SignedSpec {
            r#type: self.message_type.name().to_owned(),
            version: self.version,
            spec_json: object_text("registration.spec", &self.spec)?,
            timestamp_ms: self.timestamp,
            signature: self.signature.clone(),
        })
    }
}

/// A refusal of the scheduler, with the fields where the request has them.
pub(super) fn refused(remote: Remote) -> Failure {
    Failure::from(remote).inside(FIELD, &PARTS)
}

/// An accepted submission.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Submitted {
    pub app: App,
    /// How to pay on the chain; null when nothing is due there.
    pub payment: Option<PaymentInstructions>,
}

/// How to pay for a revision: one transaction with an output of at least `amount` to `address` and an `OP_RETURN` output
/// that carries the 64 characters of `message_hash`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PaymentInstructions {
    pub quote_id: Uuid,
    #[schema(example = "t3NryfAQLGeFs9jEoeqsxmBN2QLRaRKFLUX")]
    pub address: String,
    pub amount: Amount,
    /// 64 hex digits, as ASCII text in the `OP_RETURN`.
    pub message_hash: String,
    /// Money that comes later becomes credit.
    pub pay_until: Option<DateTime<Utc>>,
}

impl Submitted {
    pub(super) fn new(app: App, quote: Quote, funding: Funding) -> Self {
        let due = app.newest().filter(|revision| {
            funding == Funding::ChainPayment
                && revision.funded_at.is_none()
                && quote.price.units > 0
        });
        let payment = due.map(|revision| PaymentInstructions {
            quote_id: quote.quote_id,
            address: quote.payment_address,
            amount: quote.price,
            message_hash: revision.message_hash.clone(),
            pay_until: revision.pay_until,
        });
        Self { app, payment }
    }

    /// The answer without its status: version, path, and what the audit row says.
    pub(super) fn into_parts(self) -> Result<impl IntoResponse, Failure> {
        let path = format!("/v1/apps/{}", self.app.name);
        let location = HeaderValue::try_from(&path).map_err(|_| Failure::internal())?;
        let headers: [(HeaderName, HeaderValue); 2] = [
            (header::ETAG, etag::of(self.app.version)),
            (header::LOCATION, location),
        ];
        let audited = Audited {
            principal: None,
            target: Some(path),
        };
        Ok((headers, Extension(audited), Json(self)))
    }
}
