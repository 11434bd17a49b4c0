//! `GET /v1/apps/{name}/timeline`

use axum::{Json, extract::State};
use fluxplane_core::error::Violation;
use fluxplane_platform::error::Remote;
use fluxplane_proto::{common::v1::PageInfo, scheduler::v1::WatchTimelineRequest};

use super::{AppPath, timeline::TimelineEntry};
use crate::rest::{
    Failure, Gateway,
    extract::{Call, PathParams, QueryParams},
    page::{Page, PageQuery},
};

/// A page of the list.
pub type TimelineEntryPage = Page<TimelineEntry>;

/// List what happened to an application
///
/// Oldest first. `next_cursor` is the sequence of the last entry, so a client may also go on from an entry it knows.
#[utoipa::path(
    get,
    path = "/v1/apps/{name}/timeline",
    tag = "apps",
    params(AppPath, PageQuery),
    responses((status = 200, description = "A page of entries", body = TimelineEntryPage)),
)]
pub async fn list_timeline(
    State(gateway): State<Gateway>,
    call: Call,
    PathParams(path): PathParams<AppPath>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<TimelineEntryPage>, Failure> {
    let wish = page.wish()?;
    let after_sequence = match wish.cursor.as_str() {
        "" => 0,
        cursor => cursor.parse().map_err(|_| {
            let rule = "a cursor here is the sequence of an entry";
            Failure::invalid(Violation::new(
                "cursor",
                cursor,
                rule,
                "start without a cursor",
            ))
        })?,
    };
    let request = WatchTimelineRequest {
        caller: Some(call.caller()),
        name: path.name,
        after_sequence,
        no_follow: true,
    };
    let mut stream = gateway.peers.scheduler.watch_timeline(request).await?;
    let size = usize::try_from(wish.size).unwrap_or(usize::MAX);
    let (mut entries, mut more) = (Vec::<TimelineEntry>::new(), false);
    while let Some(entry) = stream.message().await.map_err(Remote::from)? {
        if entries.len() == size {
            more = true;
            break;
        }
        entries.push(TimelineEntry::try_from(entry)?);
    }
    let last = entries
        .last()
        .filter(|_| more)
        .map(|entry| entry.sequence.to_string());
    let info = PageInfo {
        next_cursor: last.unwrap_or_default(),
    };
    Ok(Json(Page::new(entries, Some(info))))
}
