//! A gateway in this process, with real Postgres behind it and fake peers beside it.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use fluxplane_core::{Clock, FixedClock, IdSource, SystemClock, SystemIds};
use fluxplane_gateway::{
    SERVICE, STORE,
    config::{Config, Rate},
    service,
};
use fluxplane_platform::{
    Lifecycle,
    db::PLATFORM_MIGRATIONS,
    health::Health,
    metrics::Metrics,
    reconciler::TaskBoard,
    runner::{self, Start},
    tls::{Credentials, authority::Authority},
};
use fluxplane_testkit::{PATIENCE, TestDb};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    peers::{self, World},
    wallets::Wallet,
};

/// How long a condition may take to come true.
pub(crate) const SOON: Duration = PATIENCE;

/// A running gateway.
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    pub(crate) world: World,
    pub(crate) db: TestDb,
    pub(crate) clock: FixedClock,
    pub(crate) ids: TestIds,
    pub(crate) metrics: Metrics,
    /// Cancelled, it drains the gateway.
    pub(crate) drain: CancellationToken,
    pub(crate) pki: Pki,
    _lifecycle: Lifecycle,
    _peers: JoinSet<()>,
}

/// Makes ids, and panics when told to: what a bug in a handler looks like.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestIds(Arc<AtomicU32>);

impl TestIds {
    /// Panics at the `n`th id from now.
    pub(crate) fn panic_at(&self, n: u32) {
        self.0.store(n, Ordering::Relaxed);
    }
}

impl IdSource for TestIds {
    fn next(&self) -> uuid::Uuid {
        let left = self.0.load(Ordering::Relaxed);
        if left > 0 {
            self.0.store(left - 1, Ordering::Relaxed);
            assert_ne!(left, 1, "no more ids, on purpose");
        }
        SystemIds.next()
    }
}

/// Certificates of the plane, on disk as services have them.
pub(crate) struct Pki {
    pub(crate) authority: Authority,
    pub(crate) dir: TempDir,
}

impl Pki {
    fn new() -> Self {
        let (authority, _) =
            Authority::create("test", SystemClock.now(), TimeDelta::hours(1)).unwrap();
        let pki = Self {
            authority,
            dir: tempfile::tempdir().unwrap(),
        };
        std::fs::write(pki.dir.path().join("ca.pem"), pki.authority.cert_pem()).unwrap();
        let gateway = pki.issue("gateway");
        std::fs::write(pki.dir.path().join("gateway.pem"), gateway.cert_pem).unwrap();
        std::fs::write(pki.dir.path().join("gateway.key"), gateway.key_pem).unwrap();
        pki
    }

    fn issue(&self, name: &str) -> fluxplane_platform::tls::authority::Issued {
        let loopback = ["127.0.0.1".parse().unwrap()];
        let life = TimeDelta::hours(1);
        self.authority
            .issue_service(name, &loopback, SystemClock.now(), life)
            .unwrap()
    }
}

/// Starts a gateway with the defaults.
pub(crate) async fn start() -> Running {
    start_with(|_, _| {}).await
}

/// Starts a gateway whose configuration `change` has changed.
pub(crate) async fn start_with(change: impl FnOnce(&mut Config, &Pki)) -> Running {
    let (world, pki) = (World::new(), Pki::new());
    let issued = pki.issue("peers");
    let credentials =
        Credentials::from_pem(&issued.cert_pem, &issued.key_pem, pki.authority.cert_pem());
    let (endpoint, peers) = peers::serve(&world, &credentials).await;
    let db = TestDb::new("gateway", &[&PLATFORM_MIGRATIONS, STORE.migrations])
        .await
        .unwrap();

    let mut config: Config = runner::load(SERVICE, None).unwrap();
    let options = db.options();
    config.db.host = options.get_host().to_owned();
    config.db.port = options.get_port();
    config.db.user = options.get_username().to_owned();
    config.db.database = options.get_database().unwrap().to_owned();
    config.tls.ca_file = pki.dir.path().join("ca.pem");
    config.tls.cert_file = pki.dir.path().join("gateway.pem");
    config.tls.key_file = pki.dir.path().join("gateway.key");
    for peer in [
        &mut config.chain_indexer,
        &mut config.node_registry,
        &mut config.scheduler,
        &mut config.billing,
        &mut config.validator,
    ] {
        peer.endpoint.clone_from(&endpoint);
    }
    // Limits are tested on their own.
    let plenty = Rate {
        per_second: NonZeroU32::new(100_000).unwrap(),
        burst: NonZeroU32::new(100_000).unwrap(),
    };
    config.limits.per_ip = plenty;
    config.limits.per_principal = plenty;
    change(&mut config, &pki);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scheme = if config.rest.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let url = format!("{scheme}://{}", listener.local_addr().unwrap());
    let clock = FixedClock::at(SystemClock.now());
    let ids = TestIds::default();
    let metrics = Metrics::new(SERVICE.name, SERVICE.version);
    let health = Health::default();
    let lifecycle = Lifecycle::new(health.clone(), Duration::ZERO, Duration::from_secs(5));
    let drain = lifecycle.drain();
    let start = Start {
        service: SERVICE,
        config,
        lifecycle,
        health,
        metrics: metrics.clone(),
        tasks: TaskBoard::default(),
        clock: Arc::new(clock.clone()),
        ids: Arc::new(ids.clone()),
    };
    let lifecycle = service::start_on(start, listener).unwrap();
    Running {
        url,
        http: client(&pki),
        world,
        db,
        clock,
        ids,
        metrics,
        drain,
        pki,
        _lifecycle: lifecycle,
        _peers: peers,
    }
}

fn client(pki: &Pki) -> reqwest::Client {
    fluxplane_platform::tls::install_crypto_provider();
    let ca = reqwest::Certificate::from_pem(pki.authority.cert_pem().as_bytes()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only([ca])
        .timeout(SOON * 2)
        .build()
        .unwrap()
}

/// What a call answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:#}", self.body);
        self
    }
}

/// Sends a request and reads its JSON.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
    };
    Answer {
        status,
        headers,
        body,
    }
}

/// Someone who is signed in.
pub(crate) struct Session {
    pub(crate) principal: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Running {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    /// A request of someone who is signed in.
    pub(crate) fn as_(&self, session: &Session, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&session.access)
    }

    pub(crate) async fn get_as(&self, session: &Session, path: &str) -> Answer {
        send(self.as_(session, Method::GET, path)).await
    }

    /// A POST with a key.
    pub(crate) async fn post_as(
        &self,
        session: &Session,
        path: &str,
        key: &str,
        body: Value,
    ) -> Answer {
        let request = self
            .as_(session, Method::POST, path)
            .header("idempotency-key", key);
        send(request.json(&body)).await
    }

    /// Asks for a phrase.
    pub(crate) async fn challenge(&self, address: &str) -> String {
        let answer = self
            .post("/v1/auth/challenges", json!({ "address": address }))
            .await;
        answer.expect(201).body["phrase"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Signs in.
    pub(crate) async fn sign_in(&self, wallet: &Wallet) -> Session {
        let address = wallet.address();
        let phrase = self.challenge(&address).await;
        let signature = wallet.sign(&phrase);
        let body = json!({ "address": address, "phrase": phrase, "signature": signature });
        session(&self.post("/v1/auth/sessions", body).await.expect(201))
    }

    /// The value of a metric's line that contains `part`.
    pub(crate) fn metric(&self, part: &str) -> Option<f64> {
        let text = self.metrics.encode();
        let line = text.lines().find(|line| line.contains(part))?;
        line.rsplit(' ').next()?.parse().ok()
    }
}

/// Reads the tokens of an answer.
pub(crate) fn session(answer: &Answer) -> Session {
    let text = |field: &str| answer.body[field].as_str().unwrap().to_owned();
    Session {
        principal: text("principal"),
        access: text("access_token"),
        refresh: text("refresh_token"),
    }
}
