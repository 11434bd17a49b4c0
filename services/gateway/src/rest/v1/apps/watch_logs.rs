//! `GET /v1/apps/{name}/instances/{instance_id}/logs`

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::error::Remote;
use fluxplane_proto::node_registry::v1 as wire;
use fluxplane_proto::node_registry::v1::{StreamLogsRequest, log_line};
use futures::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{InstancePath, instance::instance_of};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams, QueryParams},
    sse::{self, Item, OpenStream},
    wire::{Malformed, time},
};

/// Lines of the past when the caller names no number.
const DEFAULT_TAIL: u32 = 100;

/// Most lines of the past, as in the node registry.
const MAX_TAIL: u32 = 10_000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogsQuery {
    /// Lines from the end.
    #[param(minimum = 0, maximum = 10_000, default = 100)]
    pub tail: Option<u32>,
    /// Keep sending as the instance writes.
    #[serde(default)]
    #[param(default = false)]
    pub follow: bool,
    /// Component of a composed application; may be left out when there is only one.
    pub component: Option<String>,
}

/// Where a line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    Stdout,
    Stderr,
}

/// A line that an instance wrote.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogLine {
    pub at: DateTime<Utc>,
    pub stream: LogStream,
    #[schema(example = "listening on :8080")]
    pub text: String,
    pub component: String,
}

/// Read what an instance writes
///
/// Server-sent events named `log`, straight from the node that runs the instance. The stream ends after the lines of the
/// past, or, with `follow`, when the instance, the access token or the caller does. Lines carry no ids: a client that
/// reconnects asks for the tail again.
#[utoipa::path(
    get,
    path = "/v1/apps/{name}/instances/{instance_id}/logs",
    tag = "apps",
    params(InstancePath, LogsQuery),
    responses((
        status = 200, description = "Events; the data of each is a line",
        body = LogLine, content_type = "text/event-stream",
    )),
)]
pub async fn watch_logs(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<InstancePath>,
    QueryParams(query): QueryParams<LogsQuery>,
) -> Result<Response, Failure> {
    let tail_lines = query.tail.unwrap_or(DEFAULT_TAIL);
    if tail_lines > MAX_TAIL {
        let rule = format!("at most {MAX_TAIL} lines of the past");
        return Err(Failure::invalid(Violation::new(
            "tail",
            tail_lines,
            rule,
            "ask for less",
        )));
    }
    let open = OpenStream::open(&gateway, &call.principal.address, "logs")?;
    let instance = instance_of(&gateway, &call, path).await?;
    let node_id = instance
        .node_id
        .ok_or_else(|| no_node(instance.instance_id))?;
    let request = StreamLogsRequest {
        node_id: node_id.to_string(),
        instance_id: instance.instance_id.to_string(),
        component: query.component.unwrap_or_default(),
        tail_lines,
        follow: query.follow,
    };
    let chunks = gateway.peers.registry.stream_logs(request).await?;
    let lines = chunks.flat_map(|chunk| {
        let lines = match chunk {
            Ok(chunk) => chunk.lines.into_iter().map(item).collect(),
            Err(status) => vec![Err(Remote::from(status).into())],
        };
        stream::iter(lines)
    });
    Ok(sse::respond(&gateway, &call, open, lines))
}

fn item(line: wire::LogLine) -> Result<Item<LogLine>, Failure> {
    Ok(Item {
        id: None,
        name: "log",
        data: LogLine::try_from(line)?,
    })
}

impl TryFrom<wire::LogLine> for LogLine {
    type Error = Malformed;

    fn try_from(line: wire::LogLine) -> Result<Self, Malformed> {
        let stream = match log_line::Stream::try_from(line.stream) {
            Ok(log_line::Stream::Stdout) => LogStream::Stdout,
            Ok(log_line::Stream::Stderr) => LogStream::Stderr,
            Ok(log_line::Stream::Unspecified) | Err(_) => {
                return Err(Malformed::value("line.stream", line.stream));
            }
        };
        let at = time("line.at", line.at)?;
        Ok(Self {
            at,
            stream,
            text: line.text,
            component: line.component,
        })
    }
}

fn no_node(instance: Uuid) -> Failure {
    Failure::refuse(
        ErrorKind::Conflict,
        Reason::NodeUnreachable,
        format!("instance {instance} has no node yet, so nothing has written anything"),
        Vec::new(),
    )
}
