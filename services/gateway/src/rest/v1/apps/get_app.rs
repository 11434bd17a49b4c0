//! `GET /v1/apps/{name}`

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use fluxplane_proto::scheduler::v1::GetAppRequest;

use super::{AppPath, app::App};
use crate::rest::{
    Failure, Gateway, etag,
    extract::{Call, PathParams},
    wire::required,
};

/// Read an application
#[utoipa::path(
    get,
    path = "/v1/apps/{name}",
    tag = "apps",
    params(
        AppPath,
        ("If-None-Match" = Option<String>, Header, description = "ETag of what the client has"),
    ),
    responses(
        (
            status = 200, description = "The application", body = App,
            headers(("ETag" = String, description = "Version of the application")),
        ),
        (status = 304, description = "The client has this version"),
    ),
)]
pub async fn get_app(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<AppPath>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let request = GetAppRequest {
        caller: Some(call.caller()),
        name: path.name,
    };
    let answer = gateway.peers.scheduler.get_app(request).await?;
    let app = App::try_from(required("app", answer.app)?)?;
    let etag = etag::of(app.version);
    if etag::is_known(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    Ok(([(header::ETAG, etag)], Json(app)).into_response())
}
