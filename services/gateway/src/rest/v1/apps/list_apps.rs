//! `GET /v1/apps`

use axum::{Json, extract::State};
use fluxplane_proto::scheduler::v1::ListAppsRequest;

use super::app::App;
use crate::rest::{
    Failure, Gateway,
    extract::{Call, QueryParams},
    page::{Page, PageQuery},
    wire::Malformed,
};

/// A page of the list.
pub type AppPage = Page<App>;

/// List your applications
///
/// Without their specifications; read one application to see its own.
#[utoipa::path(
    get,
    path = "/v1/apps",
    tag = "apps",
    params(PageQuery),
    responses((status = 200, description = "A page of applications", body = AppPage)),
)]
pub async fn list_apps(
    State(gateway): State<Gateway>,
    call: Call,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<AppPage>, Failure> {
    let request = ListAppsRequest {
        caller: Some(call.caller()),
        page: Some(page.wish()?),
    };
    let answer = gateway.peers.scheduler.list_apps(request).await?;
    let apps = answer
        .apps
        .into_iter()
        .map(|app| App::try_from(app).map(App::brief));
    let apps = apps.collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Json(Page::new(apps, answer.page)))
}
