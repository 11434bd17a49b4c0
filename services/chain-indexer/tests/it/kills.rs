//! Killed anywhere, the next run ends where an uninterrupted one does.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use fluxplane_platform::reconciler::Reconciler as _;
use fluxplane_testkit::eventually;
use tokio::task::JoinSet;

use crate::support::{
    chain::{BLOCKS, LAST},
    daemon::{Daemon, PASSWORD, USER},
    dump::assert_same_rows,
    follower::{Place, settle},
    random::Random,
    service::{Ground, LIMIT},
};

/// Databases that are killed, and how often each.
const CASES: u64 = 10;
const KILLS: usize = 5;

async fn straight(daemon: &Daemon) -> Place {
    let place = Place::new().await;
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
        let mut place = Place::new().await;
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

/// The real process on `ground`.
struct Process(Child);

impl Process {
    fn start(ground: &Ground, daemon: &Daemon) -> Self {
        let config = ground.config(daemon);
        let mut command = Command::new(env!("CARGO_BIN_EXE_chain-indexer"));
        command
            .arg("run")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut set = |key: &str, value: &str| {
            command.env(format!("FLUXPLANE_CHAIN_INDEXER__{key}"), value);
        };
        set("DB__HOST", &config.db.host);
        set("DB__PORT", &config.db.port.to_string());
        set("DB__DATABASE", &config.db.database);
        set("DB__USER", &config.db.user);
        set("NATS__URL", &config.nats.url);
        set("TLS__CA_FILE", config.tls.ca_file.to_str().unwrap());
        set("TLS__CERT_FILE", config.tls.cert_file.to_str().unwrap());
        set("TLS__KEY_FILE", config.tls.key_file.to_str().unwrap());
        set("GRPC__LISTEN", &config.grpc.listen.to_string());
        set("BASE__ADMIN__LISTEN", "127.0.0.1:0");
        set("RPC__URL", &config.rpc.url);
        set("RPC__USER", USER);
        set("RPC__PASSWORD", PASSWORD);
        set("CHAIN__NETWORK", "devnet");
        set("FOLLOW__POLL_INTERVAL", "20ms");
        set("FOLLOW__BLOCKS_PER_TRANSACTION", "4");
        set("FOLLOW__FETCH_BATCH", "4");
        let fund = crate::support::chain::EXCHANGE_FUND;
        set("CHAIN__DEVNET__EXCHANGE_FUND", fund);
        let address = crate::support::chain::shop();
        set(
            "PAYMENTS__ADDRESSES",
            &format!("[{{address=\"{address}\"}}]"),
        );
        Self(command.spawn().unwrap())
    }

    fn kill(&mut self) {
        // SIGKILL: no signal handler, no flush.
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[expect(clippy::disallowed_methods, reason = "a look from outside")]
async fn blocks(pool: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM block")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Lets a successor begin at once instead of after the dead leader's lease.
#[expect(
    clippy::disallowed_methods,
    reason = "the table belongs to the platform"
)]
async fn end_term(ground: &Ground) {
    sqlx::query("UPDATE lease SET expires_at = now()")
        .execute(&ground.db.pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_process_killed_with_sigkill_resumes_to_the_same_end() {
    let daemon = Daemon::start(&BLOCKS).await;
    let expected = straight(&daemon).await;
    daemon.world().delay = Duration::from_millis(3);
    let ground = Ground::new().await;
    let mut reached = 0;
    for _ in 0..3 {
        let mut process = Process::start(&ground, &daemon);
        eventually(LIMIT, async || match blocks(&ground.db.pool).await {
            count if count > reached => Ok(()),
            count => Err(count),
        })
        .await;
        process.kill();
        reached = blocks(&ground.db.pool).await;
        end_term(&ground).await;
    }
    assert!(reached <= i64::from(LAST), "the kills came in time");
    let _last = Process::start(&ground, &daemon);
    eventually(LIMIT, async || match blocks(&ground.db.pool).await {
        961 => Ok(()),
        count => Err(count),
    })
    .await;
    assert_same_rows(&ground.db.pool, &expected.db.pool, "after SIGKILL").await;
}
