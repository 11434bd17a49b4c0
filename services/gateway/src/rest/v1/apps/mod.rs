//! Applications: what runs, where, and what happened to it.

mod app;
pub mod create_app;
pub mod delete_app;
pub mod get_app;
pub mod get_decision;
mod instance;
pub mod list_apps;
pub mod list_instances;
pub mod list_timeline;
mod submission;
mod timeline;
pub mod update_app;
pub mod watch_events;
pub mod watch_logs;

use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(create_app::create_app, list_apps::list_apps))
        .routes(routes!(
            get_app::get_app,
            update_app::update_app,
            delete_app::delete_app
        ))
        .routes(routes!(list_instances::list_instances))
        .routes(routes!(list_timeline::list_timeline))
        .routes(routes!(watch_events::watch_events))
        .routes(routes!(watch_logs::watch_logs))
        .routes(routes!(get_decision::get_decision))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AppPath {
    /// Name of the application.
    #[param(example = "KadenaChainWebNode")]
    pub name: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct InstancePath {
    /// Name of the application.
    #[param(example = "KadenaChainWebNode")]
    pub name: String,
    /// Id of the instance.
    pub instance_id: Uuid,
}
