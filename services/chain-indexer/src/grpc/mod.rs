//! Questions about the chain, answered from the database by every replica.

mod chain_service;
pub mod convert;
mod fluxnode_service;
mod fluxnodes;
mod ledger_convert;
mod ledger_service;
mod payment_service;
pub mod payments;

use fluxplane_platform::grpc::{Policy, server::Allow};
use fluxplane_proto::chain_indexer::v1::{
    chain_service_server::ChainServiceServer, evm_service_server::EvmServiceServer,
    fluxnode_service_server::FluxnodeServiceServer, ledger_service_server::LedgerServiceServer,
    payment_service_server::PaymentServiceServer,
};
use tonic::service::Routes;

use crate::evm::grpc::EvmGrpc;

pub use chain_service::ChainGrpc;
pub use fluxnode_service::FluxnodeGrpc;
pub use ledger_service::LedgerGrpc;
pub use payment_service::PaymentGrpc;

/// What other services reach.
pub fn routes(
    chain: ChainGrpc,
    ledger: LedgerGrpc,
    nodes: FluxnodeGrpc,
    payments: PaymentGrpc,
    evm: EvmGrpc,
) -> Routes {
    Routes::new(ChainServiceServer::new(chain))
        .add_service(LedgerServiceServer::new(ledger))
        .add_service(FluxnodeServiceServer::new(nodes))
        .add_service(PaymentServiceServer::new(payments))
        .add_service(EvmServiceServer::new(evm))
}

/// The services that ask about the chain.
const READERS: Allow = Allow::Services(&[
    "billing",
    "gateway",
    "node-registry",
    "scheduler",
    "validator",
]);

/// Who may ask. Nothing here changes anything, and everything is public on the chain; the list keeps strangers out.
pub const POLICY: Policy = Policy {
    rules: &[
        ("/fluxplane.chain_indexer.v1.ChainService/", READERS),
        ("/fluxplane.chain_indexer.v1.LedgerService/", READERS),
        ("/fluxplane.chain_indexer.v1.FluxnodeService/", READERS),
        ("/fluxplane.chain_indexer.v1.PaymentService/", READERS),
        ("/fluxplane.chain_indexer.v1.EvmService/", READERS),
    ],
};
