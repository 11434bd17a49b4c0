//! Billing's gRPC service.

pub mod convert;
mod leaves;
pub mod rates;
mod service;

use fluxplane_platform::grpc::{Policy, server::Allow};
use fluxplane_proto::billing::v1::billing_service_server::BillingServiceServer;
use tonic::service::Routes;

pub use service::BillingGrpc;

pub fn routes(billing: BillingGrpc) -> Routes {
    Routes::new(BillingServiceServer::new(billing))
}

/// Who may call what. The first match decides.
pub const POLICY: Policy = Policy {
    rules: &[
        (
            "/fluxplane.billing.v1.BillingService/GetEpoch",
            Allow::Services(&["gateway", "validator"]),
        ),
        (
            "/fluxplane.billing.v1.BillingService/ListEpochs",
            Allow::Services(&["gateway", "validator"]),
        ),
        (
            "/fluxplane.billing.v1.BillingService/StreamLeaves",
            Allow::Services(&["gateway", "validator"]),
        ),
        // The scheduler checks that a quote is for the specification it was given.
        (
            "/fluxplane.billing.v1.BillingService/GetQuote",
            Allow::Services(&["gateway", "scheduler"]),
        ),
        (
            "/fluxplane.billing.v1.BillingService/",
            Allow::Services(&["gateway"]),
        ),
        ("/grpc.health.v1.Health/", Allow::Services(&["gateway"])),
    ],
};
