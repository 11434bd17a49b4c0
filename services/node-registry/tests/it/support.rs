//! A registry in this process, with everything around it real but the chain.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream::{self, consumer::pull};
use fluxplane_core::{Clock as _, IdSource as _, SystemClock, SystemIds, Tier, attest};
use fluxplane_flux_chain::{
    key::PrivateKey,
    message::{CompactSignature, Magic},
};
use fluxplane_node_registry::{SERVICE, STORE, config::Config, service};
use fluxplane_platform::{
    Lifecycle, bus,
    config::Span,
    db::PLATFORM_MIGRATIONS,
    grpc::{self, Client, Policy, Server, server::Allow},
    health::Health,
    metrics::Metrics,
    reconciler::TaskBoard,
    runner::{self, Start},
    tls::{
        Credentials,
        authority::{self, csr_digest},
        development,
    },
};
use fluxplane_proto::{
    Event,
    chain_indexer::v1::{self as chain, chain_service_server::ChainServiceServer},
    common::v1::{self as common, Caller, OutPoint},
    node_registry::v1::{
        self as wire, CreateJoinTokenRequest, JoinRequest, JoinResponse, NodeChanged, NodeState,
        join_service_client::JoinServiceClient, node_service_client::NodeServiceClient,
    },
    scheduler::v1::{self as scheduler, secret_service_server::SecretServiceServer},
};
use fluxplane_testkit::{Nats, PATIENCE, TestDb, eventually, free_address};
use futures::TryStreamExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes, transport::Channel};

pub(crate) const OPERATOR: &str = "1OperatorOfTheseTests";
pub(crate) const TXID: &str = "1111111111111111111111111111111111111111111111111111111111111111";

/// Answers for the chain indexer from a map of collaterals.
#[derive(Clone, Default)]
pub(crate) struct FakeChain(Arc<Mutex<HashMap<(String, u32), chain::Fluxnode>>>);

impl FakeChain {
    pub(crate) fn put(&self, vout: u32, node_key: &PrivateKey, tier: Tier) {
        let node = chain::Fluxnode {
            collateral: Some(OutPoint {
                txid: TXID.to_owned(),
                vout,
            }),
            tier: i32::from(tier.number()),
            status: chain::FluxnodeStatus::Confirmed.into(),
            node_pubkey: node_key.public_key().to_string(),
            ip: "127.0.0.1:16127".to_owned(),
            ..chain::Fluxnode::default()
        };
        self.0.lock().unwrap().insert((TXID.to_owned(), vout), node);
    }
}

#[tonic::async_trait]
impl chain::chain_service_server::ChainService for FakeChain {
    async fn get_fluxnode(
        &self,
        request: Request<chain::GetFluxnodeRequest>,
    ) -> Result<Response<chain::GetFluxnodeResponse>, Status> {
        let outpoint = request.into_inner().collateral.unwrap();
        let found = self
            .0
            .lock()
            .unwrap()
            .get(&(outpoint.txid, outpoint.vout))
            .cloned();
        let fluxnode = found.ok_or_else(|| Status::not_found("not on the list"))?;
        Ok(Response::new(chain::GetFluxnodeResponse {
            fluxnode: Some(fluxnode),
        }))
    }

    async fn get_status(
        &self,
        _: Request<chain::GetStatusRequest>,
    ) -> Result<Response<chain::GetStatusResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_block(
        &self,
        _: Request<chain::GetBlockRequest>,
    ) -> Result<Response<chain::GetBlockResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_transaction(
        &self,
        _: Request<chain::GetTransactionRequest>,
    ) -> Result<Response<chain::GetTransactionResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_fluxnodes(
        &self,
        _: Request<chain::ListFluxnodesRequest>,
    ) -> Result<Response<chain::ListFluxnodesResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_payments(
        &self,
        _: Request<chain::ListPaymentsRequest>,
    ) -> Result<Response<chain::ListPaymentsResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}

/// Stands for the scheduler: remembers who asked for what, and answers with what the test says.
#[derive(Clone, Default)]
pub(crate) struct FakeScheduler {
    pub(crate) asked: Arc<Mutex<Vec<scheduler::DeliverPrivateRequest>>>,
    pub(crate) refusal: Arc<Mutex<Option<Status>>>,
}

/// What [`FakeScheduler`] answers.
pub(crate) const SEALED: (&[u8], &[u8]) = (b"encapsulated", b"ciphertext");

#[tonic::async_trait]
impl scheduler::secret_service_server::SecretService for FakeScheduler {
    async fn deliver_private(
        &self,
        request: Request<scheduler::DeliverPrivateRequest>,
    ) -> Result<Response<scheduler::DeliverPrivateResponse>, Status> {
        self.asked.lock().unwrap().push(request.into_inner());
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        Ok(Response::new(scheduler::DeliverPrivateResponse {
            encapsulated_key: SEALED.0.to_vec(),
            ciphertext: SEALED.1.to_vec(),
        }))
    }

    async fn put_secret(
        &self,
        _: Request<scheduler::PutSecretRequest>,
    ) -> Result<Response<scheduler::PutSecretResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn get_secret(
        &self,
        _: Request<scheduler::GetSecretRequest>,
    ) -> Result<Response<scheduler::GetSecretResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_secrets(
        &self,
        _: Request<scheduler::ListSecretsRequest>,
    ) -> Result<Response<scheduler::ListSecretsResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn delete_secret(
        &self,
        _: Request<scheduler::DeleteSecretRequest>,
    ) -> Result<Response<scheduler::DeleteSecretResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}

/// A running registry and everything it needs.
pub(crate) struct Plane {
    pub(crate) chain: FakeChain,
    pub(crate) scheduler: FakeScheduler,
    pub(crate) db: TestDb,
    pub(crate) nats: Nats,
    pub(crate) metrics: Metrics,
    pub(crate) ca_pem: String,
    pub(crate) agents: String,
    pub(crate) service: String,
    pki: tempfile::TempDir,
    stop: CancellationToken,
    _tasks: JoinSet<()>,
}

impl Drop for Plane {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Beats every 200 ms, so that silence shows quickly.
pub(crate) const BEAT: Duration = Duration::from_millis(200);

impl Plane {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(edit: impl FnOnce(&mut Config)) -> Self {
        let db = TestDb::new("registry", &[&PLATFORM_MIGRATIONS, STORE.migrations])
            .await
            .unwrap();
        let nats = Nats::start().await.unwrap();
        let pki = tempfile::tempdir().unwrap();
        let services = [
            "chain-indexer",
            "gateway",
            "node-registry",
            "scheduler",
            "validator",
        ];
        let now = SystemClock.now();
        development::ensure(pki.path(), &services, now).unwrap();
        let mut tasks = JoinSet::new();
        let stop = CancellationToken::new();
        let chain = FakeChain::default();
        let routes = ChainServiceServer::new(chain.clone());
        let routes = Routes::new(routes);
        let chain_address = serve(&pki, "chain-indexer", routes, &mut tasks, &stop).await;
        let scheduler = FakeScheduler::default();
        let routes = SecretServiceServer::new(scheduler.clone());
        let routes = Routes::new(routes);
        let scheduler_address = serve(&pki, "scheduler", routes, &mut tasks, &stop).await;

        let mut config = config(&db, &nats, &pki, chain_address);
        config.scheduler.endpoint = format!("https://{scheduler_address}");
        edit(&mut config);
        let (agents, service) = (config.agents.listen, config.grpc.listen);
        let health = Health::default();
        let metrics = Metrics::new(SERVICE.name, SERVICE.version);
        let start = Start {
            service: SERVICE,
            config,
            lifecycle: Lifecycle::new(health.clone(), Duration::ZERO, Duration::from_secs(5)),
            health,
            metrics: metrics.clone(),
            tasks: TaskBoard::default(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        let lifecycle = service::start(start).await.unwrap();
        let drain = lifecycle.drain();
        tasks.spawn(async move {
            lifecycle.run().await.unwrap();
        });
        let end = stop.clone();
        tasks.spawn(async move {
            end.cancelled().await;
            drain.cancel();
        });
        let ca_pem = std::fs::read_to_string(pki.path().join("ca.pem")).unwrap();
        Self {
            chain,
            scheduler,
            db,
            nats,
            metrics,
            ca_pem,
            agents: format!("https://{agents}"),
            service: format!("https://{service}"),
            pki,
            stop,
            _tasks: tasks,
        }
    }

    pub(crate) fn node_client(&self, as_service: &str) -> NodeServiceClient<Client> {
        let peer = fluxplane_platform::config::Peer {
            endpoint: self.service.clone(),
            timeout: Span(Duration::from_secs(5)),
        };
        let credentials = credentials(&self.pki, as_service);
        NodeServiceClient::new(grpc::client::connect(&peer, &credentials).unwrap())
    }

    /// Everything of a kind that was announced so far, in order.
    pub(crate) async fn announced<E: Event + Default>(&self) -> Vec<E> {
        let js = self.bus("test").await;
        bus::ensure_stream(&js, "node-registry").await.unwrap();
        let stream = js.get_stream("NODE_REGISTRY").await.unwrap();
        let consumer = stream
            .create_consumer(pull::Config {
                filter_subject: E::SUBJECT.to_owned(),
                ..pull::Config::default()
            })
            .await
            .unwrap();
        let fetched = consumer.fetch().max_messages(10_000).messages().await;
        let messages: Vec<_> = fetched.unwrap().try_collect().await.unwrap();
        messages
            .iter()
            .map(|message| E::decode(message.payload.clone()).unwrap())
            .collect()
    }

    /// Waits until a node was announced in these states one after the other, with others in between or not, and returns the
    /// record of the last. States pass quickly here, and who only looks now and then misses some.
    pub(crate) async fn until(&self, node_id: &str, wanted: &[NodeState]) -> wire::Node {
        eventually(PATIENCE, async || {
            let changes = self.announced::<NodeChanged>().await;
            let nodes = changes.into_iter().filter_map(|change| change.node);
            let nodes: Vec<_> = nodes.filter(|node| node.node_id == node_id).collect();
            let mut left = wanted.iter().peekable();
            for node in &nodes {
                left.next_if(|state| **state == node.state());
                if left.peek().is_none() {
                    return Ok(node.clone());
                }
            }
            Err(nodes.iter().map(wire::Node::state).collect::<Vec<_>>())
        })
        .await
    }

    /// The bus, as a service uses it.
    pub(crate) async fn bus(&self, service: &str) -> jetstream::Context {
        let config = fluxplane_platform::config::Nats {
            url: self.nats.url.clone(),
            user: String::new(),
            password: fluxplane_platform::config::Secret::default(),
        };
        bus::connect(&config, service).await.unwrap()
    }

    pub(crate) async fn token(&self, vout: u32) -> String {
        let request = CreateJoinTokenRequest {
            caller: Some(Caller {
                principal: OPERATOR.to_owned(),
                request_id: String::new(),
            }),
            idempotency_key: format!("token-{vout}-{}", SystemIds.next()),
            collateral: Some(OutPoint {
                txid: TXID.to_owned(),
                vout,
            }),
            ttl_seconds: 0,
        };
        self.node_client("gateway")
            .create_join_token(request)
            .await
            .unwrap()
            .into_inner()
            .token
    }

    pub(crate) async fn join_client(&self) -> JoinServiceClient<Channel> {
        let tls = fluxplane_platform::tls::anonymous_client(&self.ca_pem);
        let channel = grpc::client::channel(&self.agents, tls)
            .unwrap()
            .connect()
            .await
            .unwrap();
        JoinServiceClient::new(channel)
    }
}

fn credentials(pki: &tempfile::TempDir, name: &str) -> Credentials {
    Credentials::load(&fluxplane_platform::config::Tls {
        ca_file: pki.path().join("ca.pem"),
        cert_file: pki.path().join(format!("{name}.pem")),
        key_file: pki.path().join(format!("{name}.key")),
    })
    .unwrap()
}

async fn serve(
    pki: &tempfile::TempDir,
    name: &str,
    routes: Routes,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> SocketAddr {
    const POLICY: Policy = Policy {
        rules: &[("/", Allow::Services(&["node-registry"]))],
    };
    let listener = grpc::server::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server {
        listener,
        tls: credentials(pki, name).server(),
        policy: POLICY,
        metrics: Metrics::new("fake", "0"),
    };
    let stop = stop.clone();
    tasks.spawn(async move {
        server.serve(routes, stop).await.unwrap();
    });
    address
}

fn config(db: &TestDb, nats: &Nats, pki: &tempfile::TempDir, chain: SocketAddr) -> Config {
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
    config.tls.cert_file = pki.path().join("node-registry.pem");
    config.tls.key_file = pki.path().join("node-registry.key");
    config.node_ca.cert_file = pki.path().join("node-ca.pem");
    config.node_ca.key_file = pki.path().join("node-ca.key");
    config.grpc.listen = free_address();
    config.agents.listen = free_address();
    config.agents.advertised = format!("https://{}", config.agents.listen);
    config.agents.heartbeat_interval = Span(BEAT);
    // A port nobody listens on refuses at once; whoever answers gets the time.
    config.liveness.probe_timeout = Span(PATIENCE);
    config.chain_indexer.endpoint = format!("https://{chain}");
    config
}

/// The key that a node's start transaction names.
pub(crate) fn node_key(n: u8) -> PrivateKey {
    PrivateKey::from_bytes(&[n; 32], true).unwrap()
}

/// A request to join that is right in every part.
pub(crate) fn join_request(
    token: &str,
    vout: u32,
    node_key: &PrivateKey,
) -> (JoinRequest, rcgen::KeyPair) {
    let (key, csr_pem) = authority::request("node").unwrap();
    let message = attest::join_message(token, &csr_digest(&csr_pem).unwrap());
    let signature = CompactSignature::sign(node_key, Magic::FLUX, message.as_bytes());
    let request = JoinRequest {
        token: token.to_owned(),
        csr_pem,
        collateral: Some(OutPoint {
            txid: TXID.to_owned(),
            vout,
        }),
        node_key_signature: signature.to_base64(),
        benchmark: Some(wire::Benchmark {
            threads: 8,
            ram_mib: 32_000,
            disk_gib: 500,
            hash_mib_s: 400,
            disk_write_mib_s: 300,
            measured_at: Some(prost_types::Timestamp {
                seconds: 1_700_000_000,
                nanos: 0,
            }),
        }),
        ip: "127.0.0.1".to_owned(),
        place: Some(common::Place {
            continent: "EU".to_owned(),
            country: "DE".to_owned(),
            region: "Bavaria".to_owned(),
        }),
        static_ip: true,
        probe_port: 16_199,
    };
    (request, key)
}

/// Joins a node and returns its id, certificate and key.
pub(crate) async fn join(
    plane: &Plane,
    vout: u32,
    probe_port: u16,
) -> (JoinResponse, rcgen::KeyPair) {
    let node_key = node_key(u8::try_from(vout).unwrap() + 1);
    plane.chain.put(vout, &node_key, Tier::Cumulus);
    let token = plane.token(vout).await;
    let (mut request, key) = join_request(&token, vout, &node_key);
    request.probe_port = probe_port.into();
    let joined = plane
        .join_client()
        .await
        .join(request)
        .await
        .unwrap()
        .into_inner();
    (joined, key)
}
