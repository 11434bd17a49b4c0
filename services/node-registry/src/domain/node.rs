//! A node and what it measured of itself.

use chrono::{DateTime, Utc};
use fluxplane_core::{NodeState, Place, Resources, Tier, capacity, id::NodeId};
use serde::{Deserialize, Serialize};

/// The output a fluxnode locks, as text in display order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Collateral {
    pub txid: String,
    pub vout: u32,
}

impl std::fmt::Display for Collateral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.txid, self.vout)
    }
}

/// What a machine measured of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    /// Hardware threads.
    pub threads: u32,
    pub ram_mib: u64,
    pub disk_gib: u64,
    /// SHA-256 on one thread.
    pub hash_mib_s: u64,
    /// Sequential write with fdatasync.
    pub disk_write_mib_s: u64,
    pub measured_at: DateTime<Utc>,
}

impl Benchmark {
    /// What applications may use of the machine.
    pub fn usable(&self) -> Resources {
        capacity::usable(self.threads, self.ram_mib, self.disk_gib)
    }
}

/// A machine of an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub id: NodeId,
    /// Wallet address.
    pub operator: String,
    pub collateral: Collateral,
    pub tier: Tier,
    pub state: NodeState,
    /// Why it is not ready.
    pub state_reason: String,
    pub capacity: Resources,
    pub benchmark: Benchmark,
    pub place: Place,
    /// Address at which instances are reached.
    pub ip: String,
    pub static_ip: bool,
    pub probe_port: u16,
    pub agent_version: String,
    pub runtime: String,
    /// Raw Ed25519 key of the certificate.
    pub agent_pubkey: Vec<u8>,
    pub certificate_expires_at: DateTime<Utc>,
    pub joined_at: DateTime<Utc>,
    pub last_heartbeat_at: Option<DateTime<Utc>>,
    pub heartbeat_sequence: u64,
    pub usage_sequence: u64,
    /// Grows with every change of the record.
    pub version: u64,
}
