//! Finds nodes by what is known of them.

use std::net::{IpAddr, Ipv6Addr};

use fluxplane_flux_chain::{
    OutPoint, PublicKey, ScriptBuf,
    fluxnode::{FluxnodeState, NodeEntry},
};

/// Port of a node that names none (RunOnFlux/flux `ZelBack/config/default.js`, `server.apiport`).
const DEFAULT_PORT: u16 = 16_127;

/// Longest address a confirm may state (fluxd `src/fluxnode/fluxnode.h`).
const LONGEST_IP: usize = 60;

/// What is known of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Collateral(OutPoint),
    Ip(NodeIp),
    NodeKey(PublicKey),
    Payee(ScriptBuf),
}

/// Where a node is: a host, and a port or every port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeIp {
    host: String,
    port: Option<u16>,
}

/// A text that names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an address is a host of at most {LONGEST_IP} bytes, or host:port; IPv6 hosts with a port are in brackets"
)]
pub struct NotAnIp;

impl std::str::FromStr for NodeIp {
    type Err = NotAnIp;

    fn from_str(text: &str) -> Result<Self, NotAnIp> {
        if text.is_empty() || text.len() > LONGEST_IP {
            return Err(NotAnIp);
        }
        let (host, port) = split(text);
        let port = port.map(|port| port.parse().map_err(|_| NotAnIp));
        if host.is_empty() {
            return Err(NotAnIp);
        }
        Ok(Self {
            host: normal(host),
            port: port.transpose()?,
        })
    }
}

impl NodeIp {
    /// Whether an address that a node states is this place. What cannot be read is compared as it is.
    fn finds(&self, stated: &str) -> bool {
        let (host, port) = split(stated);
        if normal(host) != self.host {
            return false;
        }
        let stated = match port {
            None => Some(DEFAULT_PORT),
            Some(port) => port.parse().ok(),
        };
        self.port.is_none() || self.port == stated
    }
}

/// Host and port of `host`, `host:port`, `[host]`, `[host]:port` and bare IPv6.
fn split(text: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return (text, None);
    }
    match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    }
}

/// One spelling for one host.
fn normal(host: &str) -> String {
    host.parse::<IpAddr>()
        .map_or_else(|_| host.to_ascii_lowercase(), |ip| ip.to_string())
}

/// Nodes on all lists that the key finds, by collateral, after one that the caller has.
pub fn find<'s>(
    lists: &'s FluxnodeState,
    key: &Key,
    after: Option<OutPoint>,
) -> impl Iterator<Item = &'s NodeEntry> {
    let key = key.clone();
    lists.nodes().filter(move |entry| {
        let behind = after.is_none_or(|after| entry.collateral > after);
        behind
            && match &key {
                Key::Collateral(collateral) => entry.collateral == *collateral,
                Key::Ip(ip) => ip.finds(&entry.ip.to_string()),
                Key::NodeKey(node_key) => entry.node_key == *node_key,
                Key::Payee(script) => entry.payment_script == *script,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(query: &str, stated: &str) -> bool {
        query.parse::<NodeIp>().unwrap().finds(stated)
    }

    #[test]
    fn a_host_finds_all_its_nodes_and_a_port_one() {
        for stated in ["192.0.2.1", "192.0.2.1:16127", "192.0.2.1:16137"] {
            assert!(finds("192.0.2.1", stated), "{stated}");
        }
        assert!(finds("192.0.2.1:16137", "192.0.2.1:16137"));
        assert!(!finds("192.0.2.1:16137", "192.0.2.1"));
        assert!(!finds("192.0.2.1", "192.0.2.10"));
        assert!(!finds("192.0.2.1", "192.0.2.1.example:16127"));
    }

    #[test]
    fn a_node_that_names_no_port_has_the_usual_one() {
        assert!(finds("192.0.2.1:16127", "192.0.2.1"));
        assert!(finds("192.0.2.1:16127", "192.0.2.1:16127"));
    }

    #[test]
    fn names_and_ipv6_have_one_spelling() {
        assert!(finds("Node.Example", "node.example:16127"));
        assert!(finds("2001:db8::1", "[2001:0db8:0:0::1]:16137"));
        assert!(finds("[2001:db8::1]:16127", "2001:db8::1"));
        assert!(!finds("[2001:db8::1]:16137", "2001:db8::1"));
    }

    #[test]
    fn what_names_no_place_is_refused() {
        let long = "a".repeat(61);
        for text in [
            "",
            ":16127",
            "[]:1",
            "192.0.2.1:",
            "192.0.2.1:x",
            "192.0.2.1:65536",
            &long,
        ] {
            assert_eq!(text.parse::<NodeIp>(), Err(NotAnIp), "{text}");
        }
    }

    #[test]
    fn stated_addresses_of_any_shape_do_no_harm() {
        for stated in ["", ":", "[", "]:", "[::]:x", "\u{ff}\u{0}"] {
            assert!(!finds("192.0.2.1:16127", stated), "{stated:?}");
        }
    }
}
