//! The scheduler's gRPC service for other services.

mod app_service;
pub mod convert;
mod secret_service;
mod watch;

use fluxplane_platform::grpc::{Policy, server::Allow};
use fluxplane_proto::scheduler::v1::{
    app_service_server::AppServiceServer, secret_service_server::SecretServiceServer,
};
use tonic::service::Routes;

pub use app_service::AppGrpc;
pub use secret_service::SecretGrpc;
pub use watch::Watchers;

/// What other services reach.
pub fn routes(apps: AppGrpc, secrets: SecretGrpc) -> Routes {
    Routes::new(AppServiceServer::new(apps)).add_service(SecretServiceServer::new(secrets))
}

/// Who may call the listener.
pub const POLICY: Policy = Policy {
    rules: &[
        // A quote says where an application could run, and keeps its name and room.
        (
            "/fluxplane.scheduler.v1.AppService/PreviewPlacement",
            Allow::Services(&["billing", "gateway"]),
        ),
        (
            "/fluxplane.scheduler.v1.AppService/Reserve",
            Allow::Services(&["billing"]),
        ),
        (
            "/fluxplane.scheduler.v1.AppService/",
            Allow::Services(&["gateway"]),
        ),
        // What opens secrets for nodes; only the registry knows nodes.
        (
            "/fluxplane.scheduler.v1.SecretService/DeliverPrivate",
            Allow::Services(&["node-registry"]),
        ),
        (
            "/fluxplane.scheduler.v1.SecretService/",
            Allow::Services(&["gateway"]),
        ),
        ("/grpc.health.v1.Health/", Allow::Services(&["gateway"])),
    ],
};
