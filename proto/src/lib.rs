//! The gRPC services and events of Fluxplane.
//!
//! Generated types stop at the edges: only `grpc/`, `events/`, `clients/` and the gateway's `rest/` name them.

#[rustfmt::skip]
mod generated {
    pub mod common { pub mod v1 { tonic::include_proto!("fluxplane.common.v1"); } }
    pub mod chain_indexer { pub mod v1 { tonic::include_proto!("fluxplane.chain_indexer.v1"); } }
    pub mod node_registry { pub mod v1 { tonic::include_proto!("fluxplane.node_registry.v1"); } }
    pub mod scheduler { pub mod v1 { tonic::include_proto!("fluxplane.scheduler.v1"); } }
    pub mod billing { pub mod v1 { tonic::include_proto!("fluxplane.billing.v1"); } }
    pub mod validator { pub mod v1 { tonic::include_proto!("fluxplane.validator.v1"); } }
}

mod event;

pub use event::{Event, SUBJECTS, Subject};
pub use generated::{billing, chain_indexer, common, node_registry, scheduler, validator};

/// The descriptor set of this release, for compatibility checks and reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));
