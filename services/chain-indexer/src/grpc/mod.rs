//! Questions about the chain, answered from the database by every replica.

mod chain_service;
pub mod convert;

use fluxplane_platform::grpc::{Policy, server::Allow};
use fluxplane_proto::chain_indexer::v1::chain_service_server::ChainServiceServer;
use tonic::service::Routes;

pub use chain_service::ChainGrpc;

/// What other services reach.
pub fn routes(chain: ChainGrpc) -> Routes {
    Routes::new(ChainServiceServer::new(chain))
}

/// Who may ask. Nothing here changes anything, and everything is public on the chain; the list keeps strangers out.
pub const POLICY: Policy = Policy {
    rules: &[(
        "/fluxplane.chain_indexer.v1.ChainService/",
        Allow::Services(&[
            "billing",
            "gateway",
            "node-registry",
            "scheduler",
            "validator",
        ]),
    )],
};
