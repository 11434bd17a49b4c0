//! The scheduler's gRPC service for other services.

mod app_service;
pub mod convert;
mod watch;

use fluxplane_platform::grpc::{Policy, server::Allow};
use fluxplane_proto::scheduler::v1::app_service_server::AppServiceServer;
use tonic::service::Routes;

pub use app_service::AppGrpc;
pub use watch::Watchers;

/// What other services reach.
pub fn routes(apps: AppGrpc) -> Routes {
    Routes::new(AppServiceServer::new(apps))
}

/// Who may call the listener.
pub const POLICY: Policy = Policy {
    rules: &[
        // A quote says where an application could run, and keeps its name.
        (
            "/fluxplane.scheduler.v1.AppService/PreviewPlacement",
            Allow::Services(&["billing", "gateway"]),
        ),
        (
            "/fluxplane.scheduler.v1.AppService/ReserveName",
            Allow::Services(&["billing"]),
        ),
        (
            "/fluxplane.scheduler.v1.AppService/",
            Allow::Services(&["gateway"]),
        ),
        ("/grpc.health.v1.Health/", Allow::Services(&["gateway"])),
    ],
};
