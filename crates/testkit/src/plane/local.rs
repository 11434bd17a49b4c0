//! A whole plane as processes of this machine, in one folder.
//!
//! Everything listens on loopback addresses. State is kept in the folder; whatever was started is stopped when the plane
//! is, and nothing else.

use std::{fs::File, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

use super::{
    chain::{Account, Chain, RPC_USER},
    ctl::{Ctl, Wallet},
    database,
    engine::Engine,
    layout::Layout,
    nodes::{self, Joining, NODES, Node},
    poll,
    programs::Programs,
    report::{Report, Step},
    services::{self, Addresses, Facts, Pace, SERVICES},
    supervisor::{Program, Supervisor},
};
use crate::{Durability, Nats, Postgres, process};

/// How long all services may take to be ready together; the first start also migrates.
const READY_LIMIT: Duration = Duration::from_mins(2);

/// How long a node may take from its agent's start to taking work.
const NODE_LIMIT: Duration = Duration::from_mins(1);

/// How a plane is started.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// Folder of its state.
    pub dir: &'a Path,
    pub programs: Programs,
    pub pace: Pace,
    pub durability: Durability,
    /// Where traces go; empty for nowhere.
    pub otlp_endpoint: String,
    /// Third part of the nodes' addresses, which planes that run at the same time must not share.
    pub lane: u8,
    /// Ends whatever is waited for.
    pub stop: CancellationToken,
}

/// A running plane.
#[derive(Debug)]
pub struct LocalPlane {
    pub layout: Layout,
    pub addresses: Addresses,
    pub chain: Chain,
    pub engine: Engine,
    /// Calls of nobody in particular.
    pub ctl: Ctl,
    /// May close epochs.
    pub admin: Wallet,
    supervisor: Supervisor,
    programs: Programs,
    otlp_endpoint: String,
    lane: u8,
    // Dropped in this order: who uses a server ends before it.
    _nats: Nats,
    postgres: Postgres,
    _lock: File,
}

impl LocalPlane {
    /// Starts everything and returns when all nodes take work.
    pub async fn start(options: Options<'_>, report: &dyn Report) -> Result<Self> {
        let layout = Layout::new(options.dir)?;
        let lock = layout.lock()?;
        let addresses = Addresses::choose(&layout)?;

        // First, because it is what a machine lacks most often.
        let step = Step::begin(report, "container engine");
        let engine = Engine::start(&layout.dir("podman")?).await?;
        step.done(engine.name());

        let step = Step::begin(report, "Postgres and NATS");
        let (postgres, nats) = servers(&layout, &addresses, options.durability).await?;
        database::bootstrap(&layout, &postgres.url()).await?;
        step.done(&format!(
            "ports {} and {}",
            postgres.port,
            addresses.port("nats")
        ));

        let mut supervisor = Supervisor::new(&layout.dir("logs")?)?;
        let step = Step::begin(report, "development chain");
        let chain = start_chain(
            &layout,
            &addresses,
            &options.programs,
            options.pace,
            &mut supervisor,
            &options.stop,
        )?;
        step.done(&format!("{}, height {}", chain.rpc_url, chain.height()?));

        let ctl = Ctl::new(&layout, &chain, addresses.http("gateway"), options.stop);
        let admin = ctl.wallet("admin")?;
        let mut plane = Self {
            layout,
            addresses,
            chain,
            engine,
            ctl,
            admin,
            supervisor,
            programs: options.programs,
            otlp_endpoint: options.otlp_endpoint,
            lane: options.lane,
            _nats: nats,
            postgres,
            _lock: lock,
        };
        let step = Step::begin(report, "services");
        plane.start_services(options.pace)?;
        plane.wait_until_ready()?;
        step.done(&SERVICES.map(|service| service.name).join(", "));

        let step = Step::begin(report, "nodes");
        plane.start_nodes()?;
        step.done("5 ready: 2 Cumulus, 2 Nimbus, 1 Stratus");
        Ok(plane)
    }

    fn start_services(&mut self, pace: Pace) -> Result<()> {
        let pki = self.layout.dir("pki")?.display().to_string();
        self.ctl.json(&["admin", "pki", "init", "--dir", &pki])?;
        let facts = Facts {
            layout: &self.layout,
            addresses: &self.addresses,
            params: &self.chain.params()?,
            treasury: &self.chain.account("account-9")?,
            anchorer: &self.anchorer()?,
            admin: &self.admin.id,
            otlp_endpoint: &self.otlp_endpoint,
            pace,
        };
        for service in &SERVICES {
            let config = facts.write(service)?;
            let mut migrate = self.programs.command(service.name);
            process::read(migrate.args(services::arguments(&config, "migrate")))?;
            self.supervisor.start(Program {
                name: service.name.to_owned(),
                path: self.programs.path(service.name),
                args: services::arguments(&config, "run"),
                env: Vec::new(),
            })?;
        }
        Ok(())
    }

    /// A key of its own with some small coins, for the validator.
    fn anchorer(&self) -> Result<Account> {
        const COINS_FLUX: &str = "10";
        let wallet = self.ctl.wallet("validator")?;
        let key_file = wallet.key_file.display().to_string();
        let balance = self
            .ctl
            .json(&["wallet", "balance", "--key-file", &key_file])?;
        if balance["coins"] == 0 {
            self.chain.faucet(&wallet.address, COINS_FLUX)?;
        }
        let wif = std::fs::read_to_string(&wallet.key_file)?;
        Ok(Account {
            address: wallet.address,
            wif: wif.trim().to_owned(),
        })
    }

    /// Waits until every service says that it is ready.
    pub fn wait_until_ready(&self) -> Result<()> {
        let urls = self.addresses.admin_urls();
        let mut status = vec!["admin", "status"];
        status.extend(urls.iter().map(String::as_str));
        self.ctl
            .until(READY_LIMIT, &status)
            .map(drop)
            .with_context(|| format!("not all services are ready; see {}/*.log", self.logs()))
    }

    fn start_nodes(&mut self) -> Result<()> {
        let joining = Joining {
            layout: &self.layout,
            programs: &self.programs,
            chain: &self.chain,
            ctl: &self.ctl,
            lane: self.lane,
        };
        for node in &NODES {
            joining.ensure(node)?;
        }
        for node in &NODES {
            self.start_node(node)?;
        }
        self.wait_for_nodes(&NODES)
    }

    /// Starts a node's agent.
    pub fn start_node(&mut self, node: &Node) -> Result<()> {
        self.supervisor.start(nodes::agent(
            &self.layout,
            &self.programs,
            node,
            &self.engine.socket(),
            self.addresses.port(&format!("{}-admin", node.name)),
            &self.otlp_endpoint,
        ))
    }

    /// Waits until these nodes take work.
    pub fn wait_for_nodes(&self, wanted: &[Node]) -> Result<()> {
        let ids: Vec<String> = wanted
            .iter()
            .map(|node| self.node_id(node))
            .collect::<Result<_>>()?;
        let list = ["node", "list", "--state", "ready", "--limit", "100"];
        self.ctl.until_json(NODE_LIMIT, &list, |found| {
            for id in &ids {
                let listed = found["items"].as_array().into_iter().flatten();
                let here = listed.into_iter().any(|node| node["node_id"] == **id);
                anyhow::ensure!(here, "node {id} is not ready");
            }
            Ok(())
        })
    }

    /// Address of a node on this machine.
    pub fn ip(&self, node: &Node) -> String {
        node.ip(self.lane)
    }

    pub fn node_id(&self, node: &Node) -> Result<String> {
        nodes::node_id(&self.layout, node)
    }

    /// Ends a machine as a power cut would: its agent and its containers are gone at once and stay away. Returns how many
    /// containers it had.
    pub async fn cut_power(&mut self, node: &Node) -> Result<usize> {
        // Its containers go first: the agent would report their end.
        self.supervisor.kill_for_good(node.name).await?;
        self.engine.kill_containers(&self.node_id(node)?)
    }

    /// Sends SIGKILL to a service, which its supervisor starts again.
    pub fn kill_service(&self, name: &str) -> Result<()> {
        self.supervisor.kill(name)
    }

    /// What a service, or the agent of a node, exports on its admin listener.
    pub fn metrics(&self, name: &str) -> Result<String> {
        let url = self.addresses.http(&format!("{name}-admin"));
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail"])
            .arg(format!("{url}/metrics"));
        process::read(&mut curl)
    }

    /// Every row of every service, as text; bytes in hexadecimal.
    pub fn dump(&self) -> Result<String> {
        self.postgres.dump(database::DATABASE)
    }

    /// Variables that make a plain `fluxctl` the customer of the demonstration.
    pub fn customer_environment(&self) -> Result<[(&'static str, String); 6]> {
        Ok(self.ctl.wallet("customer")?.ctl().environment())
    }

    /// How often a program was started.
    pub fn starts(&self, name: &str) -> u32 {
        self.supervisor.status(name).starts
    }

    /// Folder of the programs' output.
    pub fn logs(&self) -> String {
        self.layout.file("logs").display().to_string()
    }

    /// Stops everything that was started.
    pub async fn stop(mut self) -> Result<()> {
        self.supervisor.stop_all().await;
        let ids: Vec<String> = NODES
            .iter()
            .filter_map(|node| self.node_id(node).ok())
            .collect();
        self.engine.clear(&ids)
    }
}

async fn servers(
    layout: &Layout,
    addresses: &Addresses,
    durability: Durability,
) -> Result<(Postgres, Nats)> {
    let dir = layout.dir("postgres")?;
    let postgres = Postgres::start_in(&dir, addresses.port("postgres"), durability).await?;
    let dir = layout.dir("nats")?;
    let nats = Nats::start_in(&dir, addresses.port("nats")).await?;
    Ok((postgres, nats))
}

fn start_chain(
    layout: &Layout,
    addresses: &Addresses,
    programs: &Programs,
    pace: Pace,
    supervisor: &mut Supervisor,
    stop: &CancellationToken,
) -> Result<Chain> {
    /// How long it may take to read what it kept.
    const LIMIT: Duration = Duration::from_secs(30);
    let (_, password) = layout.secret("devnet-rpc")?;
    let data = layout.dir("devnet")?.display().to_string();
    let bind = |name: &str| format!("127.0.0.1:{}", addresses.port(name));
    let interval = format!("{}ms", pace.block_ms);
    let arguments = [
        ["--data", &data],
        ["--rpc-bind", &bind("devnet-rpc")],
        ["--zmq-bind", &bind("devnet-zmq")],
        ["--rpc-user", RPC_USER],
        ["--block-interval", &interval],
        // Quick to join: production waits for 100 confirmations of a collateral.
        ["--collateral-depth", "1"],
    ];
    let mut args = vec!["run".to_owned()];
    args.extend(arguments.as_flattened().iter().map(|&word| word.to_owned()));
    supervisor.start(Program {
        name: "devnet".to_owned(),
        path: programs.path("devnet"),
        args,
        env: vec![("DEVNET_RPC_PASSWORD".to_owned(), password.clone())],
    })?;
    let chain = Chain {
        programs: programs.clone(),
        rpc_url: addresses.http("devnet-rpc"),
        password,
    };
    poll::until(stop, LIMIT, || chain.height()).context("the chain does not answer")?;
    Ok(chain)
}
