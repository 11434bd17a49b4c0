//! `POST /v1/rate:override`

use axum::{Extension, Json, extract::State, response::IntoResponse};
use fluxplane_proto::billing::v1::{OverrideRateRequest, RateStatement};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Rate;
use crate::rest::{
    Failure, Gateway,
    extract::{Call, JsonBody},
    layers::Audited,
    wire::required,
};

/// A signed statement. The signed text is
/// `Fluxplane rate v1: M micro-USD for S sat (R USD per FLUX) from F until U because REASON`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideRate {
    /// Millionths of a dollar per FLUX.
    #[schema(example = 80_000)]
    pub micro_usd: i64,
    /// Seconds since 1970: the first in which it holds.
    pub valid_from: u64,
    /// The first in which it does not hold any more.
    pub valid_until: u64,
    /// Why, in 1 to 200 printable ASCII characters.
    pub reason: String,
    /// Flux ID or Ethereum address of whoever signed, which the plane must have been configured to trust.
    pub signer: String,
    /// Base64 for a Flux ID, hexadecimal with 0x for an Ethereum address.
    pub signature: String,
}

/// Set the exchange rate by hand
///
/// For administrators. The statement goes before all sources while it holds, and replaces the one before; quotes that were
/// made stay as they are. The text is in `docs/PRICING.md`, and `fluxctl admin override-rate` signs it.
#[utoipa::path(
    post,
    path = "/v1/rate:override",
    tag = "quotes",
    request_body = OverrideRate,
    responses((status = 200, description = "The rate now in force", body = Rate)),
)]
pub async fn override_rate(
    State(gateway): State<Gateway>,
    call: Call,
    JsonBody(body): JsonBody<OverrideRate>,
) -> Result<impl IntoResponse, Failure> {
    let target = format!("/v1/rate {} micro-USD by {}", body.micro_usd, body.signer);
    let request = OverrideRateRequest {
        caller: Some(call.caller()),
        idempotency_key: call.key()?,
        statement: Some(RateStatement {
            micro_usd: body.micro_usd,
            valid_from_unix_s: body.valid_from,
            valid_until_unix_s: body.valid_until,
            reason: body.reason,
            signer: body.signer,
            signature: body.signature,
        }),
    };
    let answer = gateway.peers.billing.override_rate(request).await?;
    let rate = Rate::try_from(required("rate", answer.rate)?)?;
    let audited = Audited {
        principal: None,
        target: Some(target),
    };
    Ok((Extension(audited), Json(rate)))
}
