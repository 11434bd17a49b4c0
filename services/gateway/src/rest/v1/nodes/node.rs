//! A node as everyone sees it.

use chrono::{DateTime, Utc};
use fluxplane_proto::{common::v1 as common, node_registry::v1 as wire};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::wire::{Malformed, id, optional_time, required, time};

/// The class of a node, by locked collateral and measured hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Cumulus,
    Nimbus,
    Stratus,
}

impl Tier {
    pub fn from_wire(tier: i32) -> Result<Self, Malformed> {
        match common::Tier::try_from(tier) {
            Ok(common::Tier::Cumulus) => Ok(Self::Cumulus),
            Ok(common::Tier::Nimbus) => Ok(Self::Nimbus),
            Ok(common::Tier::Stratus) => Ok(Self::Stratus),
            Ok(common::Tier::Unspecified) | Err(_) => Err(Malformed::value("tier", tier)),
        }
    }

    pub const fn to_wire(self) -> common::Tier {
        match self {
            Self::Cumulus => common::Tier::Cumulus,
            Self::Nimbus => common::Tier::Nimbus,
            Self::Stratus => common::Tier::Stratus,
        }
    }
}

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Has a certificate, never connected.
    Joined,
    /// Beats; may get work.
    Ready,
    /// Missed beats; gets no new work, keeps what it runs.
    Suspect,
    /// Silent and unreachable; its instances are replaced.
    Lost,
    /// Its collateral left the fluxnode list.
    Ineligible,
    /// Another machine joined in its place.
    Retired,
}

impl NodeState {
    pub fn from_wire(state: i32) -> Result<Self, Malformed> {
        match wire::NodeState::try_from(state) {
            Ok(wire::NodeState::Joined) => Ok(Self::Joined),
            Ok(wire::NodeState::Ready) => Ok(Self::Ready),
            Ok(wire::NodeState::Suspect) => Ok(Self::Suspect),
            Ok(wire::NodeState::Lost) => Ok(Self::Lost),
            Ok(wire::NodeState::Ineligible) => Ok(Self::Ineligible),
            Ok(wire::NodeState::Retired) => Ok(Self::Retired),
            Ok(wire::NodeState::Unspecified) | Err(_) => Err(Malformed::value("node.state", state)),
        }
    }

    pub const fn to_wire(self) -> wire::NodeState {
        match self {
            Self::Joined => wire::NodeState::Joined,
            Self::Ready => wire::NodeState::Ready,
            Self::Suspect => wire::NodeState::Suspect,
            Self::Lost => wire::NodeState::Lost,
            Self::Ineligible => wire::NodeState::Ineligible,
            Self::Retired => wire::NodeState::Retired,
        }
    }
}

/// An output of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutPoint {
    /// 64 hex digits.
    #[schema(example = "9f0b2d4c1e7a5b3896f1c0d2e4a6b8901234567890abcdef1234567890abcdef")]
    pub txid: String,
    #[schema(example = 0)]
    pub vout: u32,
}

impl OutPoint {
    pub fn from_wire(
        field: &'static str,
        outpoint: Option<common::OutPoint>,
    ) -> Result<Self, Malformed> {
        let common::OutPoint { txid, vout } = required(field, outpoint)?;
        Ok(Self { txid, vout })
    }
}

/// Hardware.
#[derive(Debug, Serialize, ToSchema)]
pub struct Capacity {
    /// Thousandths of a cpu thread.
    #[schema(example = 3_500)]
    pub cpu_milli: u64,
    #[schema(example = 7_000)]
    pub ram_mib: u64,
    #[schema(example = 200)]
    pub disk_gib: u64,
}

/// Where a machine stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Place {
    /// Two-letter code.
    #[schema(example = "EU")]
    pub continent: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "DE")]
    pub country: String,
    #[schema(example = "Bavaria")]
    pub region: String,
}

/// What a node measured of itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct Benchmark {
    pub threads: u32,
    pub ram_mib: u64,
    pub disk_gib: u64,
    /// SHA-256 of 64 KiB blocks on one thread, MiB/s.
    pub hash_mib_s: u64,
    /// Sequential write, MiB/s.
    pub disk_write_mib_s: u64,
    pub measured_at: DateTime<Utc>,
}

/// A node.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "fields are named as in the JSON")]
pub struct Node {
    pub node_id: Uuid,
    /// Wallet address of its operator.
    pub operator: String,
    pub collateral: OutPoint,
    pub tier: Tier,
    pub state: NodeState,
    /// Why it is not ready; empty when it is.
    pub state_reason: String,
    /// What can be placed on it in all.
    pub capacity: Capacity,
    pub place: Place,
    /// Address at which instances are reached.
    pub ip: String,
    pub static_ip: bool,
    pub agent_version: String,
    /// `docker`, `kubernetes` or `simulated`.
    pub runtime: String,
    pub joined_at: DateTime<Utc>,
    pub last_heartbeat_at: Option<DateTime<Utc>>,
    pub certificate_expires_at: DateTime<Utc>,
    pub benchmark: Option<Benchmark>,
    /// Grows with every change of this record.
    pub version: u64,
}

impl TryFrom<wire::Node> for Node {
    type Error = Malformed;

    fn try_from(node: wire::Node) -> Result<Self, Malformed> {
        let capacity = required("capacity", node.capacity)?;
        let place = required("place", node.place)?;
        Ok(Self {
            node_id: id("node_id", &node.node_id)?,
            operator: node.operator,
            collateral: OutPoint::from_wire("collateral", node.collateral)?,
            tier: Tier::from_wire(node.tier)?,
            state: NodeState::from_wire(node.state)?,
            state_reason: node.state_reason,
            capacity: Capacity {
                cpu_milli: capacity.cpu_milli,
                ram_mib: capacity.ram_mib,
                disk_gib: capacity.disk_gib,
            },
            place: Place {
                continent: place.continent,
                country: place.country,
                region: place.region,
            },
            ip: node.ip,
            static_ip: node.static_ip,
            agent_version: node.agent_version,
            runtime: node.runtime,
            joined_at: time("joined_at", node.joined_at)?,
            last_heartbeat_at: optional_time("last_heartbeat_at", node.last_heartbeat_at)?,
            certificate_expires_at: time("certificate_expires_at", node.certificate_expires_at)?,
            benchmark: node.benchmark.map(Benchmark::try_from).transpose()?,
            version: node.version,
        })
    }
}

impl TryFrom<wire::Benchmark> for Benchmark {
    type Error = Malformed;

    fn try_from(benchmark: wire::Benchmark) -> Result<Self, Malformed> {
        Ok(Self {
            threads: benchmark.threads,
            ram_mib: benchmark.ram_mib,
            disk_gib: benchmark.disk_gib,
            hash_mib_s: benchmark.hash_mib_s,
            disk_write_mib_s: benchmark.disk_write_mib_s,
            measured_at: time("benchmark.measured_at", benchmark.measured_at)?,
        })
    }
}
