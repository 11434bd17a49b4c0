//! Event streams: whole, resumed, kept alive, ended in time.

use std::time::Duration;

use fluxplane_platform::config::Span;
use fluxplane_testkit::eventually;
use futures::StreamExt as _;
use reqwest::{Method, Response};

use crate::{
    peers,
    support::{Running, SOON, Session, start, start_with},
    wallets::Wallet,
};

/// One event or comment of a stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: String,
    pub(crate) comment: String,
}

/// Reads a stream event by event.
pub(crate) struct Reader {
    body: std::pin::Pin<Box<dyn futures::Stream<Item = reqwest::Result<Vec<u8>>> + Send>>,
    buffer: String,
}

impl Reader {
    pub(crate) fn new(response: Response) -> Self {
        let body = response
            .bytes_stream()
            .map(|chunk| chunk.map(|bytes| bytes.to_vec()));
        Self {
            body: Box::pin(body),
            buffer: String::new(),
        }
    }

    /// The next event, `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        let read = async {
            loop {
                if let Some(end) = self.buffer.find("\n\n") {
                    let block: String = self.buffer.drain(..end + 2).collect();
                    return Some(parse(&block));
                }
                let chunk = self.body.next().await?.unwrap();
                self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(SOON, read).await.unwrap()
    }
}

fn parse(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines().filter(|line| !line.is_empty()) {
        let (field, value) = line.split_once(':').unwrap();
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "id" => event.id = value,
            "event" => event.name = value,
            "data" => event.data = value,
            "" => event.comment = value,
            other => panic!("field {other}"),
        }
    }
    event
}

async fn open(gateway: &Running, session: &Session, last_event_id: Option<&str>) -> Reader {
    let request = gateway.as_(session, Method::GET, "/v1/apps/demo/events");
    let request = match last_event_id {
        Some(id) => request.header("last-event-id", id),
        None => request,
    };
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    Reader::new(response)
}

async fn with_app(heartbeat: Duration) -> (Running, Session) {
    let gateway = start_with(|config, _| config.rest.stream_heartbeat = Span(heartbeat)).await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    gateway
        .world
        .state()
        .apps
        .push(peers::app(&session.principal, "demo"));
    (gateway, session)
}

const LONG: Duration = Duration::from_mins(10);

#[tokio::test]
async fn a_stream_tells_what_happened_and_then_what_happens() {
    let (gateway, session) = with_app(LONG).await;
    gateway.world.happen("accepted");
    let mut reader = open(&gateway, &session, None).await;
    let first = reader.next().await.unwrap();
    assert_eq!((first.id.as_str(), first.name.as_str()), ("1", "timeline"));
    assert!(
        first.data.contains(r#""stage":"accepted""#),
        "{}",
        first.data
    );
    gateway.world.happen("funded");
    assert_eq!(reader.next().await.unwrap().id, "2");
    assert_eq!(gateway.metric(r#"http_streams{kind="events"}"#), Some(1.0));
    drop(reader);
    eventually(SOON, async || {
        let open = gateway.metric(r#"http_streams{kind="events"}"#);
        if open == Some(0.0) { Ok(()) } else { Err(open) }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_and_nothing_twice() {
    let (gateway, session) = with_app(LONG).await;
    gateway.world.happen("accepted");
    let mut reader = open(&gateway, &session, None).await;
    let seen = reader.next().await.unwrap().id;
    drop(reader);
    gateway.world.happen("funded");
    gateway.world.happen("placed");
    let mut reader = open(&gateway, &session, Some(&seen)).await;
    assert_eq!(reader.next().await.unwrap().id, "2");
    assert_eq!(reader.next().await.unwrap().id, "3");

    let request = gateway.as_(&session, Method::GET, "/v1/apps/demo/events");
    let wrong = crate::support::send(request.header("last-event-id", "x"))
        .await
        .expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "Last-Event-ID");
}

#[tokio::test]
async fn a_silent_stream_says_that_it_is_still_there() {
    let (gateway, session) = with_app(Duration::from_millis(50)).await;
    let mut reader = open(&gateway, &session, None).await;
    assert_eq!(reader.next().await.unwrap().comment, "still here");
    assert_eq!(reader.next().await.unwrap().comment, "still here");
}

#[tokio::test]
async fn a_stream_that_fails_says_why_and_ends() {
    let (gateway, session) = with_app(LONG).await;
    gateway.world.happen("accepted");
    gateway.world.happen("broken");
    let mut reader = open(&gateway, &session, None).await;
    reader.next().await.unwrap();
    let last = reader.next().await.unwrap();
    assert_eq!(last.name, "problem");
    let problem: serde_json::Value = serde_json::from_str(&last.data).unwrap();
    assert_eq!(
        (&problem["code"], &problem["status"]),
        (&"internal".into(), &500.into())
    );
    assert!(!problem["request_id"].as_str().unwrap().is_empty());
    assert_eq!(reader.next().await, None);
}

#[tokio::test]
async fn a_stream_ends_with_its_access_token() {
    let (gateway, session) = with_app(LONG).await;
    // The clock of the gateway stands a moment before the end of the token.
    gateway.clock.advance(
        Duration::from_mins(15)
            .checked_sub(Duration::from_millis(100))
            .unwrap(),
    );
    let mut reader = open(&gateway, &session, None).await;
    let last = reader.next().await.unwrap();
    assert_eq!(last.name, "problem");
    assert!(
        last.data.contains(r#""code":"unauthenticated""#),
        "{}",
        last.data
    );
    assert_eq!(reader.next().await, None);
}

#[tokio::test]
async fn streams_end_when_the_gateway_stops() {
    let (gateway, session) = with_app(LONG).await;
    gateway.world.happen("accepted");
    let mut reader = open(&gateway, &session, None).await;
    reader.next().await.unwrap();
    gateway.drain.cancel();
    assert_eq!(reader.next().await, None);
}

#[tokio::test]
async fn one_caller_holds_a_bounded_number_of_streams() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    gateway
        .world
        .state()
        .apps
        .push(peers::app(&session.principal, "demo"));
    let mut readers = Vec::new();
    for _ in 0..16 {
        readers.push(open(&gateway, &session, None).await);
    }
    let refused = gateway
        .get_as(&session, "/v1/apps/demo/events")
        .await
        .expect(429);
    assert_eq!(refused.code(), "rate-limited");
    drop(readers);
    eventually(SOON, async || {
        let request = gateway.as_(&session, Method::GET, "/v1/apps/demo/events");
        let status = request.send().await.unwrap().status();
        if status == 200 { Ok(()) } else { Err(status) }
    })
    .await;
}
