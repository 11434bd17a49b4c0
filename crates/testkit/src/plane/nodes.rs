//! Five machines of five operators, all on this one, each with an address of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{
    chain::Chain,
    ctl::Ctl,
    layout::Layout,
    programs::{self, Programs},
    supervisor::Program,
};

/// Where agents answer the plane's own probe; each on its node's address.
const PROBE_PORT: u16 = 16_180;

/// A machine and its place.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    pub name: &'static str,
    pub tier: &'static str,
    /// Second part of its address: each node is in a network of its own.
    network: u8,
    /// Preferred port of its agent's admin listener.
    pub(super) admin: u16,
    pub place: &'static str,
    /// What the agent declares, since five agents share one machine.
    capacity: &'static str,
}

impl Node {
    /// Its address on this machine. Planes that run at the same time are in different lanes.
    pub fn ip(&self, lane: u8) -> String {
        format!("127.{}.{lane}.1", self.network)
    }
}

/// Tiers, networks and countries differ, so that placement has something to choose from.
pub const NODES: [Node; 5] = [
    Node {
        name: "node-1",
        tier: "cumulus",
        network: 1,
        admin: 7071,
        place: "EU_DE_Bavaria",
        capacity: "threads=4,ram=8000,disk=250",
    },
    Node {
        name: "node-2",
        tier: "cumulus",
        network: 2,
        admin: 7072,
        place: "EU_FI_Uusimaa",
        capacity: "threads=4,ram=8000,disk=250",
    },
    Node {
        name: "node-3",
        tier: "nimbus",
        network: 3,
        admin: 7073,
        place: "NA_US_Oregon",
        capacity: "threads=8,ram=32000,disk=500",
    },
    Node {
        name: "node-4",
        tier: "nimbus",
        network: 4,
        admin: 7074,
        place: "NA_CA_Quebec",
        capacity: "threads=8,ram=32000,disk=500",
    },
    Node {
        name: "node-5",
        tier: "stratus",
        network: 5,
        admin: 7075,
        place: "AS_SG_Singapore",
        capacity: "threads=16,ram=64000,disk=1000",
    },
];

/// What joining needs.
#[derive(Debug)]
pub(crate) struct Joining<'a> {
    pub layout: &'a Layout,
    pub programs: &'a Programs,
    pub chain: &'a Chain,
    pub ctl: &'a Ctl,
    pub lane: u8,
}

impl Joining<'_> {
    /// Makes the operator and the collateral, and joins, unless all of it was done at an earlier run.
    pub(crate) fn ensure(&self, node: &Node) -> Result<()> {
        let dir = self.layout.dir(&format!("nodes/{}", node.name))?;
        if identity_file(self.layout, node).exists() {
            return Ok(());
        }
        let operator = self.ctl.wallet(&format!("operator-of-{}", node.name))?;
        let ip = node.ip(self.lane);
        let fluxnode = self.chain.add_node(node.tier, &ip)?;
        let key = format!("nodes/{}/node-key.wif", node.name);
        let key = self.layout.write(&key, &fluxnode.node_key)?;
        operator.login()?;
        let (data, files) = (dir.join("agent"), dir.display().to_string());
        let agent = self.programs.path("node-agent").display().to_string();
        let (data, key) = (data.display().to_string(), key.display().to_string());
        let probe_port = PROBE_PORT.to_string();
        let arguments = [
            ["--collateral", &fluxnode.collateral],
            ["--node-key-file", &key],
            ["--ip", &ip],
            ["--place", node.place],
            ["--data-dir", &data],
            ["--files", &files],
            ["--agent", &agent],
        ];
        let more = [
            ["--capacity-override", node.capacity],
            ["--benchmark-seconds", "1"],
            ["--probe-port", &probe_port],
        ];
        let mut all = vec!["node", "join"];
        all.extend(arguments.as_flattened());
        all.push("--");
        all.extend(more.as_flattened());
        // The chain's news of a collateral takes a moment to reach the registry.
        operator
            .ctl()
            .until(Duration::from_secs(30), &all)
            .with_context(|| format!("{} does not join", node.name))?;
        // The agent keeps its own copy of what it needs; a token works once.
        fs::remove_file(dir.join("join-token")).ok();
        Ok(())
    }
}

/// The agent of a node, as a program to keep running.
pub(crate) fn agent(
    layout: &Layout,
    programs: &Programs,
    node: &Node,
    socket: &Path,
    admin: u16,
    otlp_endpoint: &str,
) -> Program {
    let data = layout.file(&format!("nodes/{}/agent", node.name));
    let pair = |name: &str, value: String| (format!("FLUXPLANE_NODE_AGENT__{name}"), value);
    Program {
        name: node.name.to_owned(),
        path: programs.path("node-agent"),
        args: vec![
            "--data-dir".to_owned(),
            data.display().to_string(),
            "run".to_owned(),
        ],
        env: vec![
            pair("RUNTIME__SOCKET", socket.display().to_string()),
            pair("HEALTH__INTERVAL_UNTIL_HEALTHY", "250ms".to_owned()),
            pair("HEALTH__INTERVAL", "2s".to_owned()),
            pair("BASE__ADMIN__LISTEN", format!("127.0.0.1:{admin}")),
            pair("BASE__TELEMETRY__OTLP_ENDPOINT", otlp_endpoint.to_owned()),
        ],
    }
}

/// The node's id, once it joined.
pub(crate) fn node_id(layout: &Layout, node: &Node) -> Result<String> {
    programs::text(&identity(layout, node)?, "/node")
}

/// The port that the agents of earlier runs dial, if there are any.
pub(crate) fn dialled_port(layout: &Layout) -> Result<Option<u16>> {
    let joined = NODES
        .iter()
        .find(|node| identity_file(layout, node).exists());
    let Some(node) = joined else { return Ok(None) };
    let endpoint = programs::text(&identity(layout, node)?, "/agent_endpoint")?;
    let port = endpoint
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    port.map(Some)
        .with_context(|| format!("{} dials {endpoint}, which has no port", node.name))
}

fn identity(layout: &Layout, node: &Node) -> Result<Value> {
    let path = identity_file(layout, node);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

fn identity_file(layout: &Layout, node: &Node) -> PathBuf {
    layout.file(&format!("nodes/{}/agent/identity.json", node.name))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::plane::services::Addresses;

    #[test]
    fn a_plane_whose_agents_could_not_find_it_does_not_start_and_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path()).unwrap();
        assert_eq!(dialled_port(&layout).unwrap(), None);
        let squatter = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = squatter.local_addr().unwrap().port();
        let identity = format!(r#"{{"node":"n","agent_endpoint":"https://127.0.0.1:{port}"}}"#);
        let file = format!("nodes/{}/agent/identity.json", NODES[1].name);
        layout.write(&file, &identity).unwrap();

        let refused = format!("{:#}", Addresses::choose(&layout).unwrap_err());
        for part in [&port.to_string(), "agents", "ss -ltnp", "make clean-state"] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
        assert!(
            !layout.file("ports").exists(),
            "no other port was written down"
        );

        drop(squatter);
        assert_eq!(Addresses::choose(&layout).unwrap().port("agents"), port);
    }
}
