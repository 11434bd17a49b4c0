//! Configuration of the agent. `node-agent check-config` prints what is in effect.

use std::{net::IpAddr, path::PathBuf};

use fluxplane_platform::{
    config::{Base, Span},
    runner,
};
use serde::{Deserialize, Serialize};

use crate::domain::capacity::Declared;

pub const DEFAULTS: &str = include_str!("defaults.toml");

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub base: Base,
    /// Where the agent keeps its identity, its state and the data of instances.
    pub data_dir: PathBuf,
    pub network: Network,
    /// Sizes to declare instead of the measured ones, 0 for the measured one. Taken when joining; more than the machine
    /// has is for development only.
    pub capacity: Declared,
    pub runtime: Runtime,
    pub container: Container,
    pub health: Health,
    pub restart: Pauses,
    pub retry: Pauses,
}

impl runner::Config for Config {
    fn base(&self) -> &Base {
        &self.base
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Address of this machine on which ports are published and the plane's probe is answered. Left out, it is the node's
    /// address; behind a router it is the machine's own.
    #[serde(default)]
    pub bind_ip: Option<IpAddr>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    pub kind: RuntimeKind,
    /// Socket of a Docker-compatible engine. Left out, it is Docker's usual one, else Podman's.
    #[serde(default)]
    pub socket: Option<PathBuf>,
    /// Longest time one image may take to be fetched.
    pub pull_timeout: Span,
    /// Time a container gets to end by itself before it is killed.
    pub stop_grace: Span,
    /// `simulated` only: how long a pull and a start take.
    pub simulated_delay: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeKind {
    /// Any engine that speaks Docker's API.
    Docker,
    /// No containers at all.
    Simulated,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Most processes and threads in one container.
    pub pids_limit: u32,
    /// Most output kept per container, MiB.
    pub log_max_mib: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Pause between looks at an instance that is not healthy; the first ones after a start are shorter.
    pub interval_until_healthy: Span,
    /// Pause between looks at a healthy instance.
    pub interval: Span,
    /// Time a port gets to accept a connection.
    pub timeout: Span,
    /// Time an instance gets to answer for the first time before it counts as unhealthy.
    pub start_grace: Span,
}

/// Pauses that double from the first to the longest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pauses {
    pub first: Span,
    pub longest: Span,
}
