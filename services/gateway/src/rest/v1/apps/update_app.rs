//! `PUT /v1/apps/{name}`

use axum::{extract::State, http::HeaderMap, response::IntoResponse};
use fluxplane_proto::scheduler::v1::UpdateAppRequest;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    AppPath,
    app::App,
    submission::{Funding, SignedSpec, Submitted, refused},
};
use crate::rest::{
    Failure, Gateway, etag,
    extract::{Call, JsonBody, PathParams},
    v1::quotes::quote_to_pay,
    wire::required,
};

/// A new revision of an application.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateApp {
    /// The quote to be paid, made with `update_of`.
    pub quote_id: Uuid,
    pub funding: Funding,
    /// A message of type `fluxappupdate`, or `fluxplaneupdate` for a specification `fluxplane/v1`.
    pub registration: SignedSpec,
}

/// Update an application
///
/// Adds a revision. It takes effect once its price, if any, is paid; until then the current one runs on.
#[utoipa::path(
    put,
    path = "/v1/apps/{name}",
    tag = "apps",
    params(
        AppPath,
        ("If-Match" = String, Header, description = "ETag of the version this change is about, such as \"7\""),
    ),
    request_body = UpdateApp,
    responses((
        status = 200, description = "Accepted, with what to pay", body = Submitted,
        headers(("ETag" = String, description = "New version of the application")),
    )),
)]
pub async fn update_app(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<AppPath>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<UpdateApp>,
) -> Result<impl IntoResponse, Failure> {
    let expected_version = etag::expected_version(&headers)?;
    let signed_spec = body.registration.to_wire()?;
    let quote = quote_to_pay(&gateway, &call, body.quote_id).await?;
    let idempotency_key = call.key_or_derived(&[
        "PUT",
        &path.name,
        &expected_version.to_string(),
        &body.quote_id.to_string(),
        body.funding.name(),
        &signed_spec.signature,
    ]);
    let request = UpdateAppRequest {
        caller: Some(call.caller()),
        idempotency_key,
        name: path.name,
        expected_version,
        signed_spec: Some(signed_spec),
        quote_id: body.quote_id.to_string(),
        funding: body.funding.to_wire(),
    };
    let answer = gateway
        .peers
        .scheduler
        .update_app(request)
        .await
        .map_err(refused)?;
    let app = App::try_from(required("app", answer.app)?)?;
    Submitted::new(app, quote, body.funding).into_parts()
}
