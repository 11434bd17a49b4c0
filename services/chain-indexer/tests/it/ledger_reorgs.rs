//! The same chain gives the same rows, in both modes: after reorganisations, after kills, and whatever the batches were.

use std::time::Duration;

use fluxplane_chain_indexer::domain::{IndexMode, Rules};
use fluxplane_flux_chain::Address;
use fluxplane_platform::reconciler::Reconciler as _;
use tokio::task::JoinSet;

use crate::{
    ledger::config_of,
    support::{
        chain::{BLOCKS, Branch, LAST, RECORD, up_to},
        daemon::Daemon,
        dump::assert_same_rows,
        follower::{Place, run_straight, settle, watched},
        random::Random,
    },
};

/// Random reorganisations per mode.
const CASES: usize = 25;

/// Databases that are killed, and how often each.
const KILLED: u64 = 5;
const KILLS: usize = 5;

/// Watches an address that coinbases of the recording pay, so that watched outputs come and go with the blocks.
fn rules(mode: IndexMode) -> Rules {
    let mut config = config_of(mode);
    let address = RECORD["nodes"][1]["payment_address"].as_str().unwrap();
    config.payments.addresses = vec![watched(address.parse::<Address>().unwrap())];
    config.rules().unwrap()
}

async fn reorganised_equals_straight(mode: IndexMode) {
    const SEED: u64 = 0x1ed9_2026;
    let mut random = Random::new(SEED);
    let mut cases: Vec<(u32, u32)> = (0..CASES)
        .map(|_| (random.within(1, LAST), random.within(1, 39)))
        .map(|(height, depth)| (height, depth.min(height)))
        .collect();
    // Where collaterals are made and one is spent.
    cases.extend([(105, 39), (120, 30), (219, 3), (940, 1), (960, 39)]);
    cases.sort_unstable();
    let (straight, daemon) = (
        Place::with(rules(mode)).await,
        Daemon::start(up_to(0)).await,
    );
    let (place, fickle) = (
        Place::with(rules(mode)).await,
        Daemon::start(up_to(0)).await,
    );
    let mut follower = place.follower(&fickle).await;
    for (height, depth) in cases {
        let context = format!("seed {SEED:#x}, mode {mode}, depth {depth} at height {height}");
        daemon.set_chain(up_to(height));
        run_straight(&straight, &daemon).await;
        fickle.set_chain(up_to(height));
        settle(&mut follower).await;
        let mut other = Branch::leave_at(height - depth, random.within(1, 1_000));
        other.grow_by(1);
        fickle.set_chain(&other.blocks);
        settle(&mut follower).await;
        fickle.set_chain(up_to(height));
        settle(&mut follower).await;
        assert_same_rows(&place.db.pool, &straight.db.pool, &context).await;
    }
    let dump = straight.dump().await;
    match mode {
        IndexMode::Plane => {
            assert!(!dump["watched_spend"].is_empty());
            assert!(dump["output"].is_empty() && dump["account"].is_empty());
        }
        IndexMode::Full => {
            assert!(dump["output"].len() > 2_000 && dump["account_entry"].len() > 2_000);
            assert_eq!(dump["account"].len(), dump["balance"].len());
            assert!(dump["watched_spend"].is_empty());
        }
    }
}

#[tokio::test]
async fn in_mode_full_a_reorganisation_leaves_no_trace() {
    Box::pin(reorganised_equals_straight(IndexMode::Full)).await;
}

#[tokio::test]
async fn in_mode_plane_a_reorganisation_leaves_no_trace() {
    Box::pin(reorganised_equals_straight(IndexMode::Plane)).await;
}

#[tokio::test]
async fn batches_of_every_size_give_the_same_rows() {
    let daemon = Daemon::start(&BLOCKS).await;
    let mut reference = Place::with(rules(IndexMode::Full)).await;
    reference.pace.blocks_per_transaction = 1;
    run_straight(&reference, &daemon).await;
    for blocks in [7, 300, 2_048] {
        let mut place = Place::with(rules(IndexMode::Full)).await;
        place.pace.blocks_per_transaction = blocks;
        run_straight(&place, &daemon).await;
        // Undo records are kept for the last blocks, however they came.
        let context = format!("{blocks} blocks a transaction");
        assert_same_rows(&place.db.pool, &reference.db.pool, &context).await;
    }
}

#[tokio::test]
async fn in_mode_full_a_sync_killed_at_random_moments_ends_like_an_uninterrupted_one() {
    let daemon = Daemon::start(&BLOCKS).await;
    let expected = Place::with(rules(IndexMode::Full)).await;
    settle(&mut expected.follower(&daemon).await).await;
    for seed in 0..KILLED {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let mut place = Place::with(rules(IndexMode::Full)).await;
        place.pace.blocks_per_transaction = usize::try_from(random.within(4, 60)).unwrap();
        place.pace.fetch_batch = random.within(1, 32);
        for _ in 0..KILLS {
            let life = Duration::from_micros(random.within(500, 90_000).into());
            let mut follower = place.follower(&daemon).await;
            let mut task = JoinSet::new();
            task.spawn(async move {
                loop {
                    follower.reconcile().await.unwrap();
                    tokio::task::yield_now().await;
                }
            });
            tokio::time::sleep(life).await;
            task.shutdown().await;
        }
        settle(&mut place.follower(&daemon).await).await;
        let context = format!("seed {seed}");
        assert_same_rows(&place.db.pool, &expected.db.pool, &context).await;
    }
}

/// Makes a database look as it did before there were modes: every transaction kept, nothing known of spends.
#[expect(clippy::disallowed_methods, reason = "a state no code makes any more")]
async fn make_old(place: &Place) {
    let pool = &place.db.pool;
    sqlx::query("DELETE FROM watched_spend")
        .execute(pool)
        .await
        .unwrap();
    sqlx::query("DELETE FROM block_transaction")
        .execute(pool)
        .await
        .unwrap();
    sqlx::query("UPDATE chain SET index_mode = NULL")
        .execute(pool)
        .await
        .unwrap();
    for (height, raw) in (0_i32..).zip(BLOCKS.iter()) {
        let block = fluxplane_flux_chain::Block::parse(raw).unwrap();
        for (position, transaction) in (0_i32..).zip(&block.transactions) {
            sqlx::query("INSERT INTO block_transaction (height, position, txid, raw) VALUES ($1, $2, $3, $4)")
                .bind(height)
                .bind(position)
                .bind(transaction.txid().as_wire().as_slice())
                .bind(transaction.raw())
                .execute(pool)
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a_database_from_before_the_modes_becomes_one_of_mode_plane() {
    let daemon = Daemon::start(&BLOCKS).await;
    let expected = Place::with(rules(IndexMode::Plane)).await;
    settle(&mut expected.follower(&daemon).await).await;
    let old = Place::with(rules(IndexMode::Plane)).await;
    settle(&mut old.follower(&daemon).await).await;
    make_old(&old).await;
    settle(&mut old.follower(&daemon).await).await;
    assert_same_rows(&old.db.pool, &expected.db.pool, "adopted").await;
    assert!(!expected.dump().await["watched_spend"].is_empty());
}
