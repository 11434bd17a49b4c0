//! Chains that change under us: afterwards everything is as if the last one had been the only one.

use std::collections::BTreeMap;

use alloy_primitives::U256;

use super::{
    node::{CHAIN_ID, CONTRACT, Moved, Node},
    parties::address,
    place::{Announced, Kind, Place, assert_same, level, settle, token},
};
use crate::support::random::Random;

/// Up to three transfers among few parties; address zero makes and burns.
fn transfers(random: &mut Random) -> Vec<Moved> {
    (0..random.within(0, 3))
        .map(|_| Moved {
            from: address(u8::try_from(random.within(0, 3)).unwrap()),
            to: address(u8::try_from(random.within(0, 3)).unwrap()),
            amount: U256::MAX / U256::from(random.within(1, 1_000)),
        })
        .collect()
}

fn grow(node: &Node, random: &mut Random, branch: u64, blocks: u32) {
    for _ in 0..blocks {
        let moved = transfers(random);
        node.world().extend(branch, moved);
    }
}

/// What a consumer knows of each transfer.
#[derive(Default)]
struct Consumer {
    known: BTreeMap<(String, u32), Kind>,
    sequence: u64,
}

impl Consumer {
    fn hear(&mut self, events: &[Announced]) {
        for event in events {
            assert!(event.sequence > self.sequence, "sequences rise");
            self.sequence = event.sequence;
            let before = self.known.insert(event.name(), event.kind);
            let allowed = match event.kind {
                Kind::Seen => matches!(before, None | Some(Kind::Reorganised)),
                Kind::Final | Kind::Reorganised => before == Some(Kind::Seen),
            };
            assert!(allowed, "{before:?}, then {event:?}");
            assert_eq!(event.transfer.is_final, event.kind == Kind::Final);
        }
        let undone: Vec<_> = events
            .iter()
            .filter(|event| event.kind == Kind::Reorganised)
            .map(|event| (event.transfer.height, event.transfer.log_index))
            .collect();
        assert!(undone.is_sorted_by(|a, b| a > b), "falling: {undone:?}");
    }

    fn count(&self, kind: Kind) -> usize {
        self.known.values().filter(|known| **known == kind).count()
    }
}

#[tokio::test]
async fn after_random_reorganisations_all_rows_are_those_of_a_straight_run() {
    let mut undone = 0;
    for seed in 0..4 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let node = Node::start().await;
        grow(&node, &mut random, 0, 30);
        let place = Place::new().await;
        let mut token = token(CHAIN_ID, CONTRACT);
        token.confirmations = 12;
        token.max_range = random.within(5, 40).into();
        let mut follower = place.follower(&token, &node.url()).await;
        let mut consumer = Consumer::default();
        for branch in 1..=6 {
            level(&mut follower).await;
            consumer.hear(&place.announced().await);
            // The block with 12 confirmations is final, so that 11 may go.
            let depth = random.within(0, 11);
            node.world().drop_last(usize::try_from(depth).unwrap());
            let more = random.within(0, 14);
            grow(&node, &mut random, branch, depth + more);
        }
        level(&mut follower).await;
        consumer.hear(&place.announced().await);
        undone += consumer.count(Kind::Reorganised);

        let straight = Place::new().await;
        level(&mut straight.follower(&token, &node.url()).await).await;
        let context = format!("seed {seed}");
        assert_same(&place.dump().await, &straight.dump().await, &context);
        let seen = consumer.count(Kind::Seen) + consumer.count(Kind::Final);
        assert_eq!(place.asset("a.transfer_count").await, seen.to_string());
        let open = "SELECT count(*) FROM evm_transfer WHERE height > a.final_height";
        assert_eq!(
            place.asset(open).await,
            consumer.count(Kind::Seen).to_string()
        );
        let sums = "SELECT coalesce(sum(CASE WHEN from_address = repeat(E'\\\\000', 20)::bytea THEN amount ELSE 0 END), 0) = a.minted
                       AND coalesce(sum(CASE WHEN to_address = repeat(E'\\\\000', 20)::bytea THEN amount ELSE 0 END), 0) = a.burned
                    FROM evm_transfer";
        assert_eq!(place.asset(sums).await, "true");
    }
    assert!(undone > 25, "only {undone} transfers were undone");
}

#[tokio::test]
async fn a_chain_that_is_shorter_and_another_is_followed() {
    let mut random = Random::new(1);
    let node = Node::start().await;
    grow(&node, &mut random, 0, 20);
    let place = Place::new().await;
    let token = token(CHAIN_ID, CONTRACT);
    let mut follower = place.follower(&token, &node.url()).await;
    level(&mut follower).await;
    node.world().drop_last(5);
    grow(&node, &mut random, 1, 2);
    level(&mut follower).await;
    assert_eq!(place.asset("a.height").await, "17");
    // What was final at height 20 stays final.
    assert_eq!(place.asset("a.final_height").await, "15");
    assert!(
        place
            .metrics
            .encode()
            .contains("fluxplane_evm_reorgs_total{asset=\"test-token\"} 1"),
    );
}

#[tokio::test]
async fn a_reorganisation_below_what_is_final_halts_until_the_chain_comes_back() {
    let mut random = Random::new(2);
    let node = Node::start().await;
    grow(&node, &mut random, 0, 20);
    let place = Place::new().await;
    let token = token(CHAIN_ID, CONTRACT);
    let mut follower = place.follower(&token, &node.url()).await;
    level(&mut follower).await;
    let before = place.dump().await;
    place.announced().await;
    let ours = node.world().chain.clone();
    node.world().drop_last(6);
    grow(&node, &mut random, 1, 10);
    let said = settle(&mut follower).await;
    let halted = place.asset("a.halted_reason").await;
    for words in [&said, &halted] {
        assert!(
            words.contains("block 15") && words.contains("6 confirmations"),
            "{words}"
        );
    }
    assert!(place.announced().await.is_empty());
    node.world().chain = ours;
    level(&mut follower).await;
    assert_same(&place.dump().await, &before, "nothing was undone");
}

#[tokio::test]
async fn shallow_reorganisations_cannot_add_up_to_one_that_takes_back_what_is_final() {
    let mut random = Random::new(3);
    let node = Node::start().await;
    grow(&node, &mut random, 0, 20);
    let place = Place::new().await;
    let token = token(CHAIN_ID, CONTRACT);
    let mut follower = place.follower(&token, &node.url()).await;
    level(&mut follower).await;
    // Blocks 16 to 20 go, then 13 to 15 under a chain that never got as high again.
    node.world().drop_last(5);
    grow(&node, &mut random, 1, 1);
    level(&mut follower).await;
    node.world().drop_last(4);
    grow(&node, &mut random, 2, 4);
    settle(&mut follower).await;
    let halted = place.asset("a.halted_reason").await;
    assert!(halted.contains("block 15"), "{halted}");
}

#[tokio::test]
async fn a_young_chain_may_be_replaced_whole() {
    let mut random = Random::new(4);
    let node = Node::start().await;
    grow(&node, &mut random, 0, 3);
    let place = Place::new().await;
    let token = token(CHAIN_ID, CONTRACT);
    let mut follower = place.follower(&token, &node.url()).await;
    level(&mut follower).await;
    assert_eq!(place.asset("a.final_height").await, "-");
    {
        let mut world = node.world();
        world.chain.clear();
        world.extend(7, Vec::new());
    }
    grow(&node, &mut random, 7, 12);
    level(&mut follower).await;
    let straight = Place::new().await;
    level(&mut straight.follower(&token, &node.url()).await).await;
    assert_same(&place.dump().await, &straight.dump().await, "straight run");
}

#[tokio::test]
async fn transfers_before_the_first_announced_block_are_indexed_in_silence() {
    let mut random = Random::new(5);
    let node = Node::start().await;
    grow(&node, &mut random, 0, 40);
    let place = Place::new().await;
    let mut token = token(CHAIN_ID, CONTRACT);
    token.announce_from = 25;
    let mut follower = place.follower(&token, &node.url()).await;
    level(&mut follower).await;
    let events = place.announced().await;
    let mut consumer = Consumer::default();
    consumer.hear(&events);
    assert!(events.iter().all(|event| event.transfer.height >= 25));
    let count = "SELECT count(*) FROM evm_transfer WHERE height >= 25";
    assert_eq!(place.asset(count).await, consumer.known.len().to_string());
    let silent = "SELECT count(*) > 0 FROM evm_transfer WHERE height < 25";
    assert_eq!(place.asset(silent).await, "true");
}
