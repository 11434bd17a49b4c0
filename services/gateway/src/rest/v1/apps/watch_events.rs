//! `GET /v1/apps/{name}/events`

use axum::{extract::State, http::HeaderMap, response::Response};
use fluxplane_core::error::Violation;
use fluxplane_platform::error::Remote;
use fluxplane_proto::scheduler::v1::WatchTimelineRequest;
use futures::StreamExt as _;

use super::{AppPath, timeline::TimelineEntry};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams},
    sse::{self, Item, OpenStream},
};

/// Header with the sequence of the last event a client has.
const LAST_EVENT_ID: &str = "last-event-id";

/// Follow what happens to an application
///
/// Server-sent events named `timeline`, from the first entry on, then as they happen. The id of an event is its sequence;
/// a client that comes back with it as `Last-Event-ID` gets what it missed and nothing twice. A silent stream carries a
/// comment every 15 seconds. It ends when the access token does, with an event named `problem`.
#[utoipa::path(
    get,
    path = "/v1/apps/{name}/events",
    tag = "apps",
    params(
        AppPath,
        ("Last-Event-ID" = Option<u64>, Header, description = "Sequence of the last event the client has"),
    ),
    responses((
        status = 200, description = "Events; the data of each is a timeline entry",
        body = TimelineEntry, content_type = "text/event-stream",
    )),
)]
pub async fn watch_events(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<AppPath>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let after_sequence = last_event_id(&headers)?;
    let open = OpenStream::open(&gateway, &call.principal.address, "events")?;
    let request = WatchTimelineRequest {
        caller: Some(call.caller()),
        name: path.name,
        after_sequence,
        no_follow: false,
    };
    let entries = gateway.peers.scheduler.watch_timeline(request).await?;
    let events = entries.map(|entry| {
        let entry = TimelineEntry::try_from(entry.map_err(Remote::from)?)?;
        Ok(Item {
            id: Some(entry.sequence),
            name: "timeline",
            data: entry,
        })
    });
    Ok(sse::respond(&gateway, &call, open, events))
}

fn last_event_id(headers: &HeaderMap) -> Result<u64, Failure> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(0);
    };
    let text = value.to_str().unwrap_or("not ASCII").trim();
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        let rule = "the id of an event is a number";
        Failure::invalid(Violation::new(
            "Last-Event-ID",
            text,
            rule,
            "leave it out for all events",
        ))
    })
}
