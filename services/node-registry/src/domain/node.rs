//! A node and the states it can be in.

use chrono::{DateTime, Utc};
use fluxplane_core::{Place, Resources, Tier, id::NodeId};
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// Has a certificate, never connected.
    Joined,
    /// Beats.
    Ready,
    /// Missed beats: gets no new work, keeps what it runs.
    Suspect,
    /// Silent and unreachable: its instances are replaced.
    Lost,
    /// Its collateral is not a confirmed fluxnode any more.
    Ineligible,
    /// Another machine joined in its place.
    Retired,
}

impl NodeState {
    pub const ALL: [Self; 6] = [
        Self::Joined,
        Self::Ready,
        Self::Suspect,
        Self::Lost,
        Self::Ineligible,
        Self::Retired,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Ready => "ready",
            Self::Suspect => "suspect",
            Self::Lost => "lost",
            Self::Ineligible => "ineligible",
            Self::Retired => "retired",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
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

/// Kept back from applications on every node, as FluxOS does: one thread, 2,000 MB, 60 GB and 20 GB for images
/// (FluxOS `lockedSystemResources`).
const KEPT_BACK: Resources = Resources {
    cpu_milli: 1_000,
    ram_mib: 2_000,
    disk_gib: 80,
};

impl Benchmark {
    /// What applications may use of the machine.
    pub fn usable(&self) -> Resources {
        let measured = Resources {
            cpu_milli: u64::from(self.threads) * 1_000,
            ram_mib: self.ram_mib,
            disk_gib: self.disk_gib * 95 / 100,
        };
        measured.saturating_sub(KEPT_BACK)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_cumulus_offers_what_fluxos_says() {
        let benchmark = Benchmark {
            threads: 4,
            ram_mib: 7_000,
            disk_gib: 220,
            hash_mib_s: 0,
            disk_write_mib_s: 0,
            measured_at: DateTime::UNIX_EPOCH,
        };
        let usable = Resources {
            cpu_milli: 3_000,
            ram_mib: 5_000,
            disk_gib: 129,
        };
        assert_eq!(benchmark.usable(), usable);
    }

    #[test]
    fn state_names_lead_back() {
        for state in NodeState::ALL {
            assert_eq!(NodeState::from_name(state.name()), Some(state));
        }
    }
}
