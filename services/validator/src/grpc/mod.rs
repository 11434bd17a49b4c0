//! The validator's gRPC service.

pub mod convert;
mod service;

use fluxplane_platform::grpc::{Policy, server::Allow};
use fluxplane_proto::validator::v1::validator_service_server::ValidatorServiceServer;
use tonic::service::Routes;

pub use service::ValidatorGrpc;

pub fn routes(validator: ValidatorGrpc) -> Routes {
    Routes::new(ValidatorServiceServer::new(validator))
}

/// Who may call what.
pub const POLICY: Policy = Policy {
    rules: &[
        (
            "/fluxplane.validator.v1.ValidatorService/",
            Allow::Services(&["gateway"]),
        ),
        ("/grpc.health.v1.Health/", Allow::Services(&["gateway"])),
    ],
};
