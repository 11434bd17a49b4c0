//! Sessions: proofs of life that cannot be replayed, desired state that only moves forward, usage without gaps.

use fluxplane_platform::bus;
use fluxplane_proto::{
    Event as _,
    chain_indexer::v1::{FluxnodeChanged, fluxnode_changed::Change},
    common::v1::OutPoint,
    node_registry::v1::{
        DesiredInstance, DesiredState, GetNodeRequest, LogChunk, LogLine, NodeState,
        SignedUsageReport, StreamLogsRequest, agent_message::Body as Up,
        plane_message::Body as Down,
    },
    scheduler::v1::NodeDesiredStateChanged,
};
use fluxplane_testkit::{PATIENCE, eventually};
use tonic::Code;
use uuid::Uuid;

use crate::{
    agent::Agent,
    support::{Plane, TXID, join},
};

/// Publishes an event as its owner's relay would.
async fn publish<E: fluxplane_proto::Event>(plane: &Plane, service: &str, id: u128, event: &E) {
    let js = plane.bus(service).await;
    bus::ensure_stream(&js, service).await.unwrap();
    let message = async_nats::jetstream::message::PublishMessage::build()
        .message_id(Uuid::from_u128(id).to_string())
        .payload(event.encode_to_vec().into());
    js.send_publish(E::SUBJECT, message)
        .await
        .unwrap()
        .await
        .unwrap();
}

fn desired(node_id: &str, version: u64, epoch: u64) -> NodeDesiredStateChanged {
    NodeDesiredStateChanged {
        node_id: node_id.to_owned(),
        desired: Some(DesiredState {
            version,
            epoch,
            instances: vec![DesiredInstance {
                instance_id: Uuid::from_u128(version.into()).to_string(),
                ..DesiredInstance::default()
            }],
            traceparent: String::new(),
        }),
    }
}

async fn state(plane: &Plane, node_id: &str) -> NodeState {
    let request = GetNodeRequest {
        node_id: node_id.to_owned(),
    };
    let node = plane
        .node_client("gateway")
        .get_node(request)
        .await
        .unwrap()
        .into_inner()
        .node;
    node.unwrap().state()
}

async fn events(plane: &Plane, subject: &str) -> i64 {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM outbox WHERE subject = $1"#,
        subject
    )
    .fetch_one(&plane.db.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_beat_makes_a_node_ready_and_a_replayed_one_counts_for_nothing() {
    let plane = Plane::start().await;
    let agent = Agent::new(&plane, join(&plane, 0, 16_199).await);
    let session = agent.connect().await.unwrap();
    assert_eq!(state(&plane, &agent.node_id).await, NodeState::Joined);
    session.beat(5).await;
    plane.until(&agent.node_id, &[NodeState::Ready]).await;
    session.beat(5).await;
    session.beat(4).await;
    eventually(PATIENCE, async || {
        let text = plane.metrics.encode();
        let replayed = text.contains(r#"heartbeats_total{outcome="replayed"} 2"#);
        if replayed { Ok(()) } else { Err(text) }
    })
    .await;
}

#[tokio::test]
async fn a_beat_for_another_session_ends_this_one() {
    let plane = Plane::start().await;
    let agent = Agent::new(&plane, join(&plane, 0, 16_199).await);
    let old = agent.connect().await.unwrap();
    let mut new = agent.connect().await.unwrap();
    new.welcome.nonce.clone_from(&old.welcome.nonce);
    new.beat(1).await;
    // The stream ends; a beat signed for an older nonce is worthless.
    assert!(matches!(new.next().await, Ok(None) | Err(_)));
    assert_eq!(state(&plane, &agent.node_id).await, NodeState::Joined);
}

#[tokio::test]
async fn desired_state_reaches_the_agent_and_never_goes_back() {
    let plane = Plane::start().await;
    let agent = Agent::new(&plane, join(&plane, 0, 16_199).await);
    let mut session = agent.connect().await.unwrap();
    publish(&plane, "scheduler", 1, &desired(&agent.node_id, 2, 1)).await;
    assert_eq!(session.next_desired().await.version, 2);
    // Older, then newer but of a superseded scheduler, then right.
    publish(&plane, "scheduler", 2, &desired(&agent.node_id, 1, 1)).await;
    publish(&plane, "scheduler", 3, &desired(&agent.node_id, 3, 0)).await;
    publish(&plane, "scheduler", 4, &desired(&agent.node_id, 4, 2)).await;
    assert_eq!(session.next_desired().await.version, 4);
    drop(session);
    let mut again = agent.connect().await.unwrap();
    assert_eq!(again.next_desired().await.version, 4);
}

#[tokio::test]
async fn usage_is_stored_once_in_order_and_only_when_signed() {
    let plane = Plane::start().await;
    let agent = Agent::new(&plane, join(&plane, 0, 16_199).await);
    let mut session = agent.connect().await.unwrap();
    let mut acknowledged = Vec::new();
    for sequence in [1, 1, 3, 2, 3] {
        session.usage(sequence).await;
        acknowledged.push(session.next_ack().await);
    }
    // A gap is answered with what we have.
    assert_eq!(acknowledged, [1, 1, 1, 2, 3]);
    eventually(PATIENCE, async || {
        let waiting = events(
            &plane,
            fluxplane_proto::node_registry::v1::UsageReported::SUBJECT,
        )
        .await;
        if waiting == 0 { Ok(()) } else { Err(waiting) }
    })
    .await;
    let text = plane.metrics.encode();
    assert!(
        text.contains(r#"usage_reports_total{outcome="stored"} 3"#),
        "{text}"
    );

    let signed = session.usage_body(4);
    let signature = agent.sign(fluxplane_core::attest::Statement::Heartbeat, &signed);
    session
        .send(Up::UsageReport(SignedUsageReport { signed, signature }))
        .await;
    let ended = loop {
        match session.next().await {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    assert!(matches!(ended, Ok(None) | Err(_)), "{ended:?}");
    let again = agent.connect().await.unwrap();
    assert_eq!(again.welcome.last_usage_sequence, 3);
}

#[tokio::test]
async fn a_collateral_that_leaves_the_list_takes_the_node_out_of_work() {
    let plane = Plane::start().await;
    let agent = Agent::new(&plane, join(&plane, 0, 16_199).await);
    let change = |change: Change| FluxnodeChanged {
        change: change.into(),
        collateral: Some(OutPoint {
            txid: TXID.to_owned(),
            vout: 0,
        }),
        height: 1,
        ..FluxnodeChanged::default()
    };
    publish(&plane, "chain-indexer", 1, &change(Change::Expired)).await;
    let gone = NodeState::Ineligible;
    plane.until(&agent.node_id, &[gone]).await;
    publish(&plane, "chain-indexer", 2, &change(Change::Confirmed)).await;
    plane
        .until(&agent.node_id, &[gone, NodeState::Joined])
        .await;
}

#[tokio::test]
async fn logs_find_their_reader_and_a_node_that_is_away_is_named() {
    let plane = Plane::start().await;
    let agent = Agent::new(&plane, join(&plane, 0, 16_199).await);
    let request = StreamLogsRequest {
        node_id: agent.node_id.clone(),
        instance_id: Uuid::from_u128(1).to_string(),
        tail_lines: 10,
        follow: true,
        ..StreamLogsRequest::default()
    };
    let away = plane
        .node_client("gateway")
        .stream_logs(request.clone())
        .await
        .map(|_| ());
    assert_eq!(away.unwrap_err().code(), Code::Unavailable);

    let mut session = agent.connect().await.unwrap();
    let mut client = plane.node_client("gateway");
    let (opened, asked) = tokio::join!(client.stream_logs(request), session.next());
    let Some(Down::LogRequest(asked)) = asked.unwrap() else {
        panic!("no log request")
    };
    let mut lines = opened.unwrap().into_inner();
    let line = LogLine {
        text: "hello".to_owned(),
        ..LogLine::default()
    };
    let chunk = LogChunk {
        request_id: asked.request_id.clone(),
        lines: vec![line],
        ..LogChunk::default()
    };
    session.send(Up::LogChunk(chunk)).await;
    assert_eq!(
        lines.message().await.unwrap().unwrap().lines[0].text,
        "hello"
    );
    // A reader that leaves stops the agent.
    drop(lines);
    let cancelled = loop {
        if let Some(Down::LogCancel(cancel)) = session.next().await.unwrap() {
            break cancel;
        }
    };
    assert_eq!(cancelled.request_id, asked.request_id);
}

#[tokio::test]
async fn the_outbox_of_a_new_node_is_announced() {
    let plane = Plane::start().await;
    let (joined, _) = join(&plane, 0, 16_199).await;
    plane.until(&joined.node_id, &[NodeState::Joined]).await;
}
