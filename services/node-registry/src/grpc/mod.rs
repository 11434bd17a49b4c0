//! The registry's gRPC services for other services and for machines that join.

pub mod convert;
mod join_service;
mod node_service;

use fluxplane_platform::grpc::{Policy, server::Allow};

use fluxplane_proto::node_registry::v1::{
    agent_service_server::AgentServiceServer, join_service_server::JoinServiceServer,
    node_service_server::NodeServiceServer,
};
use tonic::service::Routes;

pub use join_service::JoinGrpc;
pub use node_service::NodeGrpc;

use crate::session::AgentGrpc;

/// What other services reach.
pub fn service_routes(nodes: NodeGrpc) -> Routes {
    Routes::new(NodeServiceServer::new(nodes))
}

/// What machines of operators reach.
pub fn agent_routes(agents: AgentGrpc, join: JoinGrpc) -> Routes {
    Routes::new(AgentServiceServer::new(agents)).add_service(JoinServiceServer::new(join))
}

/// Who may call the listener for services.
pub const SERVICE_POLICY: Policy = Policy {
    rules: &[
        (
            "/fluxplane.node_registry.v1.NodeService/",
            Allow::Services(&["gateway"]),
        ),
        ("/grpc.health.v1.Health/", Allow::Services(&["gateway"])),
    ],
};

/// Who may call the listener for machines of operators.
pub const AGENT_POLICY: Policy = Policy {
    rules: &[
        ("/fluxplane.node_registry.v1.JoinService/", Allow::Anyone),
        ("/fluxplane.node_registry.v1.AgentService/", Allow::Nodes),
    ],
};
