//! Configuration of the node registry. `node-registry check-config` prints what is in effect.

use std::path::PathBuf;

use fluxplane_core::Tier;
use fluxplane_platform::{
    config::{Base, Db, Listen, Nats, Peer, Span, Tls},
    runner,
};
use serde::{Deserialize, Serialize};

use crate::domain::join::Minimum;

pub const DEFAULTS: &str = include_str!("defaults.toml");

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub base: Base,
    pub db: Db,
    pub nats: Nats,
    pub tls: Tls,
    /// For other services.
    pub grpc: Listen,
    /// For agents.
    pub agents: Agents,
    pub node_ca: NodeCa,
    pub liveness: Liveness,
    pub minimums: Minimums,
    pub chain_indexer: Peer,
    pub scheduler: Peer,
}

impl runner::Config for Config {
    fn base(&self) -> &Base {
        &self.base
    }

    fn db(&self) -> Option<&Db> {
        Some(&self.db)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    pub listen: std::net::SocketAddr,
    /// Where agents dial, as told to operators: `https://host:port`.
    pub advertised: String,
    pub heartbeat_interval: Span,
    pub usage_interval: Span,
}

/// The authority that certifies nodes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeCa {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
    /// Life of a node's certificate, at most 30 days.
    pub certificate_life: Span,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Liveness {
    /// Beats missed until a node gets no new work and is probed.
    pub suspect_after_missed: u32,
    /// Beats missed until it is lost whatever the probe says.
    pub lost_after_missed: u32,
    /// Time the plane's own probe gets.
    pub probe_timeout: Span,
    /// When more than this share of the ready nodes falls silent at once, the fault is ours: nobody is declared lost.
    /// Percent.
    pub mass_silence_percent: u32,
}

/// Smallest machine per tier.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimums {
    pub cumulus: Minimum,
    pub nimbus: Minimum,
    pub stratus: Minimum,
}

impl Minimums {
    pub const fn of(&self, tier: Tier) -> Minimum {
        match tier {
            Tier::Cumulus => self.cumulus,
            Tier::Nimbus => self.nimbus,
            Tier::Stratus => self.stratus,
        }
    }
}
