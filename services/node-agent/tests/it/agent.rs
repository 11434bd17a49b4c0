//! An agent in this process.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use chrono::DateTime;
use fluxplane_core::{Place, SystemClock, SystemIds};
use fluxplane_flux_chain::address::AddressSpace;
use fluxplane_node_agent::{
    SERVICE,
    app::join::{self, Join, JoinError},
    config::Config,
    domain::Benchmark,
    runtime::Runtime,
    service,
    store::{DataDir, Identity},
};
use fluxplane_platform::{
    Lifecycle,
    config::Span,
    health::Health,
    metrics::Metrics,
    reconciler::TaskBoard,
    runner::{self, Start},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::plane::{Plane, node_key};

pub(crate) const LIMIT: Duration = fluxplane_testkit::PATIENCE;

/// A machine that may join and run an agent.
pub(crate) struct Machine {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) ip: IpAddr,
    pub(crate) probe_port: u16,
}

/// An agent that runs.
pub(crate) struct Agent {
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    drain: CancellationToken,
    running: JoinSet<()>,
}

pub(crate) fn token() -> String {
    format!("fxj_{}", "ab".repeat(32))
}

pub(crate) fn benchmark() -> Benchmark {
    Benchmark {
        threads: 4,
        ram_mib: 8_000,
        disk_gib: 250,
        hash_mib_s: 400,
        disk_write_mib_s: 200,
        measured_at: DateTime::UNIX_EPOCH,
    }
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::at(Ipv4Addr::LOCALHOST)
    }

    /// A machine whose address is `ip`, of the loopback network.
    pub(crate) fn at(ip: Ipv4Addr) -> Self {
        let probe_port = std::net::TcpListener::bind((ip, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Self {
            folder: tempfile::tempdir().unwrap(),
            ip: ip.into(),
            probe_port,
        }
    }

    pub(crate) fn dir(&self) -> DataDir {
        DataDir::open(self.folder.path()).unwrap()
    }

    pub(crate) fn request(&self, plane: &Plane) -> Join {
        Join {
            token: token(),
            plane: plane.url(),
            ca_pem: plane.ca_pem.clone(),
            collateral: format!("{}:1", "11".repeat(32)).parse().unwrap(),
            node_key_wif: node_key().to_wif(AddressSpace::Main),
            ip: self.ip,
            static_ip: true,
            place: Place {
                continent: "EU".to_owned(),
                country: "DE".to_owned(),
                region: "Bavaria".to_owned(),
            },
            probe_port: self.probe_port,
            force: false,
        }
    }

    pub(crate) async fn join(&self, plane: &Plane) -> Identity {
        self.try_join(self.request(plane)).await.unwrap()
    }

    pub(crate) async fn try_join(&self, request: Join) -> Result<Identity, JoinError> {
        join::join(&self.dir(), &SystemClock, request, benchmark()).await
    }

    /// Starts the agent on an engine, with short pauses.
    pub(crate) async fn start(&self, runtime: Arc<dyn Runtime>) -> Agent {
        self.start_with(runtime, |_| {}).await
    }

    pub(crate) async fn start_with(
        &self,
        runtime: Arc<dyn Runtime>,
        change: impl FnOnce(&mut Config),
    ) -> Agent {
        let mut config: Config = runner::load(SERVICE, None).unwrap();
        let millis = |ms| Span(Duration::from_millis(ms));
        self.folder.path().clone_into(&mut config.data_dir);
        config.health.interval_until_healthy = millis(100);
        config.health.interval = millis(300);
        config.health.timeout = millis(1_000);
        config.health.start_grace = millis(1_000);
        config.runtime.stop_grace = millis(2_000);
        config.restart.first = millis(100);
        config.restart.longest = millis(200);
        config.retry.first = millis(100);
        config.retry.longest = millis(200);
        change(&mut config);
        let health = Health::default();
        let metrics = Metrics::new(SERVICE.name, SERVICE.version);
        let start = Start {
            service: SERVICE,
            config,
            lifecycle: Lifecycle::new(health.clone(), Duration::ZERO, Duration::from_secs(10)),
            health: health.clone(),
            metrics: metrics.clone(),
            tasks: TaskBoard::default(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        let lifecycle = service::start_on(start, runtime).await.unwrap();
        let drain = lifecycle.drain();
        let mut running = JoinSet::new();
        running.spawn(async move {
            lifecycle.run().await.unwrap();
        });
        Agent {
            metrics,
            health,
            drain,
            running,
        }
    }
}

impl Agent {
    /// Stops the agent and waits until it has ended.
    pub(crate) async fn stop(mut self) {
        self.drain.cancel();
        self.running.join_next().await.unwrap().unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.drain.cancel();
    }
}
