//! A plane as small as the agent allows: it certifies, welcomes, checks every signature and remembers what it was told.

use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use chrono::TimeDelta;
use fluxplane_core::{Clock as _, IdSource as _, SystemClock, SystemIds, attest, id::NodeId};
use fluxplane_envelope::{Delivery, SystemEntropy, seal_to};
use fluxplane_flux_chain::{
    key::PrivateKey,
    message::{CompactSignature, Magic},
};
use fluxplane_platform::{
    error::to_status,
    grpc::{self, Policy, Server, server::Allow},
    metrics::Metrics,
    tls::{
        Credentials, Peer,
        authority::{Authority, Csr},
    },
};
use fluxplane_proto::node_registry::v1::{
    AgentMessage, DesiredState, FetchPrivateRequest, FetchPrivateResponse, HeartbeatBody, Hello,
    InstanceReport, JoinRequest, JoinResponse, LogChunk, PlaneMessage, PrivateComponent,
    PrivatePart, RenewCertificateRequest, RenewCertificateResponse, UsageAck, UsageReportBody,
    Welcome,
    agent_message::Body as Up,
    agent_service_server::{AgentService, AgentServiceServer},
    join_service_server::{JoinService, JoinServiceServer},
    plane_message::Body as Down,
};
use futures::Stream;
use prost::Message as _;
use prost_types::Timestamp;
use ring::signature::{ED25519, UnparsedPublicKey};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status, Streaming, service::Routes};

use crate::refusal::WrongKey;

/// The key that the start transaction of the test node names.
pub(crate) fn node_key() -> PrivateKey {
    PrivateKey::from_bytes(&[7; 32], true).unwrap()
}

/// What the plane knows and was told.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) desired: Option<DesiredState>,
    /// Raw public key of every node.
    keys: HashMap<NodeId, Vec<u8>>,
    /// Hellos, one per session.
    pub(crate) hellos: Vec<Hello>,
    pub(crate) heartbeats: Vec<HeartbeatBody>,
    pub(crate) reports: Vec<InstanceReport>,
    /// Usage reports, stored in sequence.
    pub(crate) usage: Vec<UsageReportBody>,
    /// Usage reports as they came, stored or not.
    pub(crate) usage_seen: Vec<u64>,
    /// Whether usage reports are stored and acknowledged.
    pub(crate) usage_away: bool,
    pub(crate) chunks: Vec<LogChunk>,
    /// Signatures that did not verify, and other breaches.
    pub(crate) breaches: Vec<String>,
    pub(crate) joins: Vec<JoinRequest>,
    /// Refuse to take machines.
    pub(crate) refuse_join: Option<Status>,
    pub(crate) renewals: usize,
    sessions: Vec<mpsc::Sender<Result<PlaneMessage, Status>>>,
    /// Private part and epoch of every instance.
    pub(crate) private: HashMap<String, (PrivatePart, u64)>,
    /// Answers to questions for private parts, but for those that are answered.
    pub(crate) refuse_private: Option<Status>,
    pub(crate) fetches: usize,
}

impl Memory {
    /// Takes the environments out of a desired state, as the scheduler does.
    fn keep_private(&mut self, mut desired: DesiredState) -> DesiredState {
        for instance in &mut desired.instances {
            let (known, _) = self
                .private
                .entry(instance.instance_id.clone())
                .or_default()
                .clone();
            let components = instance.components.iter_mut().map(|component| {
                let environment = std::mem::take(&mut component.environment);
                if !environment.is_empty() && component.private_version.is_empty() {
                    "environment".clone_into(&mut component.private_version);
                }
                let known = known
                    .components
                    .iter()
                    .find(|one| one.name == component.name);
                PrivateComponent {
                    name: component.name.clone(),
                    environment,
                    image_credentials: known.and_then(|one| one.image_credentials.clone()),
                }
            });
            let part = PrivatePart {
                components: components.collect(),
            };
            let kept = (part, instance.assignment_epoch);
            self.private.insert(instance.instance_id.clone(), kept);
        }
        desired
    }
}

/// A running plane.
#[derive(Clone)]
pub(crate) struct Plane {
    memory: Arc<Mutex<Memory>>,
    nodes: Arc<Authority>,
    pub(crate) address: SocketAddr,
    pub(crate) ca_pem: String,
    /// Where machines are told to dial.
    endpoint: Arc<Mutex<String>>,
    tasks: Arc<Mutex<JoinSet<()>>>,
    _stop: Arc<DropGuard>,
}

const POLICY: Policy = Policy {
    rules: &[
        ("/fluxplane.node_registry.v1.JoinService/", Allow::Anyone),
        ("/fluxplane.node_registry.v1.AgentService/", Allow::Nodes),
    ],
};

/// Life of a node's certificate.
const LIFE: TimeDelta = TimeDelta::days(30);
const USAGE_INTERVAL_S: u32 = 1;
const HEARTBEAT_MS: u32 = 100;

impl Plane {
    pub(crate) async fn start() -> Self {
        let now = SystemClock.now();
        let day = TimeDelta::days(1);
        let (services, ca) = Authority::create("plane", now, day).unwrap();
        let (nodes, node_ca) = Authority::create("nodes", now, TimeDelta::days(60)).unwrap();
        let own = services
            .issue_service("node-registry", &[], now, day)
            .unwrap();
        let credentials = Credentials::from_pem(&own.cert_pem, &own.key_pem, &ca.cert_pem);
        let listener = grpc::server::bind("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let plane = Self {
            memory: Arc::default(),
            nodes: Arc::new(nodes),
            address,
            ca_pem: ca.cert_pem,
            endpoint: Arc::new(Mutex::new(format!("https://{address}"))),
            tasks: Arc::default(),
            _stop: Arc::new(stop.clone().drop_guard()),
        };
        let service = Service {
            memory: Arc::clone(&plane.memory),
            nodes: Arc::clone(&plane.nodes),
            endpoint: Arc::clone(&plane.endpoint),
        };
        let server = Server {
            listener,
            tls: credentials.node_facing_server(&node_ca.cert_pem),
            policy: POLICY,
            metrics: Metrics::new("plane", "0"),
        };
        let routes = Routes::new(AgentServiceServer::new(service.clone()))
            .add_service(JoinServiceServer::new(service));
        plane.tasks.lock().unwrap().spawn(async move {
            server.serve(routes, stop).await.unwrap();
        });
        plane
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Machines that join from now on are told to dial this.
    pub(crate) fn advertise(&self, address: SocketAddr) {
        *self.endpoint.lock().unwrap() = format!("https://{address}");
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    /// Decides what nodes shall run, and tells those that are connected.
    pub(crate) async fn decide(&self, desired: DesiredState) {
        let desired = self.memory().keep_private(desired);
        self.memory().desired = Some(desired.clone());
        self.tell(Down::DesiredState(desired)).await;
    }

    /// Sends to the newest session, if there is one.
    pub(crate) async fn tell(&self, body: Down) {
        let session = self.memory().sessions.last().cloned();
        if let Some(session) = session {
            // A session that just ended hears it when it comes back.
            session
                .send(Ok(PlaneMessage { body: Some(body) }))
                .await
                .ok();
        }
    }

    /// The last report about an instance: phase name and reason.
    pub(crate) fn last_status(
        &self,
        instance: &str,
    ) -> Option<fluxplane_proto::node_registry::v1::InstanceStatus> {
        let memory = self.memory();
        let last = memory.reports.last()?;
        last.instances
            .iter()
            .find(|status| status.instance_id == instance)
            .cloned()
    }
}

#[derive(Clone)]
struct Service {
    memory: Arc<Mutex<Memory>>,
    nodes: Arc<Authority>,
    endpoint: Arc<Mutex<String>>,
}

impl Service {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    fn certify(&self, csr_pem: &str, node: NodeId) -> (String, Option<Timestamp>) {
        let csr = Csr::from_pem(csr_pem).unwrap();
        let now = SystemClock.now();
        let pem = self
            .nodes
            .certify_node(&csr, &Peer::Node(node), now, LIFE)
            .unwrap();
        self.memory().keys.insert(node, csr.public_key().to_vec());
        (
            pem,
            Some(Timestamp {
                seconds: (now + LIFE).timestamp(),
                nanos: 0,
            }),
        )
    }

    fn take(&self, node: NodeId, nonce: &[u8], body: Up) -> Option<Down> {
        let mut memory = self.memory();
        let key = memory.keys[&node].clone();
        let signed = |statement: attest::Statement, body: &[u8], signature: &[u8]| {
            UnparsedPublicKey::new(&ED25519, &key)
                .verify(&statement.message(body), signature)
                .is_ok()
        };
        match body {
            Up::Heartbeat(beat) => {
                let body = HeartbeatBody::decode(beat.signed.as_slice()).unwrap();
                if !signed(attest::Statement::Heartbeat, &beat.signed, &beat.signature)
                    || body.nonce != nonce
                    || body.node_id != node.to_string()
                {
                    memory.breaches.push("heartbeat".to_owned());
                }
                memory.heartbeats.push(body);
                None
            }
            Up::InstanceReport(report) => {
                memory.reports.push(report);
                None
            }
            Up::UsageReport(report) => {
                if !signed(attest::Statement::Usage, &report.signed, &report.signature) {
                    memory.breaches.push("usage".to_owned());
                }
                let body = UsageReportBody::decode(report.signed.as_slice()).unwrap();
                memory.usage_seen.push(body.sequence);
                if memory.usage_away {
                    return None;
                }
                let last = memory.usage.last().map_or(0, |last| last.sequence);
                if body.sequence == last + 1 {
                    memory.usage.push(body.clone());
                } else if body.sequence > last + 1 {
                    return Some(Down::UsageAck(UsageAck { sequence: last }));
                }
                Some(Down::UsageAck(UsageAck {
                    sequence: body.sequence,
                }))
            }
            Up::LogChunk(chunk) => {
                memory.chunks.push(chunk);
                None
            }
            Up::Hello(_) => {
                memory.breaches.push("second hello".to_owned());
                None
            }
        }
    }
}

#[tonic::async_trait]
impl JoinService for Service {
    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinResponse>, Status> {
        let request = request.into_inner();
        self.memory().joins.push(request.clone());
        if let Some(refusal) = self.memory().refuse_join.clone() {
            return Err(refusal);
        }
        let digest = Csr::from_pem(&request.csr_pem).unwrap().digest();
        let message = attest::join_message(&request.token, &digest);
        let signed = CompactSignature::from_base64(&request.node_key_signature).is_ok_and(|s| {
            s.verify_id(
                &node_key().public_key().id(),
                Magic::FLUX,
                message.as_bytes(),
            )
        });
        if !signed {
            return Err(to_status(&WrongKey));
        }
        let node = NodeId::new(SystemIds.next());
        let (certificate_pem, expires_at) = self.certify(&request.csr_pem, node);
        Ok(Response::new(JoinResponse {
            node_id: node.to_string(),
            certificate_pem,
            expires_at,
            agent_endpoint: self.endpoint.lock().unwrap().clone(),
        }))
    }
}

type Messages = Pin<Box<dyn Stream<Item = Result<PlaneMessage, Status>> + Send>>;

#[tonic::async_trait]
impl AgentService for Service {
    type SessionStream = Messages;

    async fn session(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Messages>, Status> {
        let node = caller(&request)?;
        let mut incoming = request.into_inner();
        let Some(AgentMessage {
            body: Some(Up::Hello(hello)),
        }) = incoming.message().await?
        else {
            return Err(Status::invalid_argument("a session begins with hello"));
        };
        let (outgoing, messages) = mpsc::channel(64);
        let nonce = SystemIds.next().as_bytes().to_vec();
        let (welcome, desired) = {
            let mut memory = self.memory();
            memory.hellos.push(hello);
            memory.sessions.push(outgoing.clone());
            let welcome = Welcome {
                nonce: nonce.clone(),
                heartbeat_interval_ms: HEARTBEAT_MS,
                usage_interval_s: USAGE_INTERVAL_S,
                last_heartbeat_sequence: memory.heartbeats.last().map_or(0, |beat| beat.sequence),
                last_usage_sequence: memory.usage.last().map_or(0, |usage| usage.sequence),
            };
            (welcome, memory.desired.clone())
        };
        let first = [
            Some(Down::Welcome(welcome)),
            desired.map(Down::DesiredState),
        ];
        for body in first.into_iter().flatten() {
            outgoing
                .send(Ok(PlaneMessage { body: Some(body) }))
                .await
                .unwrap();
        }
        let service = self.clone();
        #[expect(clippy::disallowed_methods, reason = "ends with the stream")]
        tokio::spawn(async move {
            while let Ok(Some(AgentMessage { body: Some(body) })) = incoming.message().await {
                if let Some(answer) = service.take(node, &nonce, body) {
                    outgoing
                        .send(Ok(PlaneMessage { body: Some(answer) }))
                        .await
                        .ok();
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn fetch_private(
        &self,
        request: Request<FetchPrivateRequest>,
    ) -> Result<Response<FetchPrivateResponse>, Status> {
        let node = caller(&request)?;
        seal(&mut self.memory(), node, request.get_ref()).map(Response::new)
    }

    async fn renew_certificate(
        &self,
        request: Request<RenewCertificateRequest>,
    ) -> Result<Response<RenewCertificateResponse>, Status> {
        let node = caller(&request)?;
        let (certificate_pem, expires_at) = self.certify(&request.into_inner().csr_pem, node);
        self.memory().renewals += 1;
        Ok(Response::new(RenewCertificateResponse {
            certificate_pem,
            expires_at,
        }))
    }
}

/// Seals the private part of an instance as the scheduler does.
fn seal(
    memory: &mut Memory,
    node: NodeId,
    asked: &FetchPrivateRequest,
) -> Result<FetchPrivateResponse, Status> {
    memory.fetches += 1;
    if let Some(refusal) = memory.refuse_private.clone() {
        return Err(refusal);
    }
    let (part, epoch) = memory
        .private
        .get(&asked.instance_id)
        .ok_or_else(|| Status::permission_denied("not yours"))?;
    if *epoch != asked.assignment_epoch {
        return Err(Status::failed_precondition("the assignment is over"));
    }
    let delivery = Delivery {
        instance: asked.instance_id.parse().unwrap(),
        epoch: asked.assignment_epoch,
        node: node.uuid(),
    };
    let plaintext = part.encode_to_vec();
    let sealed = seal_to(&asked.recipient_key, delivery, &plaintext, &SystemEntropy).unwrap();
    Ok(FetchPrivateResponse {
        encapsulated_key: sealed.encapsulated,
        ciphertext: sealed.ciphertext,
    })
}

fn caller<T>(request: &Request<T>) -> Result<NodeId, Status> {
    match request.extensions().get::<Peer>() {
        Some(Peer::Node(node)) => Ok(*node),
        _ => Err(Status::unauthenticated("only nodes have sessions")),
    }
}
