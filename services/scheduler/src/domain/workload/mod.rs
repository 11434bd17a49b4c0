//! What an instance of a revision is and where it may go. Read once from a specification that was judged, then stored with
//! the revision, so that placing it never needs the specification again.
//!
//! | module | what |
//! |---|---|
//! | `legacy` | from a specification of FluxOS |
//! | `native` | from `fluxplane/v1` |

mod legacy;
mod native;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use fluxplane_core::{
    Resources, Tier,
    error::Violation,
    id::{AppId, NodeId},
};
use fluxplane_placement::{Geo, Pin, Request};
use serde::{Deserialize, Serialize};

pub use native::CHOSEN_PORTS;
pub(super) use {legacy::sealed, native::of_finding};

/// The workload of one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// How many copies are wanted.
    pub instances: u32,
    /// What one copy needs on a node of any tier.
    pub resources: Resources,
    /// Ports on the address of the node, in the order of the specification.
    pub ports: Vec<u16>,
    pub geo: Geo,
    pub static_ip: bool,
    /// When not empty, only these nodes.
    pub pinned: Vec<Pin>,
    pub components: Vec<Component>,
}

/// A container of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    pub name: String,
    /// As the specification names it.
    pub image: String,
    pub ports: Vec<Port>,
    /// `NAME=value`. Taken out before it is stored; see [`super::private`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// It had one before it was taken out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub environment_sealed: bool,
    /// Replaces the entry point of the image; empty keeps it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// Replaces what the image gives its entry point; empty keeps it.
    pub command: Vec<String>,
    pub resources: Resources,
    /// On Cumulus, Nimbus and Stratus, where the specification makes a difference.
    pub tiers: Option<[Resources; 3]>,
    pub mounts: Vec<Mount>,
    /// Environment variables whose values are secrets of the owner: variable and name of the secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Name of the owner's secret with which the image is pulled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry_credentials: Option<String>,
    /// How soon it is started again after it ended; without it, as the node has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// How it is ended; without it, as the node has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// How to see whether it works; without it, by its first TCP port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Probes>,
}

/// How to see whether a component works. At least one is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probes {
    pub startup: Option<Probe>,
    pub readiness: Option<Probe>,
    pub health: Option<Probe>,
}

/// One question, asked again and again. Times are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Port of the container, published on TCP.
    pub port: u16,
    /// What is asked for with GET; without it a connection suffices.
    pub http_path: Option<String>,
    pub interval_s: u32,
    pub timeout_s: u32,
    pub delay_s: u32,
    pub failures: u32,
    pub successes: u32,
}

/// A port of the node that leads to one of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredPort", into = "StoredPort")]
pub struct Port {
    pub host: u16,
    pub container: u16,
    pub protocol: Protocol,
}

/// What is spoken on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP and UDP, as FluxOS publishes every port.
    Both,
    Tcp,
    Udp,
}

/// A port in the form in which it is stored. A pair is one of FluxOS.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredPort {
    Both(u16, u16),
    One {
        host: u16,
        container: u16,
        protocol: Protocol,
    },
}

impl From<StoredPort> for Port {
    fn from(stored: StoredPort) -> Self {
        match stored {
            StoredPort::Both(host, container) => Self {
                host,
                container,
                protocol: Protocol::Both,
            },
            StoredPort::One {
                host,
                container,
                protocol,
            } => Self {
                host,
                container,
                protocol,
            },
        }
    }
}

impl From<Port> for StoredPort {
    fn from(port: Port) -> Self {
        let Port {
            host,
            container,
            protocol,
        } = port;
        match protocol {
            Protocol::Both => Self::Both(host, container),
            Protocol::Tcp | Protocol::Udp => Self::One {
                host,
                container,
                protocol,
            },
        }
    }
}

/// Pauses before a component is started again, in seconds; each is twice the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    pub first_s: u32,
    pub longest_s: u32,
}

/// How a component is ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// `SIGTERM` and the like.
    pub signal: String,
    /// Time until it is killed, in seconds.
    pub grace_s: u32,
}

/// A directory or file of a component's volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Path inside the container.
    pub path: String,
    /// Directory or file in the volume.
    pub source: String,
    pub file: bool,
    /// Component that owns the volume; empty for the own one.
    pub component: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

impl Workload {
    /// A wish for `count` further copies of an application.
    pub fn request(&self, app: AppId, count: u32) -> Request {
        Request {
            ports: self.ports.clone(),
            geo: self.geo.clone(),
            static_ip: self.static_ip,
            pinned: self.pinned.clone(),
            ..Request::new(app, self.resources, count)
        }
    }

    /// Whether the pins, if any, name the node.
    pub fn pins_allow(&self, node: NodeId, outpoint: &str, ip: IpAddr) -> bool {
        self.pinned.is_empty()
            || self.pinned.iter().any(|pin| match pin {
                Pin::Node(id) => *id == node,
                Pin::Outpoint(text) => text == outpoint,
                Pin::Ip(address) => *address == ip,
            })
    }
}

impl Component {
    /// What it may use on a node of this tier.
    pub const fn resources_on(&self, tier: Tier) -> Resources {
        match (&self.tiers, tier) {
            (None, _) => self.resources,
            (Some([cumulus, _, _]), Tier::Cumulus) => *cumulus,
            (Some([_, nimbus, _]), Tier::Nimbus) => *nimbus,
            (Some([_, _, stratus]), Tier::Stratus) => *stratus,
        }
    }
}

/// A violation of a field of the specification.
fn violation(
    field: &str,
    value: impl std::fmt::Display,
    rule: impl Into<String>,
    remedy: &str,
) -> Violation {
    Violation::new(format!("spec.{field}"), value, rule, remedy)
}

/// What suffices on every tier: the sum over the components, on the tier where it is largest. A copy then fits wherever it
/// is placed, and no node is given more than it has.
fn needed(components: &[Component]) -> Option<Resources> {
    let sum = |tier| {
        components
            .iter()
            .try_fold(Resources::ZERO, |sum, component| {
                sum.checked_add(component.resources_on(tier))
            })
    };
    let mut most = Resources::ZERO;
    for tier in Tier::ALL {
        let on_tier = sum(tier)?;
        most = Resources {
            cpu_milli: most.cpu_milli.max(on_tier.cpu_milli),
            ram_mib: most.ram_mib.max(on_tier.ram_mib),
            disk_gib: most.disk_gib.max(on_tier.disk_gib),
        };
    }
    Some(most)
}

fn pin(text: &str) -> Option<Pin> {
    /// Hexadecimal digits of a transaction id.
    const TXID_DIGITS: usize = 64;
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(Pin::Ip(ip));
    }
    // The port is that of FluxOS' own API, which the plane's nodes do not have: every node behind the address is meant.
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(Pin::Ip(address.ip()));
    }
    let (txid, index) = text.split_once(':')?;
    let outpoint = txid.len() == TXID_DIGITS
        && txid.bytes().all(|byte| byte.is_ascii_hexdigit())
        && index.parse::<u32>().is_ok();
    outpoint.then(|| Pin::Outpoint(text.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_pinned_by_address_or_collateral() {
        let ip: IpAddr = "203.0.113.9".parse().unwrap();
        assert_eq!(pin("203.0.113.9"), Some(Pin::Ip(ip)));
        assert_eq!(pin("203.0.113.9:16137"), Some(Pin::Ip(ip)));
        let outpoint = format!("{}:3", "aB".repeat(32));
        assert_eq!(
            pin(&outpoint),
            Some(Pin::Outpoint(outpoint.to_ascii_lowercase()))
        );
        assert_eq!(pin("node-7"), None);
    }

    #[test]
    fn ports_are_stored_as_pairs_unless_they_differ_from_those_of_fluxos() {
        let port = |protocol| Port {
            host: 31_000,
            container: 80,
            protocol,
        };
        let both = serde_json::to_string(&port(Protocol::Both)).unwrap();
        assert_eq!(both, "[31000,80]");
        for protocol in [Protocol::Both, Protocol::Tcp, Protocol::Udp] {
            let text = serde_json::to_string(&port(protocol)).unwrap();
            assert_eq!(serde_json::from_str::<Port>(&text).unwrap(), port(protocol));
        }
    }
}
