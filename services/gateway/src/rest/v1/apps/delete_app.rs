//! `DELETE /v1/apps/{name}`

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::IntoResponse,
};
use fluxplane_proto::scheduler::v1::CancelAppRequest;

use super::{AppPath, app::App};
use crate::rest::{
    Failure, Gateway, etag,
    extract::{Call, PathParams},
    wire::required,
};

/// Cancel an application
///
/// Stops it for good. What was paid and not used is returned to the owner's balance.
#[utoipa::path(
    delete,
    path = "/v1/apps/{name}",
    tag = "apps",
    params(
        AppPath,
        ("If-Match" = String, Header, description = "ETag of the version this change is about, such as \"7\""),
    ),
    responses((
        status = 200, description = "The cancelled application", body = App,
        headers(("ETag" = String, description = "New version of the application")),
    )),
)]
pub async fn delete_app(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<AppPath>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    let expected_version = etag::expected_version(&headers)?;
    let version = expected_version.to_string();
    let request = CancelAppRequest {
        caller: Some(call.caller()),
        idempotency_key: call.key_or_derived(&["DELETE", &path.name, &version]),
        name: path.name,
        expected_version,
    };
    let answer = gateway.peers.scheduler.cancel_app(request).await?;
    let app = App::try_from(required("app", answer.app)?)?;
    Ok(([(header::ETAG, etag::of(app.version))], Json(app)))
}
