//! Event streams: bounded in number, kept alive by comments, ended with their token and with the process.

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse as _, Response,
    sse::{Event, KeepAlive, Sse},
};
use fluxplane_core::{ErrorKind, error::Reason};
use fluxplane_platform::problem::Problem;
use futures::{Stream, StreamExt as _, stream};
use prometheus_client::metrics::gauge::Gauge;
use serde::Serialize;
use tokio::time::Instant;

use super::{Failure, Gateway, extract::Call, layers::unauthenticated, limits::StreamSlot};
use crate::metrics::KindLabels;

/// One event before it is written down.
#[derive(Debug)]
pub struct Item<T> {
    /// What a client sends as `Last-Event-ID` to go on after it.
    pub id: Option<u64>,
    pub name: &'static str,
    pub data: T,
}

/// An open stream's place and its measurement, given back when dropped.
#[derive(Debug)]
pub struct OpenStream {
    _slot: StreamSlot,
    gauge: Gauge,
}

impl OpenStream {
    /// Opens a stream for a caller, a principal or an address.
    pub fn open(gateway: &Gateway, caller: &str, kind: &'static str) -> Result<Self, Failure> {
        let slot = gateway.limits.open_stream(caller).ok_or_else(|| {
            let most = gateway.limits.streams_per_caller();
            Failure::refuse(
                ErrorKind::Exhausted,
                Reason::RateLimited,
                format!("{most} streams are open already; close one first"),
                Vec::new(),
            )
        })?;
        let gauge = gateway
            .metrics
            .streams
            .get_or_create(&KindLabels { kind })
            .clone();
        gauge.inc();
        Ok(Self { _slot: slot, gauge })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

/// Answers with an event stream. A failure becomes a last event named `problem`.
pub fn respond<T, S>(gateway: &Gateway, call: &Call, open: OpenStream, items: S) -> Response
where
    T: Serialize + Send + 'static,
    S: Stream<Item = Result<Item<T>, Failure>> + Send + 'static,
{
    let stop = gateway.stop.clone();
    let left = (call.principal.expires_at - gateway.ctx.clock.now()).to_std();
    let token_ends = Instant::now() + left.unwrap_or(Duration::ZERO);
    let request_id = call.request_id.0.clone();
    let state = Some((Box::pin(items), open));
    let events = stream::unfold(state, move |state| {
        let (stop, request_id) = (stop.clone(), request_id.clone());
        async move {
            let (mut items, open) = state?;
            let item = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                () = tokio::time::sleep_until(token_ends) => Err(unauthenticated()),
                item = items.next() => item?,
            };
            match item.and_then(|item| event(&item)) {
                Ok(event) => Some((Ok::<_, Infallible>(event), Some((items, open)))),
                Err(failure) => {
                    // A stream that cannot say why it ends just ends.
                    let event = problem_event(&failure.problem(&request_id)).ok()?;
                    Some((Ok(event), None))
                }
            }
        }
    });
    let heartbeat = KeepAlive::new()
        .interval(gateway.config.stream_heartbeat.0)
        .text("still here");
    Sse::new(events).keep_alive(heartbeat).into_response()
}

fn event<T: Serialize>(item: &Item<T>) -> Result<Event, Failure> {
    let event = Event::default().event(item.name);
    let event = match item.id {
        Some(id) => event.id(id.to_string()),
        None => event,
    };
    event.json_data(&item.data).map_err(|err| {
        tracing::error!(error = %err, "an event has no JSON form");
        Failure::internal()
    })
}

fn problem_event(problem: &Problem) -> Result<Event, axum::Error> {
    Event::default().event("problem").json_data(problem)
}
