//! What would place a copy that waits.

use std::fmt;

use fluxplane_core::{Resources, id::NodeId, place::Network};
use serde::{Deserialize, Serialize};

use crate::request::{Geo, GeoPattern, Pin, Request};

/// A change to the request or to the fleet that would place a waiting copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    LowerCpu {
        by_milli: u64,
    },
    LowerMemory {
        by_mib: u64,
    },
    LowerDisk {
        by_gib: u64,
    },
    /// Ask for other ports than these.
    ChangePorts {
        ports: Vec<u16>,
    },
    DropExclusion {
        node: NodeId,
    },
    /// Drop one forbidding rule.
    DropForbid {
        pattern: GeoPattern,
    },
    /// Drop the allowing rules, all of them: with one less, the others would allow even less.
    DropAllow {
        patterns: Vec<GeoPattern>,
    },
    DropStaticIp,
    RaiseLimit {
        domain: Domain,
        to: u32,
    },
    /// Pin this node as well.
    AlsoPin {
        node: NodeId,
    },
    /// Bring a cordoned or lost node back.
    ReturnNode {
        node: NodeId,
    },
    /// Add a node.
    AddNode(NodeWanted),
}

/// What a further node must be like to take a waiting copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeWanted {
    /// Free at least.
    pub resources: Resources,
    pub static_ip: bool,
    /// Where it may stand.
    pub geo: Geo,
    /// Operators, networks and countries that carry as many copies as allowed.
    pub other_operator_than: Vec<String>,
    pub other_network_than: Vec<Network>,
    pub other_country_than: Vec<String>,
}

/// What copies can be kept apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    Operator,
    Network,
    Country,
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operator => "operator",
            Self::Network => "network",
            Self::Country => "country",
        })
    }
}

impl Change {
    /// The request after the change; `None` when it is the fleet that must change.
    pub fn apply(&self, request: &Request) -> Option<Request> {
        let mut changed = request.clone();
        let resources = &mut changed.resources;
        match self {
            Self::LowerCpu { by_milli } => resources.cpu_milli -= by_milli,
            Self::LowerMemory { by_mib } => resources.ram_mib -= by_mib,
            Self::LowerDisk { by_gib } => resources.disk_gib -= by_gib,
            Self::ChangePorts { ports } => changed.ports.retain(|port| !ports.contains(port)),
            Self::DropExclusion { node } => changed.exclude.retain(|other| other != node),
            Self::DropForbid { pattern } => changed.geo.forbid.retain(|other| other != pattern),
            Self::DropAllow { .. } => changed.geo.allow.clear(),
            Self::DropStaticIp => changed.static_ip = false,
            Self::RaiseLimit { domain, to } => {
                let limits = &mut changed.limits;
                let limit = match domain {
                    Domain::Operator => &mut limits.per_operator,
                    Domain::Network => &mut limits.per_network,
                    Domain::Country => &mut limits.per_country,
                };
                *limit = (*to).try_into().ok();
            }
            Self::AlsoPin { node } => changed.pinned.push(Pin::Node(*node)),
            Self::ReturnNode { .. } | Self::AddNode(_) => return None,
        }
        Some(changed)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LowerCpu { by_milli } => {
                write!(
                    f,
                    "ask for {}.{:03} cpu less",
                    by_milli / 1_000,
                    by_milli % 1_000
                )
            }
            Self::LowerMemory { by_mib } => write!(f, "ask for {by_mib} MiB less memory"),
            Self::LowerDisk { by_gib } => write!(f, "ask for {by_gib} GiB less disk"),
            Self::ChangePorts { ports } => {
                write!(f, "use another port instead of {}", list(ports))
            }
            Self::DropExclusion { node } => write!(f, "stop excluding node {node}"),
            Self::DropForbid { pattern } => {
                write!(f, "drop the geolocation rule that forbids {pattern}")
            }
            Self::DropAllow { patterns } => {
                write!(
                    f,
                    "drop the geolocation rules that allow only {}",
                    list(patterns)
                )
            }
            Self::DropStaticIp => write!(f, "accept nodes without a static address"),
            Self::RaiseLimit { domain, to } => write!(
                f,
                "allow {to} copies per {domain}, or wait for a node of one more {domain}"
            ),
            Self::AlsoPin { node } => write!(f, "pin node {node} as well"),
            Self::ReturnNode { node } => write!(f, "bring node {node} back"),
            Self::AddNode(wanted) => wanted.fmt(f),
        }
    }
}

impl fmt::Display for NodeWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = if self.static_ip {
            " with a static address"
        } else {
            ""
        };
        write!(f, "one more node{address} with {} free", self.resources)?;
        if !self.geo.allow.is_empty() {
            write!(f, ", in {}", list(&self.geo.allow))?;
        }
        if !self.geo.forbid.is_empty() {
            write!(f, ", not in {}", list(&self.geo.forbid))?;
        }
        let taken = [
            ("operator", list(&self.other_operator_than)),
            ("network", list(&self.other_network_than)),
            ("country", list(&self.other_country_than)),
        ];
        for (domain, taken) in taken.iter().filter(|(_, taken)| !taken.is_empty()) {
            write!(f, ", of another {domain} than {taken}")?;
        }
        Ok(())
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let texts: Vec<String> = items.iter().map(T::to_string).collect();
    texts.join(", ")
}
