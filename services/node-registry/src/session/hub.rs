//! Which agents are connected to this replica.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fluxplane_core::id::NodeId;
use fluxplane_proto::node_registry::v1::{
    LogChunk, PlaneMessage, StreamLogsRequest, StreamLogsResponse, plane_message::Body,
};
use futures::Stream;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use super::logs::{self, LogRoutes};
use crate::app::Error;

/// Messages to an agent that may wait. An agent that does not read is cut off.
pub(super) const OUTGOING: usize = 64;

/// A connected agent.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) outgoing: mpsc::Sender<Result<PlaneMessage, Status>>,
    /// Told when the node's desired state changed.
    pub(super) desired_changed: Arc<Notify>,
    pub(super) logs: LogRoutes,
    /// Ends the session.
    pub(super) close: CancellationToken,
    session: Uuid,
}

/// The connected agents. Clones share them.
#[derive(Debug, Clone)]
pub struct Hub {
    links: Arc<Mutex<HashMap<NodeId, Link>>>,
    connected: Gauge,
}

impl Hub {
    pub fn new(connected: Gauge) -> Self {
        Self {
            links: Arc::default(),
            connected,
        }
    }

    /// Adds a session; an older one of the same node is closed.
    pub(super) fn connect(
        &self,
        node: NodeId,
        session: Uuid,
        close: CancellationToken,
    ) -> (Link, mpsc::Receiver<Result<PlaneMessage, Status>>) {
        let (outgoing, receiver) = mpsc::channel(OUTGOING);
        let link = Link {
            outgoing,
            desired_changed: Arc::default(),
            logs: LogRoutes::default(),
            close,
            session,
        };
        let mut links = self.lock();
        if let Some(older) = links.insert(node, link.clone()) {
            tracing::info!(node.id = %node, "a newer session replaces the old one");
            older.close.cancel();
        }
        self.connected
            .set(i64::try_from(links.len()).unwrap_or(i64::MAX));
        (link, receiver)
    }

    /// Removes a session, unless a newer one took its place.
    pub(super) fn disconnect(&self, node: NodeId, session: Uuid) {
        let mut links = self.lock();
        if links.get(&node).is_some_and(|link| link.session == session) {
            links.remove(&node);
        }
        self.connected
            .set(i64::try_from(links.len()).unwrap_or(i64::MAX));
    }

    /// Tells a node's session that its desired state changed; nothing happens when it is not here.
    pub fn desired_changed(&self, node: NodeId) {
        if let Some(link) = self.lock().get(&node) {
            link.desired_changed.notify_one();
        }
    }

    /// Tells every session to look at its desired state again, after notifications may have been missed.
    pub fn all_desired_changed(&self) {
        for link in self.lock().values() {
            link.desired_changed.notify_one();
        }
    }

    /// Asks a node for the output of an instance.
    pub async fn open_logs(
        &self,
        node: NodeId,
        request_id: Uuid,
        request: StreamLogsRequest,
    ) -> Result<impl Stream<Item = Result<StreamLogsResponse, Status>> + Send + 'static, Error>
    {
        let link = self
            .lock()
            .get(&node)
            .cloned()
            .ok_or(Error::NotConnected(node))?;
        logs::open(link, node, request_id, request).await
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeId, Link>> {
        // Every change is a single insert or remove, so a panicking holder leaves the map whole.
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Sends to the agent; an agent that does not take its messages is cut off.
    pub(super) fn send(&self, body: Body) {
        if self
            .outgoing
            .try_send(Ok(PlaneMessage { body: Some(body) }))
            .is_err()
        {
            self.close.cancel();
        }
    }

    pub(super) fn route_logs(&self, chunk: LogChunk) {
        self.logs.deliver(chunk);
    }
}
