//! A node that falls silent is suspected, probed, and lost; one that only cannot reach us is given more time.

use std::sync::Arc;

use fluxplane_core::attest::Statement;
use fluxplane_proto::node_registry::v1::NodeState;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::Instant,
};

use crate::{
    agent::Agent,
    support::{BEAT, Plane, join},
};

#[tokio::test]
async fn a_silent_node_that_does_not_answer_is_lost_and_comes_back_with_a_beat() {
    let plane = Plane::start().await;
    // Nothing listens on the probe's port.
    let agent = Agent::new(&plane, join(&plane, 0, 1).await);
    let session = agent.connect().await.unwrap();
    session.beat(1).await;
    let (ready, lost) = (NodeState::Ready, NodeState::Lost);
    let found = plane.until(&agent.node_id, &[ready, lost]).await;
    assert!(
        found.state_reason.contains("probe"),
        "{}",
        found.state_reason
    );
    session.beat(2).await;
    plane.until(&agent.node_id, &[ready, lost, ready]).await;
}

#[tokio::test]
async fn a_node_that_answers_the_probe_is_lost_only_after_six_beats() {
    let plane = Plane::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let agent = Arc::new(Agent::new(&plane, join(&plane, 0, port).await));
    let answering = Arc::clone(&agent);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            let text = String::from_utf8_lossy(&request[..read]).into_owned();
            let nonce = text
                .split("nonce=")
                .nth(1)
                .unwrap()
                .split(' ')
                .next()
                .unwrap();
            let signature = answering.sign(Statement::Probe, &hex::decode(nonce).unwrap());
            let body = hex::encode(signature);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream
                .write_all(format!("{head}{body}").as_bytes())
                .await
                .unwrap();
        }
    });
    let session = agent.connect().await.unwrap();
    let beaten = Instant::now();
    session.beat(1).await;
    let went = [NodeState::Suspect, NodeState::Lost];
    let lost = plane.until(&agent.node_id, &went).await;
    assert!(
        beaten.elapsed() >= BEAT * 6,
        "lost after {:?}",
        beaten.elapsed()
    );
    assert!(
        !lost.state_reason.contains("probe"),
        "{}",
        lost.state_reason
    );
}
