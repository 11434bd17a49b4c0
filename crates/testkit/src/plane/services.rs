//! The services of a plane on one machine: their ports, their configuration files, their identities.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{
    chain::{Account, RPC_USER},
    database::DATABASE,
    layout::Layout,
    nodes::{self, NODES},
    ports::Ports,
};

/// A service as this launcher sees it.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    pub name: &'static str,
    /// Its role in Postgres, which is also its schema.
    role: &'static str,
    /// Preferred port for other services; the gateway's is for everybody.
    port: u16,
    /// Preferred port of its admin listener.
    admin: u16,
    nats: bool,
}

/// In the order of their start.
pub const SERVICES: [Service; 6] = [
    Service {
        name: "chain-indexer",
        role: "indexer",
        port: 7010,
        admin: 7011,
        nats: true,
    },
    Service {
        name: "node-registry",
        role: "registry",
        port: 7020,
        admin: 7021,
        nats: true,
    },
    Service {
        name: "scheduler",
        role: "scheduler",
        port: 7030,
        admin: 7031,
        nats: true,
    },
    Service {
        name: "billing",
        role: "billing",
        port: 7040,
        admin: 7041,
        nats: true,
    },
    Service {
        name: "validator",
        role: "validator",
        port: 7050,
        admin: 7051,
        nats: true,
    },
    Service {
        name: "gateway",
        role: "gateway",
        port: 7000,
        admin: 7001,
        nats: false,
    },
];

/// Preferred ports of what is not a service.
const OTHERS: [(&str, u16); 5] = [
    ("postgres", 7060),
    ("nats", 7061),
    ("devnet-rpc", 7062),
    ("devnet-zmq", 7063),
    (AGENTS, 7443),
];

/// Where agents dial the registry. Each remembers it from its joining.
const AGENTS: &str = "agents";

/// Where everything listens on 127.0.0.1. Names are those of services, of nodes and of what else listens; the admin listener
/// of a service or a node's agent has `-admin` behind.
#[derive(Debug, Clone)]
pub struct Addresses(BTreeMap<String, u16>);

impl Addresses {
    /// Takes the ports of the last run where they are free, else any; but where agents dial must stay what it was.
    pub fn choose(layout: &Layout) -> Result<Self> {
        let mut ports = Ports::load(&layout.file("ports"))?;
        let mut chosen = BTreeMap::new();
        if let Some(port) = nodes::dialled_port(layout)? {
            ports.fix(AGENTS, port).with_context(|| {
                format!(
                    "the agents of this plane dial 127.0.0.1:{port}, as they were told when they joined; end the program that \
                     holds it (`ss -ltnp 'sport = :{port}'` shows which) and start again, or forget this plane and its nodes by \
                     removing {} (`make clean-state` for the usual folder)",
                    layout.root().display()
                )
            })?;
        }
        let services = SERVICES.iter().flat_map(|service| {
            [
                (service.name.to_owned(), service.port),
                (format!("{}-admin", service.name), service.admin),
            ]
        });
        let agents = NODES.map(|node| (format!("{}-admin", node.name), node.admin));
        let others = OTHERS.map(|(name, port)| (name.to_owned(), port));
        for (name, preferred) in services.chain(agents).chain(others) {
            let port = ports.get(&name, preferred)?;
            chosen.insert(name, port);
        }
        ports.save()?;
        Ok(Self(chosen))
    }

    /// The port of a listener. Panics when nothing has that name.
    pub fn port(&self, name: &str) -> u16 {
        match self.0.get(name) {
            Some(port) => *port,
            None => panic!("nothing is called `{name}`; there are {:?}", self.0.keys()),
        }
    }

    /// `http://…` of a listener.
    pub fn http(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}", self.port(name))
    }

    /// Admin listeners of all services.
    pub fn admin_urls(&self) -> Vec<String> {
        let admin = |service: &Service| self.http(&format!("{}-admin", service.name));
        SERVICES.iter().map(admin).collect()
    }
}

/// What the configuration of the services depends on.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub layout: &'a Layout,
    pub addresses: &'a Addresses,
    /// What the chain says its followers must configure.
    pub params: &'a Value,
    /// Who is paid for applications.
    pub treasury: &'a Account,
    /// Who pays for anchors.
    pub anchorer: &'a Account,
    /// Wallet address of the administrator.
    pub admin: &'a str,
    /// Where traces go; empty for nowhere.
    pub otlp_endpoint: &'a str,
    pub pace: Pace,
}

/// How fast a plane notices and settles. Production uses the services' own defaults.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between blocks, milliseconds.
    pub block_ms: u32,
    /// Between the heartbeats of a node, milliseconds.
    pub heartbeat_ms: u32,
    /// Between usage reports of a node, milliseconds.
    pub usage_ms: u32,
    /// Length of a settlement epoch, seconds.
    pub epoch_s: u32,
}

impl Pace {
    /// For people who watch.
    pub const DEMO: Self = Self {
        block_ms: 1_000,
        heartbeat_ms: 2_000,
        usage_ms: 5_000,
        epoch_s: 3_600,
    };

    /// For tests, which wait for conditions and not for time.
    pub const TEST: Self = Self {
        block_ms: 200,
        heartbeat_ms: 1_000,
        usage_ms: 2_000,
        epoch_s: 3_600,
    };
}

impl Facts<'_> {
    /// Writes the configuration of a service. Returns where.
    pub(crate) fn write(&self, service: &Service) -> Result<PathBuf> {
        let mut text = self.common(service)?;
        match service.name {
            "chain-indexer" => self.chain_indexer(&mut text)?,
            "node-registry" => self.node_registry(&mut text)?,
            "scheduler" => self.scheduler(&mut text)?,
            "billing" => {
                self.peer(&mut text, "scheduler")?;
                self.billing(&mut text)?;
            }
            "validator" => self.validator(&mut text)?,
            "gateway" => self.gateway(&mut text)?,
            _ => {}
        }
        let file = format!("config/{}.toml", service.name);
        self.layout.write(&file, &text)
    }

    fn common(&self, service: &Service) -> Result<String> {
        let Service { name, role, .. } = *service;
        let pki = self.layout.dir("pki")?;
        let (password, _) = self.layout.secret(&format!("db-{role}"))?;
        let mut text = format!(
            r#"# Written by the launcher at every start.
[base.admin]
listen = "127.0.0.1:{admin}"
[base.telemetry]
otlp_endpoint = "{otlp}"
[db]
port = {postgres}
database = "{DATABASE}"
user = "{role}"
password = {{ file = "{password}" }}
[tls]
ca_file = "{pki}/ca.pem"
cert_file = "{pki}/{name}.pem"
key_file = "{pki}/{name}.key"
"#,
            admin = self.addresses.port(&format!("{name}-admin")),
            otlp = self.otlp_endpoint,
            postgres = self.addresses.port("postgres"),
            password = password.display(),
            pki = pki.display(),
        );
        let port = self.addresses.port(name);
        if name == "gateway" {
            for peer in SERVICES.iter().filter(|peer| peer.name != "gateway") {
                self.peer(&mut text, peer.name)?;
            }
        } else {
            writeln!(text, "[grpc]\nlisten = \"127.0.0.1:{port}\"")?;
        }
        if service.nats {
            let nats = self.addresses.port("nats");
            writeln!(text, "[nats]\nurl = \"nats://127.0.0.1:{nats}\"")?;
        }
        Ok(text)
    }

    fn peer(&self, text: &mut String, name: &str) -> Result<()> {
        let section = name.replace('-', "_");
        let port = self.addresses.port(name);
        writeln!(text, "[{section}]\nendpoint = \"https://127.0.0.1:{port}\"")?;
        Ok(())
    }

    fn chain_indexer(&self, text: &mut String) -> Result<()> {
        let rules = self.params.as_object().context("no chain parameters")?;
        let described = ["network", "genesis_hash"];
        let rules = rules
            .iter()
            .filter(|(key, value)| !described.contains(&key.as_str()) && !value.is_null());
        writeln!(text, "[chain]\nnetwork = \"devnet\"\n[chain.devnet]")?;
        for (key, value) in rules {
            writeln!(text, "{key} = {value}")?;
        }
        let (password, _) = self.layout.secret("devnet-rpc")?;
        write!(
            text,
            r#"[rpc]
url = "{url}"
user = "{RPC_USER}"
password = {{ file = "{password}" }}
[zmq]
endpoint = "tcp://127.0.0.1:{zmq}"
[payments]
addresses = [{{ address = "{treasury}" }}]
"#,
            url = self.addresses.http("devnet-rpc"),
            password = password.display(),
            zmq = self.addresses.port("devnet-zmq"),
            treasury = self.treasury.address,
        )?;
        Ok(())
    }

    fn node_registry(&self, text: &mut String) -> Result<()> {
        self.peer(text, "chain-indexer")?;
        self.peer(text, "scheduler")?;
        let pki = self.layout.dir("pki")?;
        let agents = self.addresses.port(AGENTS);
        write!(
            text,
            r#"[agents]
listen = "127.0.0.1:{agents}"
advertised = "https://127.0.0.1:{agents}"
heartbeat_interval = "{heartbeat}ms"
usage_interval = "{usage}ms"
[liveness]
probe_timeout = "500ms"
[node_ca]
cert_file = "{pki}/node-ca.pem"
key_file = "{pki}/node-ca.key"
"#,
            heartbeat = self.pace.heartbeat_ms,
            usage = self.pace.usage_ms,
            pki = pki.display(),
        )?;
        Ok(())
    }

    fn scheduler(&self, text: &mut String) -> Result<()> {
        let root_keys = self.layout.dir("pki")?.join("root-keys");
        let root_keys = root_keys.display();
        writeln!(text, "[private]\nroot_keys_file = \"{root_keys}\"")?;
        Ok(())
    }

    fn billing(&self, text: &mut String) -> Result<()> {
        /// Rules and prices change with the height of mainnet, which the development chain is far below.
        const YOUNG_BY: u32 = 3_200_000;
        write!(
            text,
            r#"[quotes]
payment_address = "{treasury}"
height_offset = {YOUNG_BY}
[payments]
credit_confirmations = 1
[epochs]
length = "{epoch}s"
grace = "{grace}ms"
"#,
            treasury = self.treasury.address,
            epoch = self.pace.epoch_s,
            grace = 2 * self.pace.usage_ms,
        )?;
        Ok(())
    }

    fn validator(&self, text: &mut String) -> Result<()> {
        self.peer(text, "billing")?;
        let (password, _) = self.layout.secret("devnet-rpc")?;
        let wif = self
            .layout
            .write("secrets/anchor-wif", &self.anchorer.wif)?;
        write!(
            text,
            r#"[daemon]
url = "{url}"
user = "{RPC_USER}"
password = {{ file = "{password}" }}
network = "devnet"
[anchors]
wif = {{ file = "{wif}" }}
poll = "1s"
"#,
            url = self.addresses.http("devnet-rpc"),
            password = password.display(),
            wif = wif.display(),
        )?;
        Ok(())
    }

    fn gateway(&self, text: &mut String) -> Result<()> {
        write!(
            text,
            "[rest]\nlisten = \"127.0.0.1:{}\"\nadmins = [\"{}\"]\n",
            self.addresses.port("gateway"),
            self.admin
        )?;
        Ok(())
    }
}

/// Programs and their arguments that bring a service's schema up to date and run it.
pub(crate) fn arguments(config: &Path, verb: &str) -> Vec<String> {
    vec![
        "--config".to_owned(),
        config.display().to_string(),
        verb.to_owned(),
    ]
}
