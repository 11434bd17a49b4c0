//! An agent as small as the stream allows.

use fluxplane_core::attest::Statement;
use fluxplane_platform::{grpc, tls::Credentials};
use fluxplane_proto::node_registry::v1::{
    AgentMessage, DesiredState, FetchPrivateRequest, FetchPrivateResponse, Heartbeat,
    HeartbeatBody, Hello, JoinResponse, PlaneMessage, SignedUsageReport, UsageReportBody, Welcome,
    agent_message::Body as Up, agent_service_client::AgentServiceClient,
    plane_message::Body as Down,
};
use fluxplane_testkit::PATIENCE;
use prost::Message as _;
use rcgen::SigningKey as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::support::Plane;

pub(crate) struct Agent {
    pub(crate) node_id: String,
    key: rcgen::KeyPair,
    credentials: Credentials,
    endpoint: String,
}

/// A connected agent.
pub(crate) struct Session<'a> {
    agent: &'a Agent,
    pub(crate) welcome: Welcome,
    outgoing: mpsc::Sender<AgentMessage>,
    incoming: Streaming<PlaneMessage>,
}

impl Agent {
    pub(crate) fn new(plane: &Plane, joined: (JoinResponse, rcgen::KeyPair)) -> Self {
        let (joined, key) = joined;
        let credentials =
            Credentials::from_pem(&joined.certificate_pem, &key.serialize_pem(), &plane.ca_pem);
        Self {
            node_id: joined.node_id,
            key,
            credentials,
            endpoint: joined.agent_endpoint,
        }
    }

    pub(crate) async fn connect(&self) -> Result<Session<'_>, Status> {
        let endpoint = grpc::client::channel(&self.endpoint, self.credentials.client()).unwrap();
        let mut client = AgentServiceClient::new(endpoint.connect().await.unwrap());
        let (outgoing, receiver) = mpsc::channel(64);
        let hello = Hello {
            agent_version: "1.0.0".to_owned(),
            boot_id: "boot".to_owned(),
            runtime: "test".to_owned(),
            capacity: Some(fluxplane_proto::common::v1::Resources {
                cpu_milli: 4_000,
                ram_mib: 1 << 40,
                disk_gib: 100,
            }),
            desired_version: 0,
        };
        outgoing
            .send(AgentMessage {
                body: Some(Up::Hello(hello)),
            })
            .await
            .unwrap();
        let mut incoming = client
            .session(ReceiverStream::new(receiver))
            .await?
            .into_inner();
        let first = incoming.message().await?.unwrap();
        let Some(Down::Welcome(welcome)) = first.body else {
            panic!("{first:?}")
        };
        Ok(Session {
            agent: self,
            welcome,
            outgoing,
            incoming,
        })
    }

    /// Asks for the private part of an instance.
    pub(crate) async fn fetch_private(
        &self,
        request: FetchPrivateRequest,
    ) -> Result<FetchPrivateResponse, Status> {
        let endpoint = grpc::client::channel(&self.endpoint, self.credentials.client()).unwrap();
        let mut client = AgentServiceClient::new(endpoint.connect().await.unwrap());
        Ok(client.fetch_private(request).await?.into_inner())
    }

    pub(crate) fn sign(&self, statement: Statement, body: &[u8]) -> Vec<u8> {
        self.key.sign(&statement.message(body)).unwrap()
    }
}

impl Session<'_> {
    pub(crate) async fn send(&self, body: Up) {
        self.outgoing
            .send(AgentMessage { body: Some(body) })
            .await
            .unwrap();
    }

    pub(crate) async fn beat(&self, sequence: u64) {
        let body = HeartbeatBody {
            node_id: self.agent.node_id.clone(),
            boot_id: "boot".to_owned(),
            sequence,
            at: None,
            nonce: self.welcome.nonce.clone(),
        };
        let signed = body.encode_to_vec();
        let signature = self.agent.sign(Statement::Heartbeat, &signed);
        self.send(Up::Heartbeat(Heartbeat { signed, signature }))
            .await;
    }

    pub(crate) async fn usage(&self, sequence: u64) {
        let signed = self.usage_body(sequence);
        let signature = self.agent.sign(Statement::Usage, &signed);
        self.send(Up::UsageReport(SignedUsageReport { signed, signature }))
            .await;
    }

    pub(crate) fn usage_body(&self, sequence: u64) -> Vec<u8> {
        UsageReportBody {
            node_id: self.agent.node_id.clone(),
            sequence,
            from_unix_s: sequence * 10,
            to_unix_s: sequence * 10 + 10,
            instances: Vec::new(),
        }
        .encode_to_vec()
    }

    /// The next message, whatever it is.
    pub(crate) async fn next(&mut self) -> Result<Option<Down>, Status> {
        let message = tokio::time::timeout(PATIENCE, self.incoming.message()).await;
        Ok(message
            .expect("a message in time")?
            .and_then(|message| message.body))
    }

    pub(crate) async fn next_desired(&mut self) -> DesiredState {
        loop {
            match self.next().await.unwrap() {
                Some(Down::DesiredState(desired)) => return desired,
                Some(_) => {}
                None => panic!("the stream ended"),
            }
        }
    }

    pub(crate) async fn next_ack(&mut self) -> u64 {
        loop {
            match self.next().await.unwrap() {
                Some(Down::UsageAck(ack)) => return ack.sequence,
                Some(_) => {}
                None => panic!("the stream ended"),
            }
        }
    }
}
