//! What billing published must be what it announced, or nothing is anchored.

use std::time::Duration;

use fluxplane_core::error::Reason;
use fluxplane_ledger::settlement::Hash32;
use fluxplane_platform::error::Remote;
use fluxplane_proto::validator::v1::{AnchorState, GetAnchorRequest};
use fluxplane_testkit::eventually;

use crate::{
    billing::Closed,
    support::{LIMIT, Plane},
};

/// Announces an epoch whose published leaves are others, and waits for the refusal.
async fn refused(plane: &Plane, announced: &Closed, published: Closed) -> String {
    plane.billing.epochs().insert(announced.number, published);
    plane.announce(announced).await;
    let refused = plane
        .until_state(announced.number, AnchorState::Refused)
        .await;
    assert!(refused.txid.is_empty());
    assert!(plane.chain.waiting().is_empty());
    plane.until_metric("fluxplane_anchor_refused 1").await;
    refused.reason
}

#[tokio::test]
async fn leaves_that_give_another_root_are_refused_until_they_are_right() {
    let plane = Plane::start().await;
    let announced = Closed::new(1, Hash32::ZERO, 500);
    let published = Closed::new(1, Hash32::ZERO, 501);
    let reason = refused(&plane, &announced, published.clone()).await;
    for root in [announced.root, published.root] {
        assert!(reason.contains(&root.to_string()), "{reason}");
    }
    let told = eventually(LIMIT, async || plane.heard(1).pop().ok_or("nothing")).await;
    assert_eq!(told.state(), AnchorState::Refused);
    // What comes after it waits.
    let next = Closed::new(2, announced.root, 7);
    plane.billing.epochs().insert(2, next.clone());
    plane.announce(&next).await;
    let waits = Remote::from(plane.anchor(2).await.unwrap_err());
    assert_eq!(waits.reason, Reason::NotFound);
    assert!(plane.chain.waiting().is_empty());

    plane.billing.epochs().insert(1, announced);
    plane.clock.advance(Duration::from_mins(11));
    for epoch in [1, 2] {
        plane.until_state(epoch, AnchorState::Broadcast).await;
    }
    plane.until_metric("fluxplane_anchor_refused 0").await;
}

#[tokio::test]
async fn leaves_that_are_no_epoch_are_refused() {
    let plane = Plane::start().await;
    let announced = Closed::new(1, Hash32::ZERO, 500);
    let mut published = announced.clone();
    published.leaves.pop();
    let reason = refused(&plane, &announced, published).await;
    assert!(reason.contains("no epoch"), "{reason}");
}

#[tokio::test]
async fn an_epoch_that_continues_another_past_is_refused() {
    let plane = Plane::start().await;
    plane.close(5).await;
    plane.until_state(1, AnchorState::Broadcast).await;
    plane.mine(1).await;
    let forked = Closed::new(2, Hash32([9; 32]), 5);
    let reason = refused(&plane, &forked, forked.clone()).await;
    assert!(reason.contains("continues root"), "{reason}");
}

#[tokio::test]
async fn the_first_announcement_of_an_epoch_counts() {
    let plane = Plane::start().await;
    let closed = plane.close(5).await;
    plane.announce(&Closed::new(1, Hash32::ZERO, 6)).await;
    plane
        .until_metric("fluxplane_epochs_announced_twice_total 1")
        .await;
    let sent = plane.until_state(1, AnchorState::Broadcast).await;
    assert_eq!(sent.root, closed.root.0);
}

#[tokio::test]
async fn an_epoch_that_is_not_known_is_not_found() {
    let plane = Plane::start().await;
    let refused = Remote::from(plane.anchor(7).await.unwrap_err());
    assert_eq!(refused.reason, Reason::NotFound);
    assert_eq!(refused.violations[0].field, "epoch");
}

#[tokio::test]
async fn only_the_gateway_may_ask() {
    let plane = Plane::start().await;
    let request = GetAnchorRequest { epoch: 1 };
    let refused = plane.client("scheduler").get_anchor(request).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::PermissionDenied);
}
