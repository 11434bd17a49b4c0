//! Killed anywhere, the next run ends where an uninterrupted one does.

use std::time::Duration;

use alloy_primitives::U256;
use fluxplane_platform::reconciler::Reconciler as _;
use tokio::task::JoinSet;

use super::{
    node::{CHAIN_ID, CONTRACT, Moved, Node},
    parties::address,
    place::{Kind, Place, assert_same, level, token},
};
use crate::support::random::Random;

/// Databases, and how often each follower is dropped.
const CASES: u64 = 4;
const KILLS: u64 = 6;

const BLOCKS: u64 = 200;

/// Every fifth block has a transfer.
const TRANSFERS: usize = 40;

async fn node_of(blocks: u64) -> Node {
    let node = Node::start().await;
    for height in 1..=blocks {
        let moved = Moved {
            from: address(u8::try_from(height % 3).unwrap()),
            to: address(1),
            amount: U256::from(height),
        };
        let transfers = if height % 5 == 0 {
            vec![moved]
        } else {
            Vec::new()
        };
        node.world().extend(0, transfers);
    }
    node
}

#[tokio::test]
async fn a_follower_killed_at_random_moments_ends_like_an_uninterrupted_one() {
    let node = node_of(BLOCKS).await;
    let mut token = token(CHAIN_ID, CONTRACT);
    token.confirmations = 30;
    let straight = Place::new().await;
    level(&mut straight.follower(&token, &node.url()).await).await;
    let expected = straight.dump().await;
    let announced = straight.announced().await;
    let mut cut_short = 0;
    for seed in 0..CASES {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let place = Place::new().await;
        token.max_range = random.within(5, 60).into();
        for _ in 0..KILLS {
            let mut follower = place.follower(&token, &node.url()).await;
            let mut task = JoinSet::new();
            task.spawn(async move {
                loop {
                    follower.reconcile().await.unwrap();
                    tokio::task::yield_now().await;
                }
            });
            let life = Duration::from_micros(random.within(500, 40_000).into());
            tokio::time::sleep(life).await;
            task.shutdown().await;
            let rows = place.dump().await;
            cut_short += u64::from(rows["evm_transfer"].len() < TRANSFERS);
        }
        level(&mut place.follower(&token, &node.url()).await).await;
        assert_same(&place.dump().await, &expected, &format!("seed {seed}"));
        // Every event once, however often it was begun.
        let events = place.announced().await;
        assert_eq!(events.len(), announced.len(), "seed {seed}");
        let last = |kind| events.iter().filter(|event| event.kind == kind).count();
        assert_eq!((last(Kind::Seen), last(Kind::Final)), (TRANSFERS, 34));
    }
    assert!(cut_short > CASES, "only {cut_short} kills came in time");
}

#[tokio::test]
async fn of_two_that_believe_to_lead_one_writes() {
    let node = node_of(40).await;
    let place = Place::new().await;
    let token = token(CHAIN_ID, CONTRACT);
    let mut old = place.follower(&token, &node.url()).await;
    level(&mut old).await;
    end_term(&place).await;
    let mut new = place.follower(&token, &node.url()).await;
    node.world().extend(0, Vec::new());
    level(&mut new).await;
    let before = place.dump().await;
    node.world().extend(0, Vec::new());
    let said = format!("{:#}", old.reconcile().await.unwrap_err());
    assert!(said.contains("another replica"), "{said}");
    assert_same(&place.dump().await, &before, "unchanged");
}

/// The lease lapses and is taken again.
#[expect(
    clippy::disallowed_methods,
    reason = "the table belongs to the platform"
)]
async fn end_term(place: &Place) {
    sqlx::query("UPDATE lease SET expires_at = now() - interval '1 second'")
        .execute(&place.db.pool)
        .await
        .unwrap();
}
