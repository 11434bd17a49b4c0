//! `GET /v1/apps/{name}/instances`

use axum::{Json, extract::State};
use serde::Deserialize;

use super::{
    AppPath,
    instance::{Instance, instances},
};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams, QueryParams},
    page::Page,
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InstancesQuery {
    /// Also those that stopped or were lost.
    #[serde(default)]
    #[param(default = false)]
    pub include_ended: bool,
}

/// A page of the list.
pub type InstancePage = Page<Instance>;

/// List the instances of an application
///
/// The list comes whole: an application has at most a hundred live instances.
#[utoipa::path(
    get,
    path = "/v1/apps/{name}/instances",
    tag = "apps",
    params(AppPath, InstancesQuery),
    responses((status = 200, description = "The instances", body = InstancePage)),
)]
pub async fn list_instances(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<AppPath>,
    QueryParams(query): QueryParams<InstancesQuery>,
) -> Result<Json<InstancePage>, Failure> {
    let instances = instances(&gateway, &call, path.name, query.include_ended).await?;
    Ok(Json(Page::whole(instances)))
}
