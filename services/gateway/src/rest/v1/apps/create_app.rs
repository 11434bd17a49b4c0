//! `POST /v1/apps`

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use fluxplane_proto::scheduler::v1::SubmitAppRequest;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    app::App,
    submission::{Funding, SignedSpec, Submitted, refused},
};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, JsonBody},
    v1::quotes::quote_to_pay,
    wire::required,
};

/// A new application.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApp {
    /// The quote to be paid.
    pub quote_id: Uuid,
    pub funding: Funding,
    /// A message of type `fluxappregister`, or `fluxplaneregister` for a specification `fluxplane/v1`.
    pub registration: SignedSpec,
}

/// Register an application
///
/// It runs once it is funded: from the balance at once, or when the chain payment described in the answer is seen.
#[utoipa::path(
    post,
    path = "/v1/apps",
    tag = "apps",
    request_body = CreateApp,
    responses((
        status = 201, description = "Accepted, with what to pay", body = Submitted,
        headers(
            ("ETag" = String, description = "Version of the application"),
            ("Location" = String, description = "Path of the application"),
        ),
    )),
)]
pub async fn create_app(
    State(gateway): State<Gateway>,
    call: Call,
    JsonBody(body): JsonBody<CreateApp>,
) -> Result<impl IntoResponse, Failure> {
    let signed_spec = body.registration.to_wire()?;
    // Asked first: once the application is accepted, nothing can keep its owner from hearing what to pay.
    let quote = quote_to_pay(&gateway, &call, body.quote_id).await?;
    let request = SubmitAppRequest {
        caller: Some(call.caller()),
        idempotency_key: call.key()?,
        signed_spec: Some(signed_spec),
        quote_id: body.quote_id.to_string(),
        funding: body.funding.to_wire(),
        published: false,
    };
    let answer = gateway
        .peers
        .scheduler
        .submit_app(request)
        .await
        .map_err(refused)?;
    let app = App::try_from(required("app", answer.app)?)?;
    let parts = Submitted::new(app, quote, body.funding).into_parts()?;
    Ok((StatusCode::CREATED, parts))
}
