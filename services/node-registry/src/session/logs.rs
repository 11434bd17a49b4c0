//! Output of instances: requests go to the agent, chunks come back and find their reader.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fluxplane_core::id::NodeId;
use fluxplane_proto::node_registry::v1::{
    LogCancel, LogChunk, LogRequest, StreamLogsRequest, StreamLogsResponse, plane_message::Body,
};
use futures::Stream;
use tokio::sync::mpsc;
use tonic::Status;
use uuid::Uuid;

use super::hub::Link;
use crate::app::Error;

/// Chunks that may wait for a slow reader; then its stream ends.
const WAITING: usize = 64;

type Reader = mpsc::Sender<Result<StreamLogsResponse, Status>>;

/// Readers of one agent's chunks, by request.
#[derive(Debug, Clone, Default)]
pub(super) struct LogRoutes(Arc<Mutex<HashMap<String, Reader>>>);

impl LogRoutes {
    pub(super) fn deliver(&self, chunk: LogChunk) {
        let mut readers = self.lock();
        let Some(reader) = readers.get(&chunk.request_id) else {
            return;
        };
        let mut taken = true;
        if !chunk.lines.is_empty() {
            taken = reader
                .try_send(Ok(StreamLogsResponse { lines: chunk.lines }))
                .is_ok();
        }
        if !chunk.error.is_empty() {
            reader
                .try_send(Err(Status::failed_precondition(chunk.error)))
                .ok();
        }
        if chunk.end || !taken {
            readers.remove(&chunk.request_id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Reader>> {
        // Every change is a single insert or remove, so a panicking holder leaves the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn open(
    link: Link,
    node: NodeId,
    request_id: Uuid,
    request: StreamLogsRequest,
) -> Result<impl Stream<Item = Result<StreamLogsResponse, Status>> + Send + 'static, Error> {
    let request_id = request_id.to_string();
    let (reader, chunks) = mpsc::channel(WAITING);
    link.logs.lock().insert(request_id.clone(), reader);
    let body = Body::LogRequest(LogRequest {
        request_id: request_id.clone(),
        instance_id: request.instance_id,
        component: request.component,
        tail_lines: request.tail_lines,
        follow: request.follow,
    });
    let message = fluxplane_proto::node_registry::v1::PlaneMessage { body: Some(body) };
    if link.outgoing.send(Ok(message)).await.is_err() {
        return Err(Error::NotConnected(node));
    }
    let cancel = CancelOnDrop { link, request_id };
    // The guard travels with the stream: whoever stops reading stops the agent.
    Ok(futures::stream::unfold(
        (chunks, cancel),
        |(mut chunks, cancel)| async move {
            let next = chunks.recv().await?;
            Some((next, (chunks, cancel)))
        },
    ))
}

struct CancelOnDrop {
    link: Link,
    request_id: String,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.link.logs.lock().remove(&self.request_id);
        let request_id = std::mem::take(&mut self.request_id);
        self.link.send(Body::LogCancel(LogCancel { request_id }));
    }
}
