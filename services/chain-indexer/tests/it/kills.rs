//! Killed anywhere, the next run ends where an uninterrupted one does.

use std::time::Duration;

use fluxplane_chain_indexer::domain::{IndexMode, Rules};
use fluxplane_platform::reconciler::Reconciler as _;
use fluxplane_testkit::eventually;
use tokio::{task::JoinSet, time::Instant};

use crate::support::{
    chain::{BLOCKS, LAST, shop},
    daemon::Daemon,
    dump::assert_same_rows,
    follower::{Place, config, settle},
    process::{Process, end_terms},
    random::Random,
    service::{Ground, LIMIT},
};

/// Databases that are killed in this process, and how often each.
const CASES: u64 = 10;
const KILLS: usize = 5;

/// Kills of the real process, half of them in each of two tests that run beside each other.
const SIGKILLS: usize = 100;

/// Longest wait for the rest of the chain, a few blocks to a transaction, on a machine that does much else.
const REST: Duration = Duration::from_mins(2);

/// Longest life of a process after its first commit. At the pace of the test the whole chain takes some seconds.
const LONGEST_LIFE_US: u32 = 90_000;

fn rules() -> Rules {
    let mut config = config();
    config.index.mode = IndexMode::Full;
    config.rules().unwrap()
}

async fn straight(daemon: &Daemon) -> Place {
    let place = Place::with(rules()).await;
    let mut follower = place.follower(daemon).await;
    settle(&mut follower).await;
    place
}

/// Runs a follower and drops it wherever it happens to be after `life`.
async fn live_for(place: &Place, daemon: &Daemon, life: Duration) {
    let mut follower = place.follower(daemon).await;
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

#[tokio::test]
async fn a_catch_up_killed_at_random_moments_ends_like_an_uninterrupted_one() {
    let daemon = Daemon::start(&BLOCKS).await;
    let expected = straight(&daemon).await;
    let mut cut_short = 0;
    for seed in 0..CASES {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let mut place = Place::with(rules()).await;
        // Small transactions, so that there are many moments between them.
        place.pace.blocks_per_transaction = usize::try_from(random.within(4, 60)).unwrap();
        place.pace.fetch_batch = random.within(1, 32);
        for _ in 0..KILLS {
            let life = Duration::from_micros(random.within(500, 60_000).into());
            live_for(&place, &daemon, life).await;
            cut_short += usize::from(blocks(&place.db.pool).await <= i64::from(LAST));
        }
        let mut follower = place.follower(&daemon).await;
        settle(&mut follower).await;
        let context = format!("seed {seed}");
        assert_same_rows(&place.db.pool, &expected.db.pool, &context).await;
    }
    assert!(cut_short > 10, "only {cut_short} kills came in time");
}

/// The process, slow enough to be killed in the middle.
fn start(ground: &Ground, daemon: &Daemon) -> Process {
    let addresses = format!("[{{address=\"{}\"}}]", shop());
    let settings = [
        ("INDEX__MODE", "full"),
        ("FOLLOW__POLL_INTERVAL", "20ms"),
        ("FOLLOW__BLOCKS_PER_TRANSACTION", "4"),
        ("FOLLOW__FETCH_BATCH", "4"),
        ("PAYMENTS__ADDRESSES", &addresses),
    ];
    Process::start(ground, daemon, &settings)
}

#[expect(clippy::disallowed_methods, reason = "a look from outside")]
async fn blocks(pool: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM block")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Waits for more blocks than there were, without the pauses of `eventually`: the kills must not all come at the same moment
/// after a commit.
async fn more_than(pool: &sqlx::PgPool, reached: i64) -> i64 {
    let deadline = Instant::now() + LIMIT;
    loop {
        let count = blocks(pool).await;
        if count > reached {
            return count;
        }
        assert!(Instant::now() < deadline, "no block after {reached}");
        tokio::task::yield_now().await;
    }
}

/// Kills the process `kills` times, each at a random moment of its sync, over as many databases as that takes. Every one of them
/// ends like an uninterrupted run.
async fn kill_at_random_moments(seed: u64, kills: usize) {
    let context = format!("seed {seed}, after SIGKILL");
    let mut random = Random::new(seed);
    let daemon = Daemon::start(&BLOCKS).await;
    let expected = straight(&daemon).await;
    daemon.world().delay = Duration::from_millis(3);
    let everything = i64::from(LAST) + 1;
    let mut ground = Ground::new().await;
    let (mut killed, mut reached) = (0, 0);
    while killed < kills {
        let mut process = start(&ground, &daemon);
        if reached < everything {
            more_than(&ground.db.pool, reached).await;
        }
        let life = Duration::from_micros(random.within(0, LONGEST_LIFE_US).into());
        tokio::time::sleep(life).await;
        process.kill();
        reached = blocks(&ground.db.pool).await;
        // A kill after the last block was no kill of a sync.
        killed += usize::from(reached < everything);
        end_terms(&ground.db.pool).await;
        if reached == everything {
            assert_same_rows(&ground.db.pool, &expected.db.pool, &context).await;
            ground.db = Ground::database().await;
            reached = 0;
        }
    }
    daemon.world().delay = Duration::ZERO;
    let _last = start(&ground, &daemon);
    eventually(REST, async || match blocks(&ground.db.pool).await {
        count if count == everything => Ok(()),
        count => Err(count),
    })
    .await;
    assert_same_rows(&ground.db.pool, &expected.db.pool, &context).await;
}

#[tokio::test]
async fn the_process_killed_with_sigkill_at_random_moments_resumes_to_the_same_end() {
    Box::pin(kill_at_random_moments(1, SIGKILLS / 2)).await;
}

#[tokio::test]
async fn the_process_killed_with_sigkill_at_other_moments_resumes_to_the_same_end() {
    Box::pin(kill_at_random_moments(2, SIGKILLS / 2)).await;
}
