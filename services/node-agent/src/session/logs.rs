//! Output of instances on its way to a reader somewhere behind the plane.

use std::{collections::HashMap, sync::Arc, time::Duration};

use fluxplane_core::id::NodeId;
use fluxplane_proto::node_registry::v1::{LogChunk, LogLine, LogRequest};
use futures::{StreamExt as _, stream, stream::BoxStream};
use tokio::{
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use super::{
    outgoing::{Outgoing, Stuck},
    wire,
};
use crate::{
    runtime::{Found, LogQuery, OutputLine, Runtime, RuntimeError},
    supervisor::Board,
};

/// Readers served at a time in one session.
const READERS: usize = 16;

/// Most lines from the end, as the plane's API says.
const MAX_TAIL: u32 = 10_000;

/// Most lines in a chunk.
const CHUNK_LINES: usize = 1_000;

/// Text from which a chunk is full; gRPC takes messages of 4 MiB.
const CHUNK_BYTES: usize = 256 * 1024;

/// How long a line waits for company.
const GATHER: Duration = Duration::from_millis(50);

/// The readers of one session. Dropping them ends them.
#[derive(Debug)]
pub(super) struct Readers {
    node: NodeId,
    runtime: Arc<dyn Runtime>,
    board: Board,
    outgoing: Outgoing,
    tasks: JoinSet<String>,
    by_request: HashMap<String, AbortHandle>,
}

impl Readers {
    pub(super) fn new(
        node: NodeId,
        runtime: Arc<dyn Runtime>,
        board: Board,
        outgoing: Outgoing,
    ) -> Self {
        Self {
            node,
            runtime,
            board,
            outgoing,
            tasks: JoinSet::new(),
            by_request: HashMap::new(),
        }
    }

    /// Begins to send what was asked for.
    pub(super) async fn open(&mut self, request: LogRequest) -> Result<(), Stuck> {
        let id = request.request_id.clone();
        let refusal = if self.by_request.len() >= READERS {
            Some(format!(
                "the node serves {READERS} readers at a time; try again later"
            ))
        } else {
            self.refusal(&request)
        };
        if let Some(error) = refusal {
            return self.outgoing.send_output(last_chunk(id, error)).await;
        }
        let (node, runtime, outgoing) =
            (self.node, Arc::clone(&self.runtime), self.outgoing.clone());
        let request_id = id.clone();
        let task = self.tasks.spawn(async move {
            let error = match read(node, runtime.as_ref(), request, &outgoing).await {
                Ok(()) => String::new(),
                Err(ReadError::Runtime(err)) => err.to_string(),
                Err(ReadError::Stuck) => return request_id,
            };
            // A session that is over needs no last chunk.
            outgoing
                .send_output(last_chunk(request_id.clone(), error))
                .await
                .ok();
            request_id
        });
        self.by_request.insert(id, task);
        Ok(())
    }

    /// The reader has gone.
    pub(super) fn cancel(&mut self, request_id: &str) {
        if let Some(task) = self.by_request.remove(request_id) {
            task.abort();
        }
    }

    /// Tidies up after readers that ended; never completes while there are none.
    pub(super) async fn ended(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(request_id)) => {
                self.by_request.remove(&request_id);
            }
            // Cancelled; its entry went with that.
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    fn refusal(&self, request: &LogRequest) -> Option<String> {
        let runs = wire::instance_id(&request.instance_id).is_some_and(|id| {
            self.board
                .overview()
                .statuses
                .iter()
                .any(|status| status.instance == id)
        });
        (!runs).then(|| format!("instance {} is not on this node", request.instance_id))
    }
}

enum ReadError {
    Runtime(RuntimeError),
    Stuck,
}

impl From<RuntimeError> for ReadError {
    fn from(err: RuntimeError) -> Self {
        Self::Runtime(err)
    }
}

fn last_chunk(request_id: String, error: String) -> LogChunk {
    LogChunk {
        request_id,
        lines: Vec::new(),
        end: true,
        error,
    }
}

async fn read(
    node: NodeId,
    runtime: &dyn Runtime,
    request: LogRequest,
    outgoing: &Outgoing,
) -> Result<(), ReadError> {
    let mut lines = lines(node, runtime, &request).await?;
    while let Some((component, first)) = lines.next().await {
        let mut chunk = vec![wire::line(&component, first?)];
        let mut bytes = chunk.iter().map(|line| line.text.len()).sum::<usize>();
        let deadline = Instant::now() + GATHER;
        while chunk.len() < CHUNK_LINES && bytes < CHUNK_BYTES {
            let Ok(Some((component, line))) = tokio::time::timeout_at(deadline, lines.next()).await
            else {
                break;
            };
            let line: LogLine = wire::line(&component, line?);
            bytes += line.text.len();
            chunk.push(line);
        }
        let request_id = request.request_id.clone();
        let chunk = LogChunk {
            request_id,
            lines: chunk,
            end: false,
            error: String::new(),
        };
        outgoing
            .send_output(chunk)
            .await
            .map_err(|Stuck| ReadError::Stuck)?;
    }
    Ok(())
}

type Lines = BoxStream<'static, (String, Result<OutputLine, RuntimeError>)>;

/// The lines of the component that was named, or of all when none was.
async fn lines(
    node: NodeId,
    runtime: &dyn Runtime,
    request: &LogRequest,
) -> Result<Lines, RuntimeError> {
    let query = LogQuery {
        tail: request.tail_lines.min(MAX_TAIL),
        follow: request.follow,
    };
    let mut streams = Vec::new();
    for (component, container) in containers(node, runtime, request).await? {
        let lines = runtime.logs(&container, query).await?;
        streams.push(lines.map(move |line| (component.clone(), line)));
    }
    Ok(stream::select_all(streams).boxed())
}

/// Component and container name of what is to be read.
async fn containers(
    node: NodeId,
    runtime: &dyn Runtime,
    request: &LogRequest,
) -> Result<Vec<(String, String)>, RuntimeError> {
    let instance = wire::instance_id(&request.instance_id);
    let wanted = |found: &Found| {
        found.instance.is_some()
            && found.instance == instance
            && (request.component.is_empty() || found.component == request.component)
    };
    let all = runtime.list(node).await?;
    let found: Vec<_> = all
        .into_iter()
        .filter(wanted)
        .map(|found| (found.component, found.name))
        .collect();
    if found.is_empty() {
        let which = match request.component.as_str() {
            "" => "no container yet".to_owned(),
            component => format!("no container of component `{component}`"),
        };
        let cause = format!("instance {} has {which}", request.instance_id);
        return Err(RuntimeError::Refused {
            action: "read output".to_owned(),
            cause,
        });
    }
    Ok(found)
}
