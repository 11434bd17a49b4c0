//! One container of an instance.

use std::collections::BTreeMap;

use fluxplane_core::Resources;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Component {
    pub description: String,
    /// With a tag, a digest, or both.
    pub image: String,
    /// Reference to a secret.
    pub registry_credentials: Option<String>,
    pub command: Vec<String>,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// References to secrets.
    pub secrets: BTreeMap<String, String>,
    /// Thousandths of a cpu thread.
    pub cpu: u64,
    /// MiB.
    pub memory: u64,
    /// MiB, volumes included.
    pub disk: u64,
    pub gpu: Option<Gpu>,
    pub ports: BTreeMap<String, Port>,
    pub volumes: BTreeMap<String, Volume>,
    pub probes: Probes,
    pub restart: Restart,
    pub stop: Stop,
}

impl Component {
    /// What it takes of a node. Disk is given out in whole GiB.
    pub const fn resources(&self) -> Resources {
        const MIB_PER_GIB: u64 = 1_024;
        Resources {
            cpu_milli: self.cpu,
            ram_mib: self.memory,
            disk_gib: self.disk.div_ceil(MIB_PER_GIB),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gpu {
    pub count: u32,
    pub vendor: GpuVendor,
    /// Any of these; empty means all.
    pub models: Vec<String>,
    /// MiB of each card.
    pub memory: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GpuVendor {
    Nvidia,
    Amd,
    Intel,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    pub container: u16,
    /// Port of the node; without it the plane chooses.
    pub host: Option<u16>,
    pub protocol: Protocol,
    pub domains: Vec<String>,
    pub load_balancing: LoadBalancing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Protocol {
    Tcp,
    Udp,
    /// Both under the same number, as FluxOS publishes every port.
    TcpUdp,
    Http,
}

impl Protocol {
    /// Whether two ports of these protocols can't have the same number.
    pub const fn clashes(self, other: Self) -> bool {
        let is_udp = matches!(self, Self::Udp);
        let other_is_udp = matches!(other, Self::Udp);
        is_udp == other_is_udp || matches!(self, Self::TcpUdp) || matches!(other, Self::TcpUdp)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoadBalancing {
    pub strategy: Strategy,
    pub sticky_sessions: bool,
    /// Seconds.
    pub timeout: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Strategy {
    RoundRobin,
    LeastConnections,
    SourceAddress,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    pub path: String,
    pub kind: VolumeKind,
    /// MiB.
    pub size: Option<u64>,
    /// A single file instead of a folder.
    pub file: bool,
    pub read_only: bool,
    pub start_after_sync: bool,
    pub source: Option<Source>,
    pub snapshots: Option<Snapshots>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VolumeKind {
    Local,
    Synced,
    Exclusive,
}

/// A volume of another component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    pub component: String,
    pub volume: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshots {
    /// Minute, hour, day, month and weekday in UTC.
    pub schedule: String,
    pub keep: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probes {
    pub startup: Option<Probe>,
    pub readiness: Option<Probe>,
    pub health: Option<Probe>,
}

/// One question; exactly one of the first three fields is given. Times are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    pub http: Option<HttpProbe>,
    pub tcp: Option<TcpProbe>,
    pub exec: Option<ExecProbe>,
    pub interval: u64,
    pub timeout: u64,
    pub delay: u64,
    pub failures: u32,
    pub successes: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpProbe {
    pub port: u16,
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TcpProbe {
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecProbe {
    pub command: Vec<String>,
}

/// Times are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restart {
    pub policy: RestartPolicy,
    pub backoff: u64,
    pub max_backoff: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RestartPolicy {
    Always,
    OnFailure,
    Never,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stop {
    /// Program and arguments; empty means none.
    pub pre_stop: Vec<String>,
    /// `SIGTERM` and the like.
    pub signal: String,
    /// Seconds.
    pub grace: u64,
}
