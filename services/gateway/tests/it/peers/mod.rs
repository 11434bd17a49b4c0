//! The other services in one process: scripted, over real gRPC with mutual TLS, and they remember who asked what.

mod billing;
mod chain;
mod data;
mod evm;
mod fluxnodes;
mod ledger;
mod payments;
mod registry;
mod scheduler;
mod secrets;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::{
    error::{ServiceError, to_status},
    grpc::{Policy, Server, server, server::Allow},
    metrics::Metrics,
    tls::Credentials,
};
use fluxplane_proto::{
    billing::v1 as billing_wire,
    billing::v1::billing_service_server::BillingServiceServer,
    chain_indexer::v1 as chain_wire,
    chain_indexer::v1::{
        chain_service_server::ChainServiceServer, evm_service_server::EvmServiceServer,
        fluxnode_service_server::FluxnodeServiceServer, ledger_service_server::LedgerServiceServer,
        payment_service_server::PaymentServiceServer,
    },
    common::v1::Caller,
    node_registry::v1 as registry_wire,
    node_registry::v1::node_service_server::NodeServiceServer,
    scheduler::v1 as scheduler_wire,
    scheduler::v1::{
        app_service_server::AppServiceServer, secret_service_server::SecretServiceServer,
    },
    validator::v1 as validator_wire,
    validator::v1::validator_service_server::ValidatorServiceServer,
};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, service::Routes};

pub(crate) use data::*;

/// Only the gateway may call, as in the real services.
const POLICY: Policy = Policy {
    rules: &[("/fluxplane.", Allow::Services(&["gateway"]))],
};

/// What the peers know and have seen. Clones share it.
#[derive(Clone)]
pub(crate) struct World {
    state: Arc<Mutex<State>>,
    /// Changes when the timeline grows.
    grown: Arc<watch::Sender<u64>>,
    /// While true, submissions wait.
    pub(crate) held: Arc<watch::Sender<bool>>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) apps: Vec<scheduler_wire::App>,
    pub(crate) secrets: Vec<scheduler_wire::Secret>,
    pub(crate) instances: Vec<scheduler_wire::Instance>,
    pub(crate) messages: Vec<scheduler_wire::PublishedMessage>,
    pub(crate) locations: Vec<scheduler_wire::PublishedInstance>,
    pub(crate) timeline: Vec<scheduler_wire::TimelineEntry>,
    pub(crate) quotes: Vec<billing_wire::Quote>,
    pub(crate) invoices: Vec<billing_wire::Invoice>,
    pub(crate) epochs: Vec<billing_wire::Epoch>,
    pub(crate) leaves: Vec<Result<billing_wire::StreamLeavesResponse, Status>>,
    pub(crate) earnings: Vec<billing_wire::Earning>,
    pub(crate) anchors: Vec<validator_wire::Anchor>,
    pub(crate) nodes: Vec<registry_wire::Node>,
    pub(crate) logs: Vec<Result<registry_wire::StreamLogsResponse, Status>>,
    pub(crate) fluxnodes: Vec<chain_wire::Fluxnode>,
    pub(crate) payments: Vec<chain_wire::Payment>,
    pub(crate) seen: Vec<Seen>,
    refusals: HashMap<&'static str, Status>,
}

/// One call that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: &'static str,
    pub(crate) caller: Caller,
    pub(crate) key: String,
    pub(crate) traceparent: String,
    /// The request as text, to look for what was passed on.
    pub(crate) request: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            state: Arc::default(),
            grown: Arc::new(watch::Sender::new(0)),
            held: Arc::new(watch::Sender::new(false)),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Makes a method fail from now on.
    pub(crate) fn refuse(&self, method: &'static str, status: Status) {
        self.state().refusals.insert(method, status);
    }

    /// Calls of a method so far.
    pub(crate) fn seen(&self, method: &str) -> Vec<Seen> {
        self.state()
            .seen
            .iter()
            .filter(|seen| seen.method == method)
            .cloned()
            .collect()
    }

    /// Adds to the timeline and wakes whoever follows it.
    pub(crate) fn happen(&self, stage: &str) {
        let mut state = self.state();
        let sequence = u64::try_from(state.timeline.len()).unwrap() + 1;
        state.timeline.push(timeline_entry(sequence, stage));
        drop(state);
        self.grown.send_replace(sequence);
    }

    /// Remembers a call; an `Err` is what it answers.
    fn enter<T: std::fmt::Debug>(
        &self,
        method: &'static str,
        request: &Request<T>,
        caller: Option<&Caller>,
        key: &str,
    ) -> Result<(), Status> {
        let traceparent = request.metadata().get("traceparent");
        let seen = Seen {
            method,
            caller: caller.cloned().unwrap_or_default(),
            key: key.to_owned(),
            traceparent: traceparent
                .map(|v| v.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            request: format!("{:?}", request.get_ref()),
        };
        let mut state = self.state();
        state.seen.push(seen);
        state
            .refusals
            .get(method)
            .map_or(Ok(()), |status| Err(status.clone()))
    }
}

/// Serves all peers on one port.
pub(crate) async fn serve(world: &World, credentials: &Credentials) -> (String, JoinSet<()>) {
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let server = Server {
        listener,
        tls: credentials.server(),
        policy: POLICY,
        metrics: Metrics::new("peers", "0"),
    };
    let routes = Routes::new(AppServiceServer::new(world.clone()))
        .add_service(SecretServiceServer::new(world.clone()))
        .add_service(BillingServiceServer::new(world.clone()))
        .add_service(NodeServiceServer::new(world.clone()))
        .add_service(ChainServiceServer::new(world.clone()))
        .add_service(LedgerServiceServer::new(world.clone()))
        .add_service(FluxnodeServiceServer::new(world.clone()))
        .add_service(PaymentServiceServer::new(world.clone()))
        .add_service(EvmServiceServer::new(world.clone()))
        .add_service(ValidatorServiceServer::new(world.clone()));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        server
            .serve(routes, CancellationToken::new())
            .await
            .unwrap();
    });
    (endpoint, tasks)
}

/// A refusal as a service of ours makes it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refusal(String, ErrorKind, Reason, Vec<Violation>);

impl ServiceError for Refusal {
    fn kind(&self) -> ErrorKind {
        self.1
    }

    fn reason(&self) -> Reason {
        self.2
    }

    fn violations(&self) -> Vec<Violation> {
        self.3.clone()
    }
}

/// The status of a refusal with its reason and violations.
pub(crate) fn refusal(
    kind: ErrorKind,
    reason: Reason,
    text: &str,
    violations: Vec<Violation>,
) -> Status {
    to_status(&Refusal(text.to_owned(), kind, reason, violations))
}

fn not_found(what: &str) -> Status {
    refusal(
        ErrorKind::NotFound,
        Reason::NotFound,
        &format!("{what} does not exist"),
        Vec::new(),
    )
}
