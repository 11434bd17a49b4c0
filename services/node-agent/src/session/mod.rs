//! The one stream to the plane. The agent dials; nothing on the machine listens for commands.
//!
//! A session that ends is opened again, for ever, after a growing pause. Nothing that runs on the machine depends on it.

mod logs;
mod outgoing;
mod stream;
mod wire;

use std::{sync::Arc, time::Duration};

use fluxplane_core::{Clock, Resources, id::NodeId};
use fluxplane_platform::{error::chain, grpc, health::Component, tls::Credentials};
use fluxplane_proto::node_registry::v1::agent_service_client::AgentServiceClient;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use uuid::Uuid;

use self::stream::{Ended, Session};
use crate::{
    app::{apply_desired::DesiredStates, identity::Identities, metering::Metering, signer::Signer},
    clients::private::PrivateClient,
    domain::backoff::Backoff,
    entropy::jitter,
    metrics::AgentMetrics,
    runtime::Runtime,
    store::{HeartbeatSequence, Identity, UsageQueue},
    supervisor::Board,
};

/// First pause before dialling again.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Longest pause: a plane that comes back has its nodes back within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Time for TCP, TLS and HTTP/2.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A plane that does not answer a ping within this time is gone.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// Everything a session needs.
#[derive(Debug)]
pub struct Context {
    pub node: NodeId,
    pub agent_version: &'static str,
    /// Changes with every start of the agent.
    pub boot_id: Uuid,
    /// What this machine offers.
    pub capacity: Resources,
    pub identities: Identities,
    pub signer: Arc<Signer>,
    pub runtime: Arc<dyn Runtime>,
    pub board: Board,
    pub desired: DesiredStates,
    pub metering: Metering,
    pub usage: UsageQueue,
    pub metrics: AgentMetrics,
    pub clock: Arc<dyn Clock>,
    /// Where private parts are asked for, while there is a session.
    pub line: watch::Sender<Option<PrivateClient>>,
}

/// Keeps a session.
#[derive(Debug)]
pub struct Dialler {
    pub context: Arc<Context>,
    pub heartbeats: HeartbeatSequence,
    pub health: Component,
    /// Whether there is a session now.
    pub connected: watch::Sender<bool>,
}

impl Dialler {
    /// Dials and serves sessions until cancelled.
    pub async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        self.health.affected("not connected to the plane yet");
        while !stop.is_cancelled() {
            let ended = tokio::select! {
                () = stop.cancelled() => None,
                ended = self.dial(&mut backoff) => Some(ended),
            };
            self.context.metrics.session.set(0);
            self.connected.send_replace(false);
            self.context.line.send_replace(None);
            let Some(ended) = ended else { break };
            let pause = backoff.failed(jitter());
            let retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(reason = %ended, retry_ms, "no session with the plane, workloads go on");
            self.health.affected(ended.to_string());
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        Ok(())
    }

    /// One session, from dialling to its end.
    async fn dial(&mut self, backoff: &mut Backoff) -> Ended {
        let identity = self.context.identities.current();
        let channel = match connect(&identity).await {
            Ok(channel) => channel,
            Err(err) => {
                self.context.metrics.connection("failed");
                return Ended::Unreachable(format!("{}: {err:#}", identity.agent_endpoint));
            }
        };
        let client = AgentServiceClient::new(channel);
        let context = Arc::clone(&self.context);
        let line = PrivateClient::new(client.clone());
        let session = match Session::open(context, client, &mut self.heartbeats).await {
            Ok(session) => session,
            Err(ended) => {
                self.context.metrics.connection("failed");
                return ended;
            }
        };
        let welcomed_at = Instant::now();
        self.context.metrics.connection("welcomed");
        self.context.metrics.session.set(1);
        self.connected.send_replace(true);
        self.context.line.send_replace(Some(line));
        self.health.ready();
        tracing::info!(
            plane.endpoint = identity.agent_endpoint,
            "session with the plane"
        );
        let ended = session.serve().await;
        self.context.metrics.connection("lost");
        if welcomed_at.elapsed() >= LONGEST_PAUSE {
            backoff.succeeded();
        }
        ended
    }
}

async fn connect(identity: &Identity) -> anyhow::Result<Channel> {
    let credentials = Credentials::from_pem(
        &identity.certificate_pem,
        &identity.key_pem,
        &identity.ca_pem,
    );
    let endpoint = grpc::client::channel(&identity.agent_endpoint, credentials.client())?
        .keep_alive_timeout(PING_LIMIT);
    match tokio::time::timeout(CONNECT_LIMIT, endpoint.connect()).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(err)) => anyhow::bail!("{}", chain(&err)),
        Err(_) => anyhow::bail!("no connection within {} s", CONNECT_LIMIT.as_secs()),
    }
}
