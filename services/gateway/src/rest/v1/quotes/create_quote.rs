//! `POST /v1/quotes`

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use fluxplane_proto::billing::v1::CreateQuoteRequest;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Quote;
use crate::rest::{
    Failure, Gateway,
    extract::{Call, JsonBody},
    layers::Audited,
    v1::AnySpec,
    wire::{object_text, required},
};

/// What to price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateQuote {
    /// The specification as it will be signed.
    #[schema(value_type = AnySpec)]
    pub spec: Box<RawValue>,
    /// For an update: name of the running application. The unused part of its term is credited.
    pub update_of: Option<String>,
}

/// Ask for a price
///
/// The price is firm until the quote expires. A quote is good for exactly the specification it was made for.
#[utoipa::path(
    post,
    path = "/v1/quotes",
    tag = "quotes",
    request_body = CreateQuote,
    responses((
        status = 201, description = "The quote", body = Quote,
        headers(("Location" = String, description = "Path of the quote")),
    )),
)]
pub async fn create_quote(
    State(gateway): State<Gateway>,
    call: Call,
    JsonBody(body): JsonBody<CreateQuote>,
) -> Result<impl IntoResponse, Failure> {
    let request = CreateQuoteRequest {
        caller: Some(call.caller()),
        idempotency_key: call.key()?,
        spec_json: object_text("spec", &body.spec)?,
        update_of: body.update_of.unwrap_or_default(),
    };
    let answer = gateway.peers.billing.create_quote(request).await?;
    let quote = Quote::try_from(required("quote", answer.quote)?)?;
    let location = format!("/v1/quotes/{}", quote.quote_id);
    let audited = Audited {
        principal: None,
        target: Some(location.clone()),
    };
    let location = HeaderValue::try_from(location).map_err(|_| Failure::internal())?;
    let headers = [(header::LOCATION, location)];
    Ok((
        StatusCode::CREATED,
        headers,
        Extension(audited),
        Json(quote),
    ))
}
