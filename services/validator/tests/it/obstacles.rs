//! What keeps anchors back is said, and they go on by themselves once it is gone.

use fluxplane_core::error::Reason;
use fluxplane_platform::{config::Secret, error::Remote};
use fluxplane_proto::validator::v1::AnchorState;
use fluxplane_testkit::{chaos::Link, eventually};

use crate::support::{LIMIT, Plane};

fn blocked(reason: &str, value: u8) -> String {
    format!("fluxplane_anchoring_blocked{{reason=\"{reason}\"}} {value}")
}

#[tokio::test]
async fn without_coins_an_anchor_waits_and_says_how_much_is_needed() {
    let plane = Plane::poor(|_| {}).await;
    plane.close(0).await;
    plane.until_metric(&blocked("no_coins", 1)).await;
    // Counted first, then written down.
    eventually(LIMIT, async || {
        let waits = Remote::from(plane.anchor(1).await.unwrap_err());
        assert_eq!(waits.reason, Reason::NotFound);
        let told = waits.message.contains("send some to it");
        told.then_some(()).ok_or(waits.message)
    })
    .await;
    plane.fund(1).await;
    plane.until_state(1, AnchorState::Broadcast).await;
    plane.until_metric(&blocked("no_coins", 0)).await;
}

#[tokio::test]
async fn without_a_key_epochs_are_checked_and_not_anchored() {
    let plane = Plane::poor(|config| config.anchors.wif = Secret::default()).await;
    plane.close(5).await;
    plane.until_metric(&blocked("no_key", 1)).await;
    plane
        .until_metric("fluxplane_anchors{state=\"verified\"} 1")
        .await;
    assert!(plane.chain.waiting().is_empty());
}

#[tokio::test]
async fn while_the_chain_is_away_anchors_wait() {
    let plane = Plane::start().await;
    plane.link.set(Link::Cut);
    plane.close(5).await;
    plane.until_metric(&blocked("chain_away", 1)).await;
    // The root is checked all the same.
    plane
        .until_metric("fluxplane_anchors{state=\"verified\"} 1")
        .await;
    plane.link.set(Link::Up);
    plane.until_state(1, AnchorState::Broadcast).await;
    plane.until_metric(&blocked("chain_away", 0)).await;
}

#[tokio::test]
async fn a_daemon_of_another_network_is_not_anchored_to() {
    let plane = Plane::poor(|config| {
        config.daemon.network = fluxplane_validator::config::NetworkName::Test;
    })
    .await;
    plane.fund(3).await;
    plane.close(5).await;
    plane.until_metric(&blocked("chain_away", 1)).await;
    assert!(plane.chain.waiting().is_empty());
}
