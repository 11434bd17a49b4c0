//! What runs containers, behind one trait.
//!
//! Every operation can be repeated: making what exists, stopping what is stopped and removing what is gone succeed. That
//! is what lets a supervisor be interrupted anywhere and begin again from what it finds.

mod docker;
mod error;
mod reach;
mod simulated;

use std::{fmt::Debug, net::SocketAddr, time::Duration};

use chrono::{DateTime, Utc};
use fluxplane_core::id::{InstanceId, NodeId};
use futures::stream::BoxStream;

pub use docker::{Docker, find_socket};
pub use error::RuntimeError;
pub use reach::Unreachable;
pub use simulated::Simulated;

use crate::domain::{ContainerSpec, ImageName, private::Credentials};

/// An engine that runs containers.
#[tonic::async_trait]
pub trait Runtime: Send + Sync + Debug {
    /// As reported to the plane.
    fn name(&self) -> &'static str;

    /// The engine's name and version; fails when it does not answer.
    async fn version(&self) -> Result<String, RuntimeError>;

    /// Fetches an image unless it is here already, with credentials if it needs any.
    async fn ensure_image(
        &self,
        image: &ImageName,
        credentials: Option<&Credentials>,
    ) -> Result<ImageOrigin, RuntimeError>;

    /// Makes the private network of an instance unless it exists.
    async fn ensure_network(&self, instance: InstanceId, node: NodeId) -> Result<(), RuntimeError>;

    /// Makes a container; it does not run yet. One of that name must not exist.
    async fn create(&self, spec: &ContainerSpec) -> Result<(), RuntimeError>;

    /// Starts a container that was made or has exited.
    async fn start(&self, name: &str) -> Result<(), RuntimeError>;

    /// Stops a container; after `grace` it is killed.
    async fn stop(&self, name: &str, grace: Duration) -> Result<(), RuntimeError>;

    /// Removes a container with its writable layer, killing it if it runs.
    async fn remove(&self, name: &str) -> Result<(), RuntimeError>;

    /// Removes the private network of an instance.
    async fn remove_network(&self, instance: InstanceId) -> Result<(), RuntimeError>;

    /// The containers of a node, running or not.
    async fn list(&self, node: NodeId) -> Result<Vec<Found>, RuntimeError>;

    /// One container; `None` when there is none of that name.
    async fn inspect(&self, name: &str) -> Result<Option<Container>, RuntimeError>;

    /// Output of a container. With `follow` the stream goes on until the container exits.
    async fn logs(&self, name: &str, query: LogQuery) -> Result<LogStream, RuntimeError>;

    /// What a running container uses now.
    async fn stats(&self, name: &str) -> Result<Stats, RuntimeError>;

    /// Instances of which a container exits, from now on. It may end or miss some: it saves time and nothing rests on it.
    async fn exits(&self, node: NodeId) -> Result<BoxStream<'static, InstanceId>, RuntimeError>;

    /// Whether a published port answers: takes a connection, or answers well when `path` is asked for.
    async fn reach(
        &self,
        address: SocketAddr,
        path: Option<&str>,
        limit: Duration,
    ) -> Result<(), Unreachable> {
        match path {
            None => reach::tcp(address, limit).await,
            Some(path) => reach::http(address, path, limit).await,
        }
    }
}

/// Where an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageOrigin {
    /// It was here.
    Local,
    /// It was fetched just now.
    Pulled,
}

/// A container as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    /// From its label; `None` when that is missing or broken.
    pub instance: Option<InstanceId>,
    /// From its label; may be empty.
    pub component: String,
    /// Time it gets to end, from its label.
    pub grace: Option<Duration>,
}

/// A container as inspected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Digest of what it was made for, from its label.
    pub spec_digest: String,
    /// From its label; empty when that is missing.
    pub revision: String,
    /// From its label; `None` for a container from before there were private parts.
    pub private_version: Option<String>,
    pub state: ContainerState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    /// Made, never started; or its start failed.
    Created,
    Running,
    Exited {
        code: i64,
        /// The kernel killed it for using more memory than its limit.
        out_of_memory: bool,
    },
}

/// Which output is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogQuery {
    /// Lines from the end.
    pub tail: u32,
    pub follow: bool,
}

pub type LogStream = BoxStream<'static, Result<OutputLine, RuntimeError>>;

/// One line a container wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLine {
    pub at: Option<DateTime<Utc>>,
    pub channel: Channel,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Stdout,
    Stderr,
}

/// What a container uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Since it was started.
    pub cpu_nanos: u64,
    pub memory_bytes: u64,
}
