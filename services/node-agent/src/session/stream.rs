//! One session, from hello to its end.

use std::{fmt, sync::Arc, time::Duration};

use fluxplane_core::attest::Statement;
use fluxplane_platform::{error::Remote, propagation};
use fluxplane_proto::node_registry::v1::{
    DesiredState, Heartbeat, HeartbeatBody, Hello, PlaneMessage, SignedUsageReport, UsageAck,
    Welcome, agent_message::Body as Up, agent_service_client::AgentServiceClient,
    plane_message::Body as Down,
};
use prost::Message as _;
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior},
};
use tonic::{Status, Streaming, transport::Channel};
use tracing::Instrument as _;

use super::{
    Context,
    logs::Readers,
    outgoing::{Outgoing, Stuck, lanes},
    wire,
};
use crate::{
    metrics::OutcomeLabels,
    store::{HeartbeatSequence, StoreError, blocking},
};

/// The plane answers a hello within this time.
const WELCOME_LIMIT: Duration = Duration::from_secs(15);

/// What runs is told again this often, changed or not.
const REPORT_PERIOD: Duration = Duration::from_secs(15);

/// Changes that come together go out together.
const GATHER: Duration = Duration::from_millis(20);

/// Usage reports sent ahead of their acknowledgement.
const USAGE_AHEAD: usize = 32;

/// Shortest time between heartbeats, whatever the plane says.
const MIN_HEARTBEAT_MS: u32 = 100;

/// Why there is no session.
#[derive(Debug)]
pub(super) enum Ended {
    /// No connection.
    Unreachable(String),
    /// The plane answered no.
    Refused(Remote),
    /// The connection broke, or the plane closed it.
    Closed(String),
    /// The plane broke the protocol.
    Protocol(&'static str),
    /// The data folder cannot be written.
    Store(StoreError),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(cause) => write!(f, "the plane cannot be reached: {cause}"),
            Self::Refused(remote) => {
                write!(f, "the plane refused the session: {remote}")?;
                remote
                    .violations
                    .iter()
                    .try_for_each(|violation| write!(f, "; {violation}"))
            }
            Self::Closed(cause) => write!(f, "the session ended: {cause}"),
            Self::Protocol(what) => write!(f, "the plane broke the protocol: {what}"),
            Self::Store(err) => write!(f, "{}", fluxplane_platform::error::chain(err)),
        }
    }
}

impl From<Stuck> for Ended {
    fn from(Stuck: Stuck) -> Self {
        Self::Closed("the connection takes nothing any more".to_owned())
    }
}

impl From<StoreError> for Ended {
    fn from(err: StoreError) -> Self {
        Self::Store(err)
    }
}

/// A session that was welcomed.
pub(super) struct Session<'a> {
    context: Arc<Context>,
    heartbeats: &'a mut HeartbeatSequence,
    outgoing: Outgoing,
    incoming: Streaming<PlaneMessage>,
    readers: Readers,
    nonce: Vec<u8>,
    heartbeat_every: Duration,
    /// Usage reports acknowledged up to here, and sent up to there.
    usage_acknowledged: u64,
    usage_sent: u64,
}

impl<'a> Session<'a> {
    /// Says hello and waits to be welcomed.
    pub(super) async fn open(
        context: Arc<Context>,
        mut client: AgentServiceClient<Channel>,
        heartbeats: &'a mut HeartbeatSequence,
    ) -> Result<Self, Ended> {
        let (outgoing, messages) = lanes();
        outgoing.send(Up::Hello(hello(&context).await)).await?;
        let greeting = async {
            let mut incoming = client.session(messages).await?.into_inner();
            let first = incoming.message().await?;
            Ok::<_, Status>((incoming, first))
        };
        let (incoming, first) = match tokio::time::timeout(WELCOME_LIMIT, greeting).await {
            Ok(Ok(greeted)) => greeted,
            Ok(Err(status)) => return Err(refused(status)),
            Err(_) => return Err(Ended::Protocol("no welcome in time")),
        };
        let Some(Down::Welcome(welcome)) = first.and_then(|message| message.body) else {
            return Err(Ended::Protocol("the first message is no welcome"));
        };

        heartbeats.seen(welcome.last_heartbeat_sequence);
        context.metering.set_interval_s(welcome.usage_interval_s);
        let (queue, last) = (context.usage.clone(), welcome.last_usage_sequence);
        blocking(move || queue.resume_after(last)).await?;
        let readers = Readers::new(
            context.node,
            Arc::clone(&context.runtime),
            context.board.clone(),
            outgoing.clone(),
        );
        let Welcome {
            nonce,
            heartbeat_interval_ms,
            ..
        } = welcome;
        let heartbeat_ms = heartbeat_interval_ms.max(MIN_HEARTBEAT_MS);
        Ok(Self {
            context,
            heartbeats,
            outgoing,
            incoming,
            readers,
            nonce,
            heartbeat_every: Duration::from_millis(heartbeat_ms.into()),
            usage_acknowledged: last,
            usage_sent: last,
        })
    }

    /// Serves until the session ends.
    pub(super) async fn serve(mut self) -> Ended {
        match self.talk().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn talk(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mut beat = every(self.heartbeat_every);
        let mut again = every(REPORT_PERIOD);
        let mut changes = self.context.board.watch();
        let mut usage = self.context.usage.watch();
        // The first tick of `again` is the first report.
        changes.mark_unchanged();
        self.send_usage().await?;
        loop {
            tokio::select! {
                _ = beat.tick() => self.send_heartbeat().await?,
                _ = again.tick() => self.send_report(&mut changes).await?,
                Ok(()) = changes.changed() => {
                    tokio::time::sleep(GATHER).await;
                    self.send_report(&mut changes).await?;
                }
                Ok(()) = usage.changed() => self.send_usage().await?,
                () = self.readers.ended() => {}
                message = self.incoming.message() => match message.map_err(refused)? {
                    Some(PlaneMessage { body: Some(body) }) => self.take(body).await?,
                    // A newer plane may say things we do not know.
                    Some(PlaneMessage { body: None }) => {}
                    None => return Err(Ended::Closed("the plane closed it".to_owned())),
                },
            }
        }
    }

    async fn take(&mut self, body: Down) -> Result<(), Ended> {
        match body {
            Down::DesiredState(desired) => self.desired(desired).await,
            Down::UsageAck(UsageAck { sequence }) => self.acknowledged(sequence).await,
            Down::LogRequest(request) => Ok(self.readers.open(request).await?),
            Down::LogCancel(cancel) => {
                self.readers.cancel(&cancel.request_id);
                Ok(())
            }
            Down::Welcome(_) => Err(Ended::Protocol("a second welcome")),
        }
    }

    async fn desired(&self, offered: DesiredState) -> Result<(), Ended> {
        let span = tracing::info_span!("apply desired state", desired.version = offered.version);
        propagation::set_parent_text(&span, &offered.traceparent);
        let offered = match wire::desired(offered) {
            Ok(offered) => offered,
            Err(err) => {
                tracing::error!(error = %err, "refused a malformed desired state");
                let labels = OutcomeLabels {
                    outcome: "malformed",
                };
                self.context
                    .metrics
                    .desired_states
                    .get_or_create(&labels)
                    .inc();
                return Ok(());
            }
        };
        self.context.desired.apply(offered).instrument(span).await?;
        Ok(())
    }

    async fn send_heartbeat(&mut self) -> Result<(), Ended> {
        let sequence = self.heartbeats.next().await?;
        let body = HeartbeatBody {
            node_id: self.context.node.to_string(),
            boot_id: self.context.boot_id.to_string(),
            sequence,
            at: Some(wire::timestamp(self.context.clock.now())),
            nonce: self.nonce.clone(),
        };
        let signed = body.encode_to_vec();
        let signature = self.context.signer.sign(Statement::Heartbeat, &signed);
        self.outgoing
            .send(Up::Heartbeat(Heartbeat { signed, signature }))
            .await?;
        self.context.metrics.heartbeats.inc();
        Ok(())
    }

    async fn send_report(&self, changes: &mut watch::Receiver<u64>) -> Result<(), Ended> {
        changes.mark_unchanged();
        let report = wire::report(self.context.board.report());
        Ok(self.outgoing.send(Up::InstanceReport(report)).await?)
    }

    /// Sends usage reports in order, a bounded number ahead of what is acknowledged.
    async fn send_usage(&mut self) -> Result<(), Ended> {
        let ahead = usize::try_from(self.usage_sent - self.usage_acknowledged);
        let room = USAGE_AHEAD.saturating_sub(ahead.unwrap_or(USAGE_AHEAD));
        for numbered in self.context.usage.after(self.usage_sent, room) {
            let signed = wire::usage(self.context.node, &numbered).encode_to_vec();
            let signature = self.context.signer.sign(Statement::Usage, &signed);
            self.outgoing
                .send(Up::UsageReport(SignedUsageReport { signed, signature }))
                .await?;
            self.usage_sent = numbered.sequence;
        }
        Ok(())
    }

    /// The plane has stored reports up to `sequence`. If that is no news, it is missing some: a new session settles from
    /// where to go on.
    async fn acknowledged(&mut self, sequence: u64) -> Result<(), Ended> {
        if sequence <= self.usage_acknowledged || sequence > self.usage_sent {
            return Err(Ended::Protocol("usage reports are out of step"));
        }
        let queue = self.context.usage.clone();
        blocking(move || queue.acknowledge(sequence)).await?;
        self.usage_acknowledged = sequence;
        self.send_usage().await
    }
}

async fn hello(context: &Context) -> Hello {
    Hello {
        agent_version: context.agent_version.to_owned(),
        boot_id: context.boot_id.to_string(),
        runtime: context.runtime.name().to_owned(),
        capacity: Some(wire::resources(context.capacity)),
        desired_version: context.desired.version().await,
    }
}

/// What the plane said no with; a broken connection is no answer.
fn refused(status: Status) -> Ended {
    let remote = Remote::from(status);
    if remote.kind.retryable() {
        Ended::Closed(remote.message)
    } else {
        Ended::Refused(remote)
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval_at(Instant::now(), period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
