//! Billing in this process, with a clock that stands still until it is told to move.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::{self, consumer::pull};
use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_billing::{
    SERVICE, STORE, app,
    config::{Config, SourceConfig},
    metrics::BillingMetrics,
    service,
};
use fluxplane_core::{Clock as _, FixedClock, IdSource as _, SystemIds};
use fluxplane_platform::{
    Lifecycle, bus,
    config::{Peer, Span},
    db::PLATFORM_MIGRATIONS,
    grpc::{self, Client},
    health::Health,
    metrics::Metrics,
    reconciler::TaskBoard,
    runner::{self, Start},
    tls::{Credentials, development},
};
use fluxplane_proto::{
    Event,
    billing::v1::{self as wire, GetAccountResponse, billing_service_client::BillingServiceClient},
    common::v1::Caller,
};
use fluxplane_testkit::{Nats, PATIENCE, TestDb, eventually, free_address};
use futures::StreamExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::scheduler::Scheduler;

/// Longer than anything a healthy plane takes.
pub(crate) const LIMIT: Duration = PATIENCE;

/// When every test begins, in seconds since 1970: ten minutes past a full hour.
pub(crate) const START: u64 = 1_800_000_600;

/// Height of the first block, and what is added before the rules of FluxOS are applied: the height of the fixtures' prices.
pub(crate) const FIRST_HEIGHT: u32 = 100;
pub(crate) const PRICED_AT: u64 = 2_250_000;

/// Confirmations at which a payment is money in these tests.
pub(crate) const CREDIT: u32 = 3;

pub(crate) fn time(seconds: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(seconds).unwrap())
}

#[expect(clippy::unnecessary_wraps, reason = "fields of messages are optional")]
pub(crate) fn stamp(seconds: u64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp {
        seconds: i64::try_from(seconds).unwrap(),
        nanos: 0,
    })
}

/// The services whose events billing hears.
const PRODUCERS: [&str; 4] = ["chain-indexer", "scheduler", "node-registry", "validator"];

type Heard = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A running billing service and everything it needs.
pub(crate) struct Plane {
    pub(crate) db: TestDb,
    pub(crate) clock: FixedClock,
    pub(crate) metrics: Metrics,
    nats: Nats,
    js: jetstream::Context,
    heard: Heard,
    pki: tempfile::TempDir,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    sequence: AtomicU64,
    pub(crate) scheduler: Scheduler,
    adjust: Box<dyn Fn(&mut Config) + Send + Sync>,
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Plane {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With a configuration that differs from that of the other tests.
    pub(crate) async fn start_with(adjust: impl Fn(&mut Config) + Send + Sync + 'static) -> Self {
        let migrations = [&PLATFORM_MIGRATIONS, STORE.migrations];
        let db = TestDb::new("billing", &migrations).await.unwrap();
        let nats = Nats::start().await.unwrap();
        let pki = tempfile::tempdir().unwrap();
        let clock = FixedClock::at(time(START));
        let services = [
            "billing",
            "gateway",
            "scheduler",
            "validator",
            "node-registry",
        ];
        // Certificates are judged by the machine's clock.
        let real = fluxplane_core::SystemClock.now();
        development::ensure(pki.path(), &services, real).unwrap();
        let scheduler = Scheduler::serve(&credentials(&pki, "scheduler")).await;
        let bus_config = fluxplane_platform::config::Nats {
            url: nats.url.clone(),
            user: String::new(),
            password: fluxplane_platform::config::Secret::default(),
        };
        let js = bus::connect(&bus_config, "tests").await.unwrap();
        for service in PRODUCERS.iter().chain(["billing"].iter()) {
            bus::ensure_stream(&js, service).await.unwrap();
        }
        let mut plane = Self {
            db,
            clock,
            metrics: Metrics::new(SERVICE.name, SERVICE.version),
            nats,
            js,
            heard: Heard::default(),
            pki,
            address: free_address(),
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            sequence: AtomicU64::new(0),
            scheduler,
            adjust: Box::new(adjust),
        };
        plane.listen().await;
        plane.serve().await;
        plane.block(FIRST_HEIGHT).await;
        plane
    }

    /// Stops the service and starts it again on what it left behind.
    pub(crate) async fn restart(&mut self) {
        self.shut_down().await;
        self.start_again().await;
    }

    pub(crate) async fn shut_down(&mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }

    /// On what it left behind.
    pub(crate) async fn start_again(&mut self) {
        self.stop = CancellationToken::new();
        self.metrics = Metrics::new(SERVICE.name, SERVICE.version);
        self.address = free_address();
        self.listen().await;
        self.serve().await;
    }

    async fn serve(&mut self) {
        let health = Health::default();
        let start = Start {
            service: SERVICE,
            config: self.config(),
            lifecycle: Lifecycle::new(health.clone(), Duration::ZERO, Duration::from_secs(5)),
            health,
            metrics: self.metrics.clone(),
            tasks: TaskBoard::default(),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::new(SystemIds),
        };
        let lifecycle = service::start(start).await.unwrap();
        let drain = lifecycle.drain();
        self.tasks.spawn(async move {
            lifecycle.run().await.unwrap();
        });
        let end = self.stop.clone();
        self.tasks.spawn(async move {
            end.cancelled().await;
            drain.cancel();
        });
    }

    /// Keeps everything billing announces.
    async fn listen(&mut self) {
        let stream = self.js.get_stream("BILLING").await.unwrap();
        let config = pull::OrderedConfig {
            filter_subject: "fluxplane.billing.v1.>".to_owned(),
            ..pull::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.unwrap();
        let mut messages = consumer.messages().await.unwrap();
        self.heard = Heard::default();
        let heard = Arc::clone(&self.heard);
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    Some(Ok(message)) = messages.next() => {
                        let event = (message.subject.to_string(), message.payload.to_vec());
                        heard.lock().unwrap().push(event);
                    }
                }
            }
        });
    }

    fn config(&self) -> Config {
        let mut config: Config = runner::load(SERVICE, None).unwrap();
        let options = self.db.options();
        config.db = fluxplane_platform::config::Db {
            host: options.get_host().to_owned(),
            port: options.get_port(),
            database: options.get_database().unwrap().to_owned(),
            user: options.get_username().to_owned(),
            ..config.db
        };
        config.nats.url.clone_from(&self.nats.url);
        config.tls.ca_file = self.pki.path().join("ca.pem");
        config.tls.cert_file = self.pki.path().join("billing.pem");
        config.tls.key_file = self.pki.path().join("billing.key");
        config.grpc.listen = self.address;
        config
            .scheduler
            .endpoint
            .clone_from(&self.scheduler.endpoint);
        config.rate.sources = vec![SourceConfig::Fixed {
            name: "configuration".to_owned(),
            usd_per_flux: "0.1".to_owned(),
        }];
        config.quotes.height_offset = PRICED_AT - u64::from(FIRST_HEIGHT);
        config.payments.credit_confirmations = CREDIT;
        config.ledger.audit_every = Span(Duration::from_millis(50));
        (self.adjust)(&mut config);
        config
    }

    /// What use cases work with, to call them directly.
    pub(crate) fn context(&self) -> app::Context {
        app::Context {
            pool: self.db.pool.clone(),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::new(SystemIds),
            rules: Arc::new(self.config().rules().unwrap()),
            metrics: BillingMetrics::register(&Metrics::new("direct", "0")),
        }
    }

    pub(crate) fn client(&self, as_service: &str) -> BillingServiceClient<Client> {
        let peer = Peer {
            endpoint: format!("https://{}", self.address),
            timeout: Span(LIMIT),
        };
        let credentials = credentials(&self.pki, as_service);
        BillingServiceClient::new(grpc::client::connect(&peer, &credentials).unwrap())
    }

    pub(crate) fn gateway(&self) -> BillingServiceClient<Client> {
        self.client("gateway")
    }

    /// Publishes an event and waits until billing has applied it, or set it aside.
    pub(crate) async fn tell<E: Event>(&self, event: &E) {
        let id = SystemIds.next();
        self.publish(id, event).await;
        eventually(LIMIT, async || {
            let applied = sqlx::query_scalar!("SELECT count(*) FROM inbox WHERE event_id = $1", id)
                .fetch_one(&self.db.pool)
                .await
                .unwrap();
            applied.filter(|count| *count == 1).ok_or("not applied yet")
        })
        .await;
    }

    pub(crate) async fn publish<E: Event>(&self, id: Uuid, event: &E) {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, id.to_string());
        let payload = event.encode_to_vec().into();
        let sent = self.js.publish_with_headers(E::SUBJECT, headers, payload);
        sent.await.unwrap().await.unwrap();
    }

    /// All announcements of one kind so far.
    pub(crate) fn heard<E: Event>(&self) -> Vec<E> {
        let heard = self.heard.lock().unwrap();
        let own = heard.iter().filter(|(subject, _)| subject == E::SUBJECT);
        own.map(|(_, payload)| E::decode(payload.as_slice()).unwrap())
            .collect()
    }

    /// Waits for an announcement.
    pub(crate) async fn hear<E: Event>(&self, wanted: impl Fn(&E) -> bool) -> E {
        eventually(LIMIT, async || {
            let all = self.heard::<E>();
            let count = all.len();
            all.into_iter().find(|event| wanted(event)).ok_or(count)
        })
        .await
    }

    pub(crate) async fn account(&self, owner: &str) -> GetAccountResponse {
        let owner = owner.to_owned();
        let request = wire::GetAccountRequest { owner };
        self.gateway()
            .get_account(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// What an owner can spend, what is held, what is spent.
    pub(crate) async fn money(&self, owner: &str) -> (i64, i64, i64) {
        let account = self.account(owner).await;
        let units = |money: Option<fluxplane_proto::common::v1::Money>| money.unwrap().units;
        (
            units(account.available),
            units(account.held),
            units(account.spent),
        )
    }

    /// Balance of an account on its credit side, by name.
    pub(crate) async fn balance(&self, account: &str) -> i64 {
        sqlx::query_scalar!("SELECT balance FROM account WHERE name = $1", account)
            .fetch_optional(&self.db.pool)
            .await
            .unwrap()
            .unwrap_or(0)
    }

    /// How many payments of each unusual kind there were.
    pub(crate) fn exceptions(&self) -> Vec<(String, u64)> {
        let text = self.metrics.encode();
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("fluxplane_payment_exceptions_total{case=\""));
        let counts = lines.map(|line| {
            let (case, count) = line.split_once("\"} ").unwrap();
            (case.to_owned(), count.parse().unwrap())
        });
        let mut counts: Vec<(String, u64)> = counts.filter(|(_, count)| *count > 0).collect();
        counts.sort();
        counts
    }

    pub(crate) fn assert_exceptions(&self, expected: &[(&str, u64)]) {
        let expected: Vec<(String, u64)> = expected
            .iter()
            .map(|(case, count)| ((*case).to_owned(), *count))
            .collect();
        assert_eq!(self.exceptions(), expected);
    }

    /// The books must add up whenever anybody looks.
    pub(crate) async fn assert_books_balance(&self) {
        let mut conn = self.db.pool.acquire().await.unwrap();
        let audit = fluxplane_billing::db::ledger::audit(&mut conn)
            .await
            .unwrap();
        let wrong = (audit.imbalance, audit.drifted_accounts, audit.drifted_terms);
        assert_eq!(wrong, (0, 0, 0), "{audit:?}");
    }

    pub(crate) async fn close_epoch(&self) -> wire::Epoch {
        let request = wire::CloseEpochRequest {
            caller: caller("operator"),
            idempotency_key: SystemIds.next().to_string(),
        };
        let closed = self.gateway().close_epoch(request).await.unwrap();
        closed.into_inner().epoch.unwrap()
    }

    /// The next number of an announcement of the chain indexer.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.clock.now().timestamp()).unwrap()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn credentials(pki: &tempfile::TempDir, service: &str) -> Credentials {
    Credentials::load(&fluxplane_platform::config::Tls {
        ca_file: pki.path().join("ca.pem"),
        cert_file: pki.path().join(format!("{service}.pem")),
        key_file: pki.path().join(format!("{service}.key")),
    })
    .unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "fields of messages are optional")]
pub(crate) fn caller(principal: &str) -> Option<Caller> {
    Some(Caller {
        principal: principal.to_owned(),
        request_id: String::new(),
    })
}
