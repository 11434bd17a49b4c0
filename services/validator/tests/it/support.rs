//! A validator in this process, with a chain that grows when it is told to and a clock that stands still until it is told to
//! move.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream::{self, consumer::pull};
use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::{Clock as _, FixedClock, IdSource as _, Sat, SystemClock, SystemIds};
use fluxplane_devnet::{ChainHandle, Devnet, Options};
use fluxplane_flux_chain::{Address, PrivateKey, Transaction};
use fluxplane_ledger::settlement::Anchor as Commitment;
use fluxplane_platform::{
    Lifecycle, bus,
    config::{Nats as NatsConfig, Peer, Secret, Span, Tls},
    db::PLATFORM_MIGRATIONS,
    grpc::{Client, Policy, Server, client, server, server::Allow},
    health::Health,
    metrics::Metrics,
    reconciler::TaskBoard,
    runner::{self, Start},
    tls::{Credentials, development},
};
use fluxplane_proto::{
    Event,
    billing::v1::{EpochClosed, billing_service_server::BillingServiceServer},
    validator::v1::{
        Anchor, AnchorChanged, AnchorState, GetAnchorRequest,
        validator_service_client::ValidatorServiceClient,
    },
};
use fluxplane_testkit::{ChaosProxy, Nats, PATIENCE, TestDb, eventually, free_address};
use fluxplane_validator::{
    SERVICE, STORE,
    config::{Config, NetworkName},
    service,
};
use futures::StreamExt as _;
use prost::Message as _;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Status, service::Routes};

use crate::billing::{Billing, Closed};

/// Longer than anything a healthy plane takes.
pub(crate) const LIMIT: Duration = PATIENCE;

const BILLING: Policy = Policy {
    rules: &[(
        "/fluxplane.billing.v1.BillingService/",
        Allow::Services(&["validator"]),
    )],
};

/// A running validator and everything it needs.
pub(crate) struct Plane {
    pub(crate) db: TestDb,
    pub(crate) clock: FixedClock,
    pub(crate) metrics: Metrics,
    pub(crate) billing: Billing,
    pub(crate) chain: ChainHandle,
    /// Between the validator and the chain.
    pub(crate) link: ChaosProxy,
    pub(crate) address: Address,
    key: PrivateKey,
    devnet: Devnet,
    nats: Nats,
    js: jetstream::Context,
    heard: Arc<Mutex<Vec<AnchorChanged>>>,
    pki: tempfile::TempDir,
    grpc: SocketAddr,
    billing_at: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    /// What outlives a restart of the validator.
    around: JoinSet<()>,
    adjust: fn(&mut Config),
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Plane {
    /// With 3 FLUX on the anchoring address.
    pub(crate) async fn start() -> Self {
        let plane = Self::poor(|_| {}).await;
        plane.fund(3).await;
        plane
    }

    /// Without a coin, and with a configuration of its own.
    pub(crate) async fn poor(adjust: fn(&mut Config)) -> Self {
        let migrations = [&PLATFORM_MIGRATIONS, STORE.migrations];
        let db = TestDb::new("validator", &migrations).await.unwrap();
        let nats = Nats::start().await.unwrap();
        let start: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_800_000_000);
        let clock = FixedClock::at(start);
        let devnet = Devnet::start(Options {
            clock: Arc::new(clock.clone()),
            zmq: None,
            ..Options::default()
        });
        let devnet = devnet.await.unwrap();
        let rpc = devnet.rpc_url();
        let rpc = rpc.strip_prefix("http://").unwrap().parse().unwrap();
        let link = ChaosProxy::start(rpc).await.unwrap();
        let pki = tempfile::tempdir().unwrap();
        // Certificates are judged by the machine's clock.
        let services = ["validator", "billing", "gateway", "scheduler"];
        development::ensure(pki.path(), &services, SystemClock.now()).unwrap();
        let bus_config = NatsConfig {
            url: nats.url.clone(),
            user: String::new(),
            password: Secret::default(),
        };
        let js = bus::connect(&bus_config, "tests").await.unwrap();
        for service in ["billing", "validator"] {
            bus::ensure_stream(&js, service).await.unwrap();
        }
        let key = PrivateKey::from_bytes(&[5; 32], true).unwrap();
        let mut plane = Self {
            db,
            clock,
            metrics: Metrics::new(SERVICE.name, SERVICE.version),
            billing: Billing::default(),
            chain: devnet.chain(),
            link,
            address: Address::of_key(&key.public_key(), devnet.chain().params().addresses),
            key,
            devnet,
            nats,
            js,
            heard: Arc::default(),
            pki,
            grpc: free_address(),
            billing_at: free_address(),
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            around: JoinSet::new(),
            adjust,
        };
        plane.play_billing().await;
        plane.listen().await;
        plane.serve().await;
        plane
    }

    /// Stops the validator and starts it again on what it left behind.
    pub(crate) async fn restart(&mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.stop = CancellationToken::new();
        self.metrics = Metrics::new(SERVICE.name, SERVICE.version);
        self.grpc = free_address();
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

    async fn play_billing(&mut self) {
        let server = Server {
            listener: server::bind(self.billing_at).await.unwrap(),
            tls: self.credentials("billing").server(),
            policy: BILLING,
            metrics: Metrics::new("billing", "0"),
        };
        let routes = Routes::new(BillingServiceServer::new(self.billing.clone()));
        self.around.spawn(async move {
            server
                .serve(routes, CancellationToken::new())
                .await
                .unwrap();
        });
    }

    /// Keeps everything the validator announces.
    async fn listen(&mut self) {
        let stream = self.js.get_stream("VALIDATOR").await.unwrap();
        let config = pull::OrderedConfig {
            filter_subject: AnchorChanged::SUBJECT.to_owned(),
            ..pull::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.unwrap();
        let mut messages = consumer.messages().await.unwrap();
        let heard = Arc::clone(&self.heard);
        self.around.spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                let event = AnchorChanged::decode(message.payload.as_ref()).unwrap();
                heard.lock().unwrap().push(event);
            }
        });
    }

    fn credentials(&self, service: &str) -> Credentials {
        Credentials::load(&Tls {
            ca_file: self.pki.path().join("ca.pem"),
            cert_file: self.pki.path().join(format!("{service}.pem")),
            key_file: self.pki.path().join(format!("{service}.key")),
        })
        .unwrap()
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
        config.tls.cert_file = self.pki.path().join("validator.pem");
        config.tls.key_file = self.pki.path().join("validator.key");
        config.grpc.listen = self.grpc;
        config.billing.endpoint = format!("https://{}", self.billing_at);
        config.daemon.url = format!("http://{}", self.link.address);
        config
            .daemon
            .user
            .clone_from(&self.devnet.credentials().user);
        config.daemon.password = Secret::new(self.devnet.credentials().password.clone());
        config.daemon.timeout = Span(Duration::from_secs(2));
        config.daemon.network = NetworkName::Devnet;
        config.anchors.wif = Secret::new(self.key.to_wif(self.chain.params().addresses));
        config.anchors.poll = Span(Duration::from_millis(30));
        (self.adjust)(&mut config);
        config
    }

    pub(crate) fn client(&self, as_service: &str) -> ValidatorServiceClient<Client> {
        let peer = Peer {
            endpoint: format!("https://{}", self.grpc),
            timeout: Span(LIMIT),
        };
        let client = client::connect(&peer, &self.credentials(as_service)).unwrap();
        ValidatorServiceClient::new(client)
    }

    pub(crate) fn gateway(&self) -> ValidatorServiceClient<Client> {
        self.client("gateway")
    }

    /// Announces a closed epoch and waits until the validator has heard of it.
    pub(crate) async fn announce(&self, closed: &Closed) {
        let id = SystemIds.next();
        let mut headers = async_nats::HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, id.to_string());
        let payload = closed.announced().encode_to_vec().into();
        let sent = self
            .js
            .publish_with_headers(EpochClosed::SUBJECT, headers, payload);
        sent.await.unwrap().await.unwrap();
        eventually(LIMIT, async || {
            let applied = sqlx::query_scalar!("SELECT count(*) FROM inbox WHERE event_id = $1", id)
                .fetch_one(&self.db.pool)
                .await
                .unwrap();
            applied.filter(|count| *count == 1).ok_or("not applied yet")
        })
        .await;
    }

    /// Billing closes an epoch and says so.
    pub(crate) async fn close(&self, sat: i64) -> Closed {
        let closed = self.billing.close(sat);
        self.announce(&closed).await;
        closed
    }

    /// Makes blocks, with what waits.
    pub(crate) async fn mine(&self, blocks: u32) {
        let chain = self.chain.clone();
        let mined = tokio::task::spawn_blocking(move || chain.mine(blocks));
        mined.await.unwrap().unwrap();
    }

    /// Gives the anchoring address a coin.
    pub(crate) async fn fund(&self, flux: i64) {
        self.chain
            .faucet(&self.address, Sat::from_flux(flux))
            .unwrap();
        self.mine(1).await;
    }

    pub(crate) async fn anchor(&self, epoch: u64) -> Result<Anchor, Status> {
        let answer = self
            .gateway()
            .get_anchor(GetAnchorRequest { epoch })
            .await?;
        Ok(answer.into_inner().anchor.unwrap())
    }

    /// Waits until the anchor of an epoch is as wanted.
    pub(crate) async fn until(&self, epoch: u64, wanted: impl Fn(&Anchor) -> bool) -> Anchor {
        eventually(LIMIT, async || {
            let anchor = self.anchor(epoch).await.map_err(|err| err.to_string())?;
            if wanted(&anchor) {
                Ok(anchor)
            } else {
                Err(format!("{anchor:?}"))
            }
        })
        .await
    }

    pub(crate) async fn until_state(&self, epoch: u64, state: AnchorState) -> Anchor {
        self.until(epoch, |anchor| anchor.state() == state).await
    }

    /// Waits for a line of the metrics.
    pub(crate) async fn until_metric(&self, line: &str) {
        eventually(LIMIT, async || {
            let text = self.metrics.encode();
            if text.lines().any(|one| one == line) {
                Ok(())
            } else {
                Err(text)
            }
        })
        .await;
    }

    /// What was announced of an epoch, in order.
    pub(crate) fn heard(&self, epoch: u64) -> Vec<Anchor> {
        let heard = self.heard.lock().unwrap();
        let anchors = heard.iter().filter_map(|event| event.anchor.clone());
        anchors.filter(|anchor| anchor.epoch == epoch).collect()
    }

    /// A transaction as the chain has it.
    pub(crate) fn raw(&self, txid: &str) -> Vec<u8> {
        let raw = self
            .chain
            .call("getrawtransaction", &[json!(txid), json!(0)]);
        hex::decode(raw.unwrap().as_str().unwrap()).unwrap()
    }

    /// What a transaction commits to.
    pub(crate) fn commitment(&self, txid: &str) -> Commitment {
        let raw = self.raw(txid);
        let transaction = Transaction::parse(&raw).unwrap();
        let payload = transaction.outputs().last().unwrap().script.as_bytes();
        // OP_RETURN and the length come first.
        Commitment::decode(&payload[2..]).unwrap()
    }
}
