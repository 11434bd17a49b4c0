//! A scheduler in this process, and everybody it talks to.

pub(crate) mod agents;
pub(crate) mod bus;
pub(crate) mod private;
pub(crate) mod spec;
pub(crate) mod wallet;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use fluxplane_core::{Clock, FixedClock, IdSource as _, SystemClock, SystemIds};
use fluxplane_platform::{
    Lifecycle,
    config::Span,
    db::PLATFORM_MIGRATIONS,
    grpc::{self, Client},
    health::Health,
    metrics::Metrics,
    reconciler::TaskBoard,
    runner::{self, Start},
    tls::{Credentials, development},
};
use fluxplane_proto::{
    common::v1::Caller,
    scheduler::v1::{
        App, AppState, CancelAppRequest, Funding, GetAppRequest, Instance, InstanceState,
        ListInstancesRequest, SignedSpec, SubmitAppRequest, TimelineEntry, UpdateAppRequest,
        WatchTimelineRequest, app_service_client::AppServiceClient,
        secret_service_client::SecretServiceClient,
    },
};
use fluxplane_scheduler::{SERVICE, STORE, config::Config, service};
use fluxplane_testkit::{Nats, PATIENCE, TestDb, eventually, free_address};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use self::{agents::Agents, bus::Bus, wallet::Wallet};

/// Longer than anything here takes; a test that needs it has failed.
pub(crate) const LIMIT: Duration = PATIENCE;

/// A running scheduler and everything it needs.
pub(crate) struct Plane {
    pub(crate) db: TestDb,
    pub(crate) bus: Bus,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    config: Config,
    /// The process, so to speak; gone after [`Plane::stop`].
    process: Option<Process>,
    pki: tempfile::TempDir,
    /// They act as long as the plane is there.
    machines: Mutex<Vec<Agents>>,
    _nats: Nats,
}

struct Process {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Plane {
    pub(crate) async fn start() -> Self {
        Self::start_with(Arc::new(SystemClock), |_| {}).await
    }

    /// A plane whose time moves only when told to.
    pub(crate) async fn at_rest() -> (Self, FixedClock) {
        let clock = FixedClock::at(SystemClock.now());
        let plane = Self::start_with(Arc::new(clock.clone()), |_| {}).await;
        (plane, clock)
    }

    pub(crate) async fn start_with(
        clock: Arc<dyn Clock>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut plane = Self::prepare(clock).await;
        change(&mut plane.config);
        plane.boot().await;
        plane
    }

    /// Everything but the scheduler itself.
    pub(crate) async fn prepare(clock: Arc<dyn Clock>) -> Self {
        let db = TestDb::new("scheduler", &[&PLATFORM_MIGRATIONS, STORE.migrations])
            .await
            .unwrap();
        let nats = Nats::start().await.unwrap();
        let pki = tempfile::tempdir().unwrap();
        development::ensure(
            pki.path(),
            &["gateway", "billing", "node-registry", "scheduler"],
            SystemClock.now(),
        )
        .unwrap();
        let config = config(&db, &nats, &pki);
        Self {
            bus: Bus::connect(&nats).await,
            db,
            clock,
            metrics: Metrics::new(SERVICE.name, SERVICE.version),
            config,
            process: None,
            pki,
            machines: Mutex::default(),
            _nats: nats,
        }
    }

    /// Starts the scheduler; again after [`Plane::stop`].
    pub(crate) async fn boot(&mut self) {
        let health = Health::default();
        let start = Start {
            service: SERVICE,
            config: self.config.clone(),
            lifecycle: Lifecycle::new(health.clone(), Duration::ZERO, Duration::from_secs(5)),
            health,
            metrics: self.metrics.clone(),
            tasks: TaskBoard::default(),
            clock: Arc::clone(&self.clock),
            ids: Arc::new(SystemIds),
        };
        let lifecycle = service::start(start).await.unwrap();
        let drain = lifecycle.drain();
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(async move {
            lifecycle.run().await.unwrap();
        });
        let end = stop.clone();
        tasks.spawn(async move {
            end.cancelled().await;
            drain.cancel();
        });
        self.process = Some(Process { stop, tasks });
    }

    /// Stops the scheduler as SIGTERM does, and waits until it has ended.
    pub(crate) async fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        process.stop.cancel();
        while process.tasks.join_next().await.is_some() {}
    }

    pub(crate) fn client(&self) -> AppServiceClient<Client> {
        self.client_as("gateway")
    }

    /// The file with the root keys.
    pub(crate) fn root_keys(&self) -> std::path::PathBuf {
        self.pki.path().join(development::ROOT_KEYS)
    }

    pub(crate) fn secrets_as(&self, service: &str) -> SecretServiceClient<Client> {
        SecretServiceClient::new(self.connect_as(service))
    }

    pub(crate) fn client_as(&self, service: &str) -> AppServiceClient<Client> {
        AppServiceClient::new(self.connect_as(service))
    }

    fn connect_as(&self, service: &str) -> Client {
        let peer = fluxplane_platform::config::Peer {
            endpoint: format!("https://{}", self.config.grpc.listen),
            timeout: Span(Duration::from_secs(10)),
        };
        let credentials = credentials(&self.pki, service);
        grpc::client::connect(&peer, &credentials).unwrap()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.now().timestamp_millis()).unwrap()
    }

    /// Submits a specification with everything right about it.
    pub(crate) async fn submit(&self, wallet: &Wallet, spec: &str) -> Result<App, Status> {
        let request = self.submission(wallet, spec);
        let answer = self.client().submit_app(request).await?;
        Ok(answer.into_inner().app.unwrap())
    }

    pub(crate) fn submission(&self, wallet: &Wallet, spec: &str) -> SubmitAppRequest {
        let signed = wallet.sign_spec("fluxappregister", spec, self.now_ms());
        submission(wallet, signed)
    }

    pub(crate) async fn update(
        &self,
        wallet: &Wallet,
        name: &str,
        spec: &str,
    ) -> Result<App, Status> {
        let version = self.app(wallet, name).await.version;
        let signed = wallet.sign_spec("fluxappupdate", spec, self.now_ms());
        let request = UpdateAppRequest {
            caller: Some(caller(wallet)),
            idempotency_key: key(),
            name: name.to_owned(),
            expected_version: version,
            signed_spec: Some(signed),
            quote_id: "quote-2".to_owned(),
            funding: Funding::Balance.into(),
        };
        let answer = self.client().update_app(request).await?;
        Ok(answer.into_inner().app.unwrap())
    }

    pub(crate) async fn cancel(&self, wallet: &Wallet, name: &str) -> Result<App, Status> {
        let version = self.app(wallet, name).await.version;
        let request = CancelAppRequest {
            caller: Some(caller(wallet)),
            idempotency_key: key(),
            name: name.to_owned(),
            expected_version: version,
        };
        let answer = self.client().cancel_app(request).await?;
        Ok(answer.into_inner().app.unwrap())
    }

    pub(crate) async fn find(&self, wallet: &Wallet, name: &str) -> Result<App, Status> {
        let request = GetAppRequest {
            caller: Some(caller(wallet)),
            name: name.to_owned(),
        };
        let answer = self.client().get_app(request).await?;
        Ok(answer.into_inner().app.unwrap())
    }

    pub(crate) async fn app(&self, wallet: &Wallet, name: &str) -> App {
        self.find(wallet, name).await.unwrap()
    }

    /// Waits until an application is in a state.
    pub(crate) async fn until(&self, wallet: &Wallet, name: &str, state: AppState) -> App {
        self.until_app(wallet, name, |app| app.state() == state)
            .await
    }

    pub(crate) async fn until_app(
        &self,
        wallet: &Wallet,
        name: &str,
        wanted: impl Fn(&App) -> bool,
    ) -> App {
        eventually(LIMIT, async || {
            let app = self.app(wallet, name).await;
            if wanted(&app) {
                Ok(app)
            } else {
                Err((app.state(), app.state_reason))
            }
        })
        .await
    }

    pub(crate) async fn instances(
        &self,
        wallet: &Wallet,
        name: &str,
        ended: bool,
    ) -> Vec<Instance> {
        let request = ListInstancesRequest {
            caller: Some(caller(wallet)),
            name: name.to_owned(),
            include_ended: ended,
        };
        let answer = self.client().list_instances(request).await.unwrap();
        answer.into_inner().instances
    }

    /// Waits until the instances of an application are as wanted.
    pub(crate) async fn until_instances(
        &self,
        wallet: &Wallet,
        name: &str,
        wanted: impl Fn(&[Instance]) -> bool,
    ) -> Vec<Instance> {
        eventually(LIMIT, async || {
            let instances = self.instances(wallet, name, true).await;
            if wanted(&instances) {
                Ok(instances)
            } else {
                Err(brief(&instances))
            }
        })
        .await
    }

    /// The timeline as it is now.
    pub(crate) async fn timeline(&self, wallet: &Wallet, name: &str) -> Vec<TimelineEntry> {
        let request = WatchTimelineRequest {
            caller: Some(caller(wallet)),
            name: name.to_owned(),
            after_sequence: 0,
            no_follow: true,
        };
        let mut stream = self
            .client()
            .watch_timeline(request)
            .await
            .unwrap()
            .into_inner();
        let mut entries = Vec::new();
        while let Some(entry) = stream.message().await.unwrap() {
            entries.push(entry);
        }
        entries
    }

    pub(crate) async fn stages(&self, wallet: &Wallet, name: &str) -> Vec<String> {
        let entries = self.timeline(wallet, name).await;
        entries.into_iter().map(|entry| entry.stage).collect()
    }

    /// Waits until a stage is in the timeline.
    pub(crate) async fn until_stage(
        &self,
        wallet: &Wallet,
        name: &str,
        stage: &str,
    ) -> TimelineEntry {
        eventually(LIMIT, async || {
            let entries = self.timeline(wallet, name).await;
            let found = entries.iter().rev().find(|entry| entry.stage == stage);
            found.cloned().ok_or_else(|| {
                entries
                    .iter()
                    .map(|entry| entry.stage.clone())
                    .collect::<Vec<_>>()
            })
        })
        .await
    }

    /// Submits, pays, and waits until all instances run.
    pub(crate) async fn deploy(&self, wallet: &Wallet, spec: &str) -> App {
        let app = self.submit(wallet, spec).await.unwrap();
        self.bus
            .fund(app.current.as_ref().unwrap(), self.in_days(30))
            .await;
        self.until(wallet, &app.name, AppState::Running).await
    }

    pub(crate) fn in_days(&self, days: i64) -> DateTime<Utc> {
        self.clock.now() + chrono::TimeDelta::days(days)
    }

    /// Machines that do as they are told. The scheduler knows all of them when this returns.
    pub(crate) async fn agents(&self, nodes: u8) -> Agents {
        let agents = Agents::start(&self.bus).await;
        for n in 1..=nodes {
            agents.join(n).await;
        }
        self.machines.lock().unwrap().push(agents.clone());
        eventually(LIMIT, async || {
            let known = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM node"#);
            match known.fetch_one(&self.db.pool).await.unwrap() {
                known if known == i64::from(nodes) => Ok(()),
                known => Err(known),
            }
        })
        .await;
        agents
    }
}

pub(crate) fn brief(instances: &[Instance]) -> Vec<(u32, InstanceState, u32, String)> {
    let brief = |i: &Instance| (i.slot, i.state(), i.revision_number, i.reason.clone());
    instances.iter().map(brief).collect()
}

pub(crate) fn submission(wallet: &Wallet, signed: SignedSpec) -> SubmitAppRequest {
    SubmitAppRequest {
        caller: Some(caller(wallet)),
        idempotency_key: key(),
        signed_spec: Some(signed),
        quote_id: "quote-1".to_owned(),
        funding: Funding::Balance.into(),
        published: false,
    }
}

pub(crate) fn caller(wallet: &Wallet) -> Caller {
    Caller {
        principal: wallet.id.clone(),
        request_id: String::new(),
    }
}

pub(crate) fn key() -> String {
    SystemIds.next().to_string()
}

fn credentials(pki: &tempfile::TempDir, name: &str) -> Credentials {
    Credentials::load(&fluxplane_platform::config::Tls {
        ca_file: pki.path().join("ca.pem"),
        cert_file: pki.path().join(format!("{name}.pem")),
        key_file: pki.path().join(format!("{name}.key")),
    })
    .unwrap()
}

fn config(db: &TestDb, nats: &Nats, pki: &tempfile::TempDir) -> Config {
    let mut config: Config = runner::load(SERVICE, None).unwrap();
    let options = db.options();
    config.db = fluxplane_platform::config::Db {
        host: options.get_host().to_owned(),
        port: options.get_port(),
        database: options.get_database().unwrap().to_owned(),
        user: options.get_username().to_owned(),
        ..config.db
    };
    config.nats.url.clone_from(&nats.url);
    config.tls.ca_file = pki.path().join("ca.pem");
    config.tls.cert_file = pki.path().join("scheduler.pem");
    config.tls.key_file = pki.path().join("scheduler.key");
    config.private.root_keys_file = pki.path().join(development::ROOT_KEYS);
    config.private.upkeep_period = Span(Duration::from_millis(100));
    config.grpc.listen = free_address();
    config.placement.period = Span(Duration::from_millis(100));
    config.placement.retry = Span(Duration::from_millis(300));
    config
}
