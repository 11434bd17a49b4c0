//! Ranges fit the node: smaller after a refusal, larger after a success, and the result is the same.

use std::time::Duration;

use alloy_primitives::U256;
use fluxplane_platform::reconciler::Reconciler as _;

use super::{
    node::{CHAIN_ID, CONTRACT, Moved, Node},
    parties::address,
    place::{Place, assert_same, level, settle, token},
};

/// A chain on which every twentieth block moves tokens.
async fn node_of(blocks: u64) -> Node {
    let node = Node::start().await;
    for height in 1..=blocks {
        let moved = Moved {
            from: address(0),
            to: address(1),
            amount: U256::from(height),
        };
        let transfers = if height % 20 == 0 {
            vec![moved]
        } else {
            Vec::new()
        };
        node.world().extend(0, transfers);
    }
    node
}

async fn followed(node: &Node) -> Place {
    let place = Place::new().await;
    let mut follower = place
        .follower(&token(CHAIN_ID, CONTRACT), &node.url())
        .await;
    level(&mut follower).await;
    place
}

fn given(node: &Node) -> Vec<(u64, u64)> {
    let world = node.world();
    let given = world.ranges.iter().filter(|(_, _, given)| *given);
    given.map(|(first, last, _)| (*first, *last)).collect()
}

#[tokio::test]
async fn a_node_that_refuses_large_ranges_is_asked_for_less() {
    let free = node_of(2_000).await;
    let expected = followed(&free).await.dump().await;
    assert!(given(&free).len() <= 5, "{:?}", given(&free));

    let strict = node_of(2_000).await;
    strict.world().most_blocks = Some(100);
    let place = followed(&strict).await;
    assert_same(&place.dump().await, &expected, "strict node");
    let given = given(&strict);
    assert!(given.iter().all(|(first, last)| last - first < 100));
    let next = given.windows(2).all(|pair| pair[1].0 == pair[0].1 + 1);
    assert!(next, "every block is read once: {given:?}");
    let refused = strict.world().ranges.len() - given.len();
    assert!(
        given.len() < 50 && refused < 20,
        "{} ranges given, {refused} refused",
        given.len()
    );
    let shown = place.metrics.encode();
    assert!(
        shown.contains(r#"fluxplane_evm_errors_total{asset="test-token",kind="too_much"}"#),
        "{shown}"
    );
}

#[tokio::test]
async fn a_limit_that_goes_away_is_left_behind() {
    let node = node_of(2_500).await;
    node.world().most_blocks = Some(10);
    let place = Place::new().await;
    let mut follower = place
        .follower(&token(CHAIN_ID, CONTRACT), &node.url())
        .await;
    while follower.at().and_then(|at| at.tip).is_none() {
        follower.reconcile().await.unwrap();
    }
    assert!(follower.range_size() <= 13, "{}", follower.range_size());
    node.world().most_blocks = None;
    level(&mut follower).await;
    assert!(follower.range_size() > 400, "{}", follower.range_size());
}

#[tokio::test]
async fn a_node_that_takes_too_long_over_many_blocks_is_asked_for_less() {
    let node = node_of(60).await;
    node.world().stalls_above = Some(20);
    let place = Place::new().await;
    let timeout = Duration::from_millis(300);
    let token = token(CHAIN_ID, CONTRACT);
    let mut follower = place.patient(&token, &node.url(), timeout, None).await;
    level(&mut follower).await;
    assert_eq!(place.asset("a.height").await, "60");
    assert!(given(&node).iter().all(|(first, last)| last - first < 20));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_asked_for_in_parts() {
    let node = node_of(300).await;
    let place = Place::new().await;
    let token = token(CHAIN_ID, CONTRACT);
    let limit = Some(4_000);
    let timeout = super::place::PATIENCE;
    let mut follower = place.patient(&token, &node.url(), timeout, limit).await;
    level(&mut follower).await;
    assert_eq!(place.asset("a.transfer_count").await, "15");
    assert_eq!(follower.at().unwrap().final_height, Some(295));
}

#[tokio::test]
async fn one_block_that_is_too_much_is_reported_and_not_asked_for_in_a_loop() {
    let node = node_of(60).await;
    node.world().most_blocks = Some(0);
    let place = Place::new().await;
    let mut follower = place
        .follower(&token(CHAIN_ID, CONTRACT), &node.url())
        .await;
    let said = settle(&mut follower).await;
    assert!(said.contains("query returned more than 10000"), "{said}");
    assert!(place.asset("n.problem").await.contains("10000"));
    assert_eq!(node.world().ranges.last(), Some(&(0, 0, false)));
    let asked = node.world().ranges.len();
    settle(&mut follower).await;
    assert_eq!(node.world().ranges.len(), asked + 1, "once a turn");
    assert_eq!(place.asset("a.height").await, "-");
    node.world().most_blocks = None;
    level(&mut follower).await;
}

#[tokio::test]
async fn a_node_that_asks_for_patience_is_not_asked_for_less() {
    let node = node_of(60).await;
    node.world().most_blocks = Some(0);
    node.world().refusal = (-32_005, "request rate limited".to_owned());
    let place = Place::new().await;
    let mut follower = place
        .follower(&token(CHAIN_ID, CONTRACT), &node.url())
        .await;
    let said = settle(&mut follower).await;
    assert!(said.contains("rate limited"), "{said}");
    assert_eq!(follower.range_size(), 1_000);
    assert_eq!(node.world().ranges.len(), 1, "once a turn");
}
