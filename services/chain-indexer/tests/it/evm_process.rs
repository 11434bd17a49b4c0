//! The process that follows a token, killed.

use std::time::Duration;

use fluxplane_testkit::eventually;

use crate::{
    evm::{
        node::{CHAIN_ID, CONTRACT, Node},
        place::{Place, assert_same, dump, level, token},
    },
    evm_service::node,
    support::{
        chain::BLOCKS,
        daemon::Daemon,
        process::{Process, end_terms},
        service::{Ground, LIMIT},
    },
};

/// The process, following the node's token.
fn start(ground: &Ground, daemon: &Daemon, node: &Node) -> Process {
    let (url, contract) = (node.url(), CONTRACT);
    let token = format!(
        "[{{name=\"test-token\",chain_id={CHAIN_ID},url=\"{url}\",contract=\"{contract}\",start_block=0,\
         confirmations=6,poll_interval=\"20ms\",max_range=2}}]"
    );
    Process::start(ground, daemon, &[("EVM", &token)])
}

#[expect(clippy::disallowed_methods, reason = "a look from outside")]
async fn transfers(pool: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM evm_transfer")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_process_killed_with_sigkill_resumes_to_the_same_end() {
    let node = node().await;
    let straight = Place::new().await;
    level(
        &mut straight
            .follower(&token(CHAIN_ID, CONTRACT), &node.url())
            .await,
    )
    .await;
    node.world().delay = Duration::from_millis(15);
    let daemon = Daemon::start(&BLOCKS[..5]).await;
    let ground = Ground::new().await;
    let pool = &ground.db.pool;
    let mut reached = 0;
    for _ in 0..3 {
        let mut process = start(&ground, &daemon, &node);
        eventually(LIMIT, async || match transfers(pool).await {
            count if count > reached => Ok(()),
            count => Err(count),
        })
        .await;
        process.kill();
        reached = transfers(pool).await;
        end_terms(pool).await;
    }
    assert!(reached < 60, "the kills came in time");
    node.world().delay = Duration::ZERO;
    let _last = start(&ground, &daemon, &node);
    eventually(LIMIT, async || match transfers(pool).await {
        60 => Ok(()),
        count => Err(count),
    })
    .await;
    // The last block's transaction is done when its transfers are there.
    let found = dump(pool).await;
    assert_same(&found, &straight.dump().await, "after SIGKILL");
}
