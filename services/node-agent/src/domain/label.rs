//! Labels on containers and networks. They are all an agent needs to find its own again after a restart.

/// Id of the node.
pub const NODE: &str = "fluxplane.node";
/// Name of the application.
pub const APP: &str = "fluxplane.app";
/// Id of the instance.
pub const INSTANCE: &str = "fluxplane.instance";
/// Id of the revision.
pub const REVISION: &str = "fluxplane.revision";
/// Name of the component.
pub const COMPONENT: &str = "fluxplane.component";
/// Assignment epoch for which the container was made. A later assignment of the same revision keeps the container.
pub const EPOCH: &str = "fluxplane.epoch";
/// Version of the private part it was made with; missing on containers from before there was one.
pub const PRIVATE: &str = "fluxplane.private";
/// Digest of what the plane asked for; a container with another digest is replaced.
pub const SPEC: &str = "fluxplane.spec";
/// Seconds that the container gets to end; without it, as the agent is configured.
pub const GRACE: &str = "fluxplane.stop-grace";
