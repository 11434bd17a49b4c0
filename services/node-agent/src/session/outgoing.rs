//! What the agent says, in two lanes: proofs of life never wait behind output of instances.

use std::time::Duration;

use fluxplane_proto::node_registry::v1::{AgentMessage, LogChunk, agent_message::Body};
use futures::{Stream, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Messages that may wait for the connection. The agent sends a few per second.
const CONTROL: usize = 64;

/// Chunks of output that may wait, each of up to 256 KiB.
const OUTPUT: usize = 4;

/// A connection that takes nothing for this long is dead.
const SEND_LIMIT: Duration = Duration::from_secs(10);

/// Both lanes. Clones feed the same stream.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    control: mpsc::Sender<AgentMessage>,
    output: mpsc::Sender<AgentMessage>,
}

/// The stream is gone or stuck.
#[derive(Debug)]
pub(super) struct Stuck;

/// Makes the lanes and the stream that is fed by them.
pub(super) fn lanes() -> (Outgoing, impl Stream<Item = AgentMessage> + Send + 'static) {
    let (control, controls) = mpsc::channel(CONTROL);
    let (output, outputs) = mpsc::channel(OUTPUT);
    let merged = stream::select(ReceiverStream::new(controls), ReceiverStream::new(outputs));
    (Outgoing { control, output }, merged)
}

impl Outgoing {
    pub(super) async fn send(&self, body: Body) -> Result<(), Stuck> {
        let message = AgentMessage { body: Some(body) };
        match tokio::time::timeout(SEND_LIMIT, self.control.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Stuck),
        }
    }

    /// Waits for as long as the reader at the other end is slow.
    pub(super) async fn send_output(&self, chunk: LogChunk) -> Result<(), Stuck> {
        let message = AgentMessage {
            body: Some(Body::LogChunk(chunk)),
        };
        self.output.send(message).await.map_err(|_| Stuck)
    }
}
