//! The whole service in this process, with everything around it real but the daemon.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use fluxplane_chain_indexer::{SERVICE, STORE, config::Config, service};
use fluxplane_core::{Clock as _, SystemClock, SystemIds};
use fluxplane_platform::{
    Lifecycle,
    config::{Secret, Span, Tls},
    db::PLATFORM_MIGRATIONS,
    grpc::{self, Client},
    health::Health,
    metrics::Metrics,
    reconciler::TaskBoard,
    runner::Start,
    tls::{Credentials, development},
};
use fluxplane_proto::chain_indexer::v1::chain_service_client::ChainServiceClient;
use fluxplane_testkit::{Nats, TestDb, free_address};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    daemon::{Daemon, PASSWORD, USER},
    follower::config,
};

/// Longest wait for something to happen.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Certificates, database and bus for a service, in this process or another.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) db: TestDb,
    pub(crate) nats: Nats,
    pub(crate) pki: tempfile::TempDir,
}

impl Ground {
    /// An empty database.
    pub(crate) async fn database() -> TestDb {
        let migrators = [&PLATFORM_MIGRATIONS, STORE.migrations];
        TestDb::new(STORE.schema, &migrators).await.unwrap()
    }

    pub(crate) async fn new() -> Self {
        let pki = tempfile::tempdir().unwrap();
        let services = ["chain-indexer", "gateway", "validator", "stranger"];
        development::ensure(pki.path(), &services, SystemClock.now()).unwrap();
        Self {
            db: Self::database().await,
            nats: Nats::start().await.unwrap(),
            pki,
        }
    }

    pub(crate) fn tls(&self, name: &str) -> Tls {
        Tls {
            ca_file: self.pki.path().join("ca.pem"),
            cert_file: self.pki.path().join(format!("{name}.pem")),
            key_file: self.pki.path().join(format!("{name}.key")),
        }
    }

    /// The configuration of a service on this ground.
    pub(crate) fn config(&self, daemon: &Daemon) -> Config {
        self.config_for(&daemon.url())
    }

    /// The configuration of a service on this ground, for a daemon at `url`.
    pub(crate) fn config_for(&self, url: &str) -> Config {
        let mut config = config();
        let options = self.db.options();
        config.db = fluxplane_platform::config::Db {
            host: options.get_host().to_owned(),
            port: options.get_port(),
            database: options.get_database().unwrap().to_owned(),
            user: options.get_username().to_owned(),
            ..config.db
        };
        config.nats.url.clone_from(&self.nats.url);
        config.tls = self.tls("chain-indexer");
        config.grpc.listen = free_address();
        url.clone_into(&mut config.rpc.url);
        USER.clone_into(&mut config.rpc.user);
        config.rpc.password = Secret::new(PASSWORD);
        config.follow.poll_interval = Span(Duration::from_millis(20));
        config
    }

    pub(crate) fn client(&self, address: SocketAddr, name: &str) -> ChainServiceClient<Client> {
        let peer = fluxplane_platform::config::Peer {
            endpoint: format!("https://{address}"),
            timeout: Span(Duration::from_secs(5)),
        };
        let credentials = Credentials::load(&self.tls(name)).unwrap();
        ChainServiceClient::new(grpc::client::connect(&peer, &credentials).unwrap())
    }
}

/// A running service.
pub(crate) struct Running {
    pub(crate) ground: Ground,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Running {
    pub(crate) async fn start(daemon: &Daemon) -> Self {
        let ground = Ground::new().await;
        let config = ground.config(daemon);
        Self::with(ground, config).await.unwrap()
    }

    pub(crate) async fn with(ground: Ground, config: Config) -> anyhow::Result<Self> {
        let address = config.grpc.listen;
        let (health, metrics) = (
            Health::default(),
            Metrics::new(SERVICE.name, SERVICE.version),
        );
        let start = Start {
            service: SERVICE,
            config,
            lifecycle: Lifecycle::new(health.clone(), Duration::ZERO, Duration::from_secs(5)),
            health: health.clone(),
            metrics: metrics.clone(),
            tasks: TaskBoard::default(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        let lifecycle = service::start(start).await?;
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        let drain = lifecycle.drain();
        tasks.spawn(async move {
            lifecycle.run().await.unwrap();
        });
        let end = stop.clone();
        tasks.spawn(async move {
            end.cancelled().await;
            drain.cancel();
        });
        Ok(Self {
            ground,
            health,
            metrics,
            address,
            stop,
            _tasks: tasks,
        })
    }

    pub(crate) fn client(&self, name: &str) -> ChainServiceClient<Client> {
        self.ground.client(self.address, name)
    }
}
