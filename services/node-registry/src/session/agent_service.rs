//! One session of one agent.

use std::{pin::Pin, time::Duration};

use fluxplane_core::{attest::Statement, id::NodeId};
use fluxplane_platform::{
    error::{ServiceError as _, to_status},
    propagation,
    tls::Peer,
};
use fluxplane_proto::node_registry::v1::{
    AgentMessage, DesiredState, FetchPrivateRequest, FetchPrivateResponse, Heartbeat,
    HeartbeatBody, Hello, InstanceReport, PlaneMessage, RenewCertificateRequest,
    RenewCertificateResponse, SignedUsageReport, UsageAck, UsageReportBody, Welcome,
    agent_message::Body as Up, agent_service_server::AgentService, plane_message::Body as Down,
};
use futures::Stream;
use prost::Message as _;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument as _;

use super::{
    BeatQueue,
    hub::{Hub, Link},
};
use crate::{
    app::{
        Context, Error,
        join::Admission,
        queries,
        renew_certificate::renew_certificate,
        reports::{self, UsageOutcome},
        store_desired,
    },
    clients::scheduler::Scheduler,
    db::nodes::Beat,
    domain::{Node, signed},
    events::announce::{Reported, SignedReport},
    grpc::convert,
    metrics::{OutcomeLabels, RegistryMetrics},
};

/// An agent says hello within this time.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// Desired state is looked at again this often, so that a lost notification costs latency and nothing else.
const RECHECK: Duration = Duration::from_secs(15);

/// How often agents speak.
#[derive(Debug, Clone, Copy)]
pub struct Intervals {
    pub heartbeat: Duration,
    pub usage: Duration,
}

#[derive(Debug, Clone)]
pub struct AgentGrpc {
    pub ctx: Context,
    pub admission: Admission,
    pub scheduler: Scheduler,
    pub hub: Hub,
    pub beats: BeatQueue,
    pub metrics: RegistryMetrics,
    pub intervals: Intervals,
    pub sessions: TaskTracker,
    pub stop: CancellationToken,
}

type Messages = Pin<Box<dyn Stream<Item = Result<PlaneMessage, Status>> + Send>>;

#[tonic::async_trait]
impl AgentService for AgentGrpc {
    type SessionStream = Messages;

    async fn session(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Messages>, Status> {
        let node = caller(&request)?;
        let mut incoming = request.into_inner();
        let hello = hello(&mut incoming).await?;
        let offered = convert::resources_from_wire(hello.capacity);
        let node = reports::greet(
            &self.ctx,
            node,
            &hello.agent_version,
            &hello.runtime,
            offered,
        )
        .await
        .map_err(|err| to_status(&err))?;
        let mut nonce = [0; 16];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| Status::unavailable("no randomness"))?;

        let session = self.ctx.ids.next();
        let close = self.stop.child_token();
        let (link, outgoing) = self.hub.connect(node.id, session, close);
        link.send(Down::Welcome(Welcome {
            nonce: nonce.to_vec(),
            heartbeat_interval_ms: millis(self.intervals.heartbeat),
            usage_interval_s: u32::try_from(self.intervals.usage.as_secs()).unwrap_or(u32::MAX),
            last_heartbeat_sequence: node.heartbeat_sequence,
            last_usage_sequence: node.usage_sequence,
        }));
        tracing::info!(node.id = %node.id, agent.version = hello.agent_version, "agent connected");
        let service = self.clone();
        self.sessions.spawn(async move {
            let id = node.id;
            let running = Session {
                service: &service,
                node,
                link,
                nonce,
                desired_sent: 0,
            };
            if let Err(err) = running.run(incoming).await {
                tracing::info!(node.id = %id, error = %err, "agent session failed");
            }
            service.hub.disconnect(id, session);
            tracing::info!(node.id = %id, "agent disconnected");
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(outgoing))))
    }

    async fn fetch_private(
        &self,
        request: Request<FetchPrivateRequest>,
    ) -> Result<Response<FetchPrivateResponse>, Status> {
        let node = caller(&request)?;
        let asked = request.into_inner();
        let (instance, epoch) = (asked.instance_id.clone(), asked.assignment_epoch);
        let passed = self.pass_private(node, asked).await;
        let outcome = match &passed {
            Ok(_) => "delivered",
            Err(err) if err.kind().retryable() => "unavailable",
            Err(_) => "refused",
        };
        let fetches = &self.metrics.private_fetches;
        fetches.get_or_create(&OutcomeLabels { outcome }).inc();
        tracing::info!(
            node.id = %node,
            instance.id = instance,
            assignment.epoch = epoch,
            outcome,
            "private part asked for"
        );
        passed.map(Response::new).map_err(|err| to_status(&err))
    }

    async fn renew_certificate(
        &self,
        request: Request<RenewCertificateRequest>,
    ) -> Result<Response<RenewCertificateResponse>, Status> {
        let node = caller(&request)?;
        let csr_pem = request.into_inner().csr_pem;
        let renewed = renew_certificate(&self.ctx, &self.admission, node, &csr_pem)
            .await
            .map_err(|err| to_status(&err))?;
        Ok(Response::new(RenewCertificateResponse {
            certificate_pem: renewed.certificate_pem,
            expires_at: Some(convert::timestamp(renewed.expires_at)),
        }))
    }
}

impl AgentGrpc {
    async fn pass_private(
        &self,
        node: NodeId,
        asked: FetchPrivateRequest,
    ) -> Result<FetchPrivateResponse, Error> {
        queries::serving(&self.ctx, node).await?;
        let passed = self.scheduler.deliver_private(node, asked).await;
        passed.map_err(Error::Scheduler)
    }
}

fn caller<T>(request: &Request<T>) -> Result<NodeId, Status> {
    match request.extensions().get::<Peer>() {
        Some(Peer::Node(id)) => Ok(*id),
        Some(Peer::Service(_) | Peer::Anonymous) | None => {
            Err(Status::unauthenticated("only nodes have sessions"))
        }
    }
}

async fn hello(incoming: &mut Streaming<AgentMessage>) -> Result<Hello, Status> {
    let first = tokio::time::timeout(HELLO_LIMIT, incoming.message())
        .await
        .map_err(|_| Status::deadline_exceeded("no hello"))??;
    match first.and_then(|message| message.body) {
        Some(Up::Hello(hello)) => Ok(hello),
        _ => Err(Status::invalid_argument("a session begins with hello")),
    }
}

/// A session after its hello.
struct Session<'a> {
    service: &'a AgentGrpc,
    node: Node,
    link: Link,
    nonce: [u8; 16],
    /// Version of the desired state sent last.
    desired_sent: i64,
}

impl Session<'_> {
    async fn run(mut self, mut incoming: Streaming<AgentMessage>) -> Result<(), Status> {
        self.send_desired().await?;
        let close = self.link.close.clone();
        let changed = std::sync::Arc::clone(&self.link.desired_changed);
        loop {
            tokio::select! {
                () = close.cancelled() => return Ok(()),
                () = changed.notified() => self.send_desired().await?,
                () = tokio::time::sleep(RECHECK) => self.send_desired().await?,
                message = incoming.message() => match message? {
                    Some(message) => self.take(message.body).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    async fn take(&self, body: Option<Up>) -> Result<(), Status> {
        match body {
            Some(Up::Heartbeat(beat)) => self.heartbeat(&beat),
            Some(Up::InstanceReport(report)) => self.instances(report).await,
            Some(Up::UsageReport(report)) => self.usage(report).await,
            Some(Up::LogChunk(chunk)) => {
                self.link.route_logs(chunk);
                Ok(())
            }
            Some(Up::Hello(_)) => Err(Status::invalid_argument("hello comes first and once")),
            // A newer agent may say things we do not know.
            None => Ok(()),
        }
    }

    fn heartbeat(&self, beat: &Heartbeat) -> Result<(), Status> {
        let key = &self.node.agent_pubkey;
        let body = HeartbeatBody::decode(beat.signed.as_slice())
            .ok()
            .filter(|body| {
                signed::agent_signed(key, Statement::Heartbeat, &beat.signed, &beat.signature)
                    && body.node_id == self.node.id.to_string()
                    && body.nonce == self.nonce
            });
        let Some(body) = body else {
            let labels = OutcomeLabels {
                outcome: "bad_signature",
            };
            self.service.metrics.heartbeats.get_or_create(&labels).inc();
            return Err(Status::unauthenticated(
                "heartbeat is not signed for this session",
            ));
        };
        self.service.beats.push(Beat {
            node: self.node.id,
            sequence: body.sequence,
        });
        Ok(())
    }

    async fn instances(&self, report: InstanceReport) -> Result<(), Status> {
        let span = tracing::info_span!("instance report", node.id = %self.node.id);
        propagation::set_parent_text(&span, &report.traceparent);
        let result = reports::instances_reported(&self.service.ctx, self.node.id, Reported(report));
        result.instrument(span).await.map_err(|err| to_status(&err))
    }

    async fn usage(&self, report: SignedUsageReport) -> Result<(), Status> {
        let body = UsageReportBody::decode(report.signed.as_slice())
            .ok()
            .filter(|body| body.node_id == self.node.id.to_string())
            .ok_or_else(|| Status::invalid_argument("usage report is malformed"))?;
        let report = SignedReport {
            signed: report.signed,
            signature: report.signature,
        };
        let outcome =
            reports::usage_reported(&self.service.ctx, self.node.id, body.sequence, report)
                .await
                .map_err(|err| to_status(&err))?;
        let (outcome, acknowledged) = match outcome {
            UsageOutcome::Stored => ("stored", Some(body.sequence)),
            UsageOutcome::Repeated => ("repeated", Some(body.sequence)),
            // The agent goes on from what we have.
            UsageOutcome::Gap { expected } => ("gap", Some(expected - 1)),
            UsageOutcome::BadSignature => ("bad_signature", None),
        };
        let labels = OutcomeLabels { outcome };
        self.service
            .metrics
            .usage_reports
            .get_or_create(&labels)
            .inc();
        match acknowledged {
            Some(sequence) => {
                self.link.send(Down::UsageAck(UsageAck { sequence }));
                Ok(())
            }
            None => Err(Status::unauthenticated(
                "usage report is not signed by this node",
            )),
        }
    }

    /// Sends the desired state if it is newer than what was sent.
    async fn send_desired(&mut self) -> Result<(), Status> {
        let stored = store_desired::desired(&self.service.ctx, self.node.id)
            .await
            .map_err(|err| to_status(&err))?;
        let Some(stored) = stored.filter(|stored| stored.version > self.desired_sent) else {
            return Ok(());
        };
        let desired = DesiredState::decode(stored.payload.as_slice())
            .map_err(|err| to_status(&Error::from(err)))?;
        self.link.send(Down::DesiredState(desired));
        self.desired_sent = stored.version;
        Ok(())
    }
}

fn millis(span: Duration) -> u32 {
    u32::try_from(span.as_millis()).unwrap_or(u32::MAX)
}
