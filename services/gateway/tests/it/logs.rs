//! Output of instances.

use fluxplane_core::{ErrorKind, error::Reason};
use reqwest::Method;

use crate::{
    events::Reader,
    peers,
    support::{Running, Session, start},
    wallets::Wallet,
};

async fn with_instance(node: Option<u128>) -> (Running, Session, String) {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let mut state = gateway.world.state();
    state.apps.push(peers::app(&session.principal, "demo"));
    state.instances.push(peers::instance(30, node));
    drop(state);
    let path = format!("/v1/apps/demo/instances/{}/logs", peers::uuid(30));
    (gateway, session, path)
}

#[tokio::test]
async fn lines_come_from_the_node_and_the_stream_ends() {
    let (gateway, session, path) = with_instance(Some(40)).await;
    let chunks = vec![
        Ok(peers::log_chunk(&["one", "two"])),
        Ok(peers::log_chunk(&["three"])),
    ];
    gateway.world.state().logs = chunks;
    let request = gateway.as_(
        &session,
        Method::GET,
        &format!("{path}?tail=5&component=web"),
    );
    let mut reader = Reader::new(request.send().await.unwrap());
    let mut texts = Vec::new();
    while let Some(event) = reader.next().await {
        assert_eq!((event.name.as_str(), event.id.as_str()), ("log", ""));
        let line: serde_json::Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(
            (&line["stream"], &line["component"]),
            (&"stdout".into(), &"web".into())
        );
        texts.push(line["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(texts, ["one", "two", "three"]);
    let [seen] = gateway.world.seen("stream_logs").try_into().unwrap();
    for part in [
        peers::uuid(40),
        peers::uuid(30),
        "tail_lines: 5".into(),
        "follow: false".into(),
    ] {
        assert!(seen.request.contains(&part), "{part}: {}", seen.request);
    }
}

#[tokio::test]
async fn following_keeps_the_stream_open() {
    let (gateway, session, path) = with_instance(Some(40)).await;
    gateway.world.state().logs = vec![Ok(peers::log_chunk(&["one"]))];
    let request = gateway.as_(&session, Method::GET, &format!("{path}?follow=true"));
    let mut reader = Reader::new(request.send().await.unwrap());
    reader.next().await.unwrap();
    gateway.drain.cancel();
    assert_eq!(reader.next().await, None);
    assert!(
        gateway.world.seen("stream_logs")[0]
            .request
            .contains("tail_lines: 100")
    );
}

#[tokio::test]
async fn an_instance_without_a_node_has_written_nothing() {
    let (gateway, session, path) = with_instance(None).await;
    let refused = gateway.get_as(&session, &path).await.expect(409);
    assert_eq!(refused.code(), "node-unreachable");
}

#[tokio::test]
async fn a_node_that_is_away_is_named_and_may_be_asked_again() {
    let (gateway, session, path) = with_instance(Some(40)).await;
    let kind = ErrorKind::Unavailable;
    let status = peers::refusal(kind, Reason::NodeUnreachable, "node 40 is away", Vec::new());
    gateway.world.refuse("stream_logs", status);
    let refused = gateway.get_as(&session, &path).await.expect(503);
    assert_eq!(
        (refused.code(), refused.header("retry-after")),
        ("node-unreachable", "1")
    );
}

#[tokio::test]
async fn a_tail_has_a_limit() {
    let (gateway, session, path) = with_instance(Some(40)).await;
    let refused = gateway
        .get_as(&session, &format!("{path}?tail=10001"))
        .await
        .expect(400);
    assert_eq!(refused.body["violations"][0]["field"], "tail");
    let refused = gateway
        .get_as(&session, &format!("{path}?tail=all"))
        .await
        .expect(400);
    assert_eq!(refused.body["violations"][0]["value"], "all");
}
