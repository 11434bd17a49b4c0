//! Epochs sink to the bottom of the chain, in their order, through reorganisations and restarts.

use fluxplane_core::id::EpochNumber;
use fluxplane_flux_chain::Transaction;
use fluxplane_ledger::settlement::Anchor as Commitment;
use fluxplane_proto::{
    common::v1::PageRequest,
    validator::v1::{Anchor, AnchorState, ListAnchorsRequest},
};
use fluxplane_testkit::eventually;

use crate::support::{LIMIT, Plane};

#[tokio::test]
async fn a_closed_epoch_is_anchored_and_followed_until_it_is_final() {
    let plane = Plane::start().await;
    let closed = plane.close(500).await;
    let sent = plane.until_state(1, AnchorState::Broadcast).await;
    let commitment = Commitment {
        epoch: EpochNumber(1),
        root: closed.root,
        count: 2,
    };
    assert_eq!(plane.commitment(&sent.txid), commitment);
    assert_eq!((sent.root, sent.leaf_count), (closed.root.0.to_vec(), 2));

    plane.mine(1).await;
    let confirmed = plane.until_state(1, AnchorState::Confirmed).await;
    assert_eq!(
        (confirmed.height, confirmed.confirmations),
        (plane.chain.height(), 1)
    );
    plane.mine(38).await;
    let deep = plane.until(1, |anchor| anchor.confirmations == 39).await;
    assert_eq!(deep.state(), AnchorState::Confirmed);
    plane.mine(1).await;
    let buried = plane.until_state(1, AnchorState::Final).await;
    assert_eq!((buried.txid, buried.height), (sent.txid, confirmed.height));
    // One announcement per state, not per block.
    let states = [
        AnchorState::Signed,
        AnchorState::Broadcast,
        AnchorState::Confirmed,
        AnchorState::Final,
    ];
    eventually(LIMIT, async || {
        let heard = plane.heard(1);
        let heard: Vec<AnchorState> = heard.iter().map(Anchor::state).collect();
        if heard == states { Ok(()) } else { Err(heard) }
    })
    .await;
    plane
        .until_metric("fluxplane_anchors{state=\"final\"} 1")
        .await;
}

#[tokio::test]
async fn an_epoch_without_lines_is_anchored_like_any_other() {
    let plane = Plane::start().await;
    let closed = plane.close(0).await;
    let sent = plane.until_state(1, AnchorState::Broadcast).await;
    let commitment = plane.commitment(&sent.txid);
    assert_eq!((commitment.root, commitment.count), (closed.root, 1));
}

#[tokio::test]
async fn epochs_between_two_blocks_hang_on_each_other() {
    let plane = Plane::start().await;
    for _ in 0..3 {
        plane.close(0).await;
    }
    let mut before = None;
    for epoch in 1..=3 {
        let sent = plane.until_state(epoch, AnchorState::Broadcast).await;
        let raw = plane.raw(&sent.txid);
        let transaction = Transaction::parse(&raw).unwrap();
        let spends = transaction.inputs()[0].previous.txid.to_string();
        assert!(before.is_none_or(|before| before == spends), "{epoch}");
        before = Some(sent.txid);
    }
    plane.mine(1).await;
    for epoch in 1..=3 {
        plane.until_state(epoch, AnchorState::Confirmed).await;
    }
    let mut client = plane.gateway();
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = Some(PageRequest { size: 2, cursor });
        let list = client.list_anchors(ListAnchorsRequest { page }).await;
        let list = list.unwrap().into_inner();
        listed.extend(list.anchors.iter().map(|anchor| anchor.epoch));
        cursor = list.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(listed, [3, 2, 1]);
}

#[tokio::test]
async fn an_epoch_whose_announcement_was_missed_is_asked_for() {
    let plane = Plane::start().await;
    plane.billing.close(10);
    plane.billing.close(20);
    plane.close(30).await;
    for epoch in 1..=3 {
        plane.until_state(epoch, AnchorState::Broadcast).await;
    }
}

#[tokio::test]
async fn a_reorganisation_lifts_an_anchor_and_the_same_transaction_sinks_again() {
    let plane = Plane::start().await;
    plane.close(0).await;
    let sent = plane.until_state(1, AnchorState::Broadcast).await;
    plane.mine(2).await;
    let before = plane.until(1, |anchor| anchor.confirmations == 2).await;
    plane.chain.reorganise(2, Some(3)).unwrap();
    plane.until_state(1, AnchorState::Broadcast).await;
    plane.mine(1).await;
    let after = plane.until_state(1, AnchorState::Confirmed).await;
    assert_eq!((&after.txid, &sent.txid), (&before.txid, &before.txid));
    assert_eq!(after.height, plane.chain.height());
    assert!(after.height > before.height);
    let lifted = eventually(LIMIT, async || {
        let heard = plane.heard(1);
        let states: Vec<AnchorState> = heard.iter().map(Anchor::state).collect();
        let again = states.len() == 5;
        if again {
            Ok(heard[3].clone())
        } else {
            Err(states)
        }
    })
    .await;
    assert!(lifted.reason.contains("was undone"), "{}", lifted.reason);
}

#[tokio::test]
async fn an_anchor_that_expires_unmined_is_signed_anew() {
    let plane = Plane::poor(|config| config.anchors.expiry_blocks = 8).await;
    plane.fund(3).await;
    plane.close(0).await;
    let sent = plane.until_state(1, AnchorState::Broadcast).await;
    // Blocks that leave the transaction out.
    plane.chain.reorganise(1, Some(12)).unwrap();
    // The coin came with the block that was undone.
    plane.mine(1).await;
    let anew = plane
        .until(1, |anchor| {
            anchor.txid != sent.txid && anchor.state() == AnchorState::Broadcast
        })
        .await;
    plane.mine(1).await;
    plane.until_state(1, AnchorState::Confirmed).await;
    assert_eq!(plane.commitment(&anew.txid).epoch, EpochNumber(1));
}

#[tokio::test]
async fn a_restart_goes_on_with_the_transaction_that_was_signed() {
    let mut plane = Plane::start().await;
    plane.close(0).await;
    let sent = plane.until_state(1, AnchorState::Broadcast).await;
    plane.restart().await;
    plane.close(0).await;
    plane.until_state(2, AnchorState::Broadcast).await;
    assert_eq!(plane.anchor(1).await.unwrap().txid, sent.txid);
    plane.mine(40).await;
    for epoch in [1, 2] {
        plane.until_state(epoch, AnchorState::Final).await;
    }
    let attempts = sqlx::query_scalar!("SELECT count(*) FROM attempt");
    assert_eq!(attempts.fetch_one(&plane.db.pool).await.unwrap(), Some(2));
}
