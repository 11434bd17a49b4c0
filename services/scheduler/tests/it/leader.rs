//! The leader: fenced, replaceable, and whole however it dies.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use chrono::TimeDelta;
use fluxplane_core::{Clock as _, IdSource as _, SystemClock, SystemIds, id::AppId};
use fluxplane_envelope::{RootRing, SystemEntropy};
use fluxplane_platform::{db::lease, metrics::Metrics};
use fluxplane_proto::scheduler::v1::{AppState, InstanceAssigned};
use fluxplane_scheduler::{
    app::{
        Context, Error, Limits, Vault,
        reconcile::{LEASE, Leader},
    },
    domain::{case::Terms, rollout::Rules},
    metrics::SchedulerMetrics,
};
use sqlx::PgPool;

use crate::support::{LIMIT, Plane, bus::funded, spec::web, wallet::Wallet};

const TERMS: Terms = Terms {
    rules: Rules {
        health_timeout: TimeDelta::seconds(600),
        retry: TimeDelta::seconds(5),
    },
    grace: TimeDelta::seconds(0),
    recheck: TimeDelta::seconds(300),
};

fn leader(pool: &PgPool, token: i64) -> Leader {
    let ctx = Context {
        pool: pool.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        limits: Limits {
            pay_within: LIMIT,
            unpaid_per_owner: 10,
            reserved_per_owner: 20,
            reserved_copies_per_owner: 100,
            reserved_percent: 25,
            secrets_per_owner: 20,
            keep_ended: LIMIT,
        },
        vault: Vault {
            ring: Arc::new(RootRing::generate(&SystemEntropy).unwrap()),
            entropy: Arc::new(SystemEntropy),
        },
    };
    let metrics = SchedulerMetrics::register(&Metrics::new("test", "0"));
    Leader::new(ctx, token, TERMS, metrics)
}

/// Takes the lease from whoever holds it, as a new leader does when it lapsed.
async fn take_over(pool: &PgPool) -> i64 {
    fluxplane_testkit::eventually(LIMIT, async || {
        sqlx::query!("UPDATE lease SET expires_at = now() WHERE name = $1", LEASE)
            .execute(pool)
            .await
            .unwrap();
        let mut conn = pool.acquire().await.unwrap();
        let token = lease::acquire(&mut conn, LEASE, SystemIds.next(), LIMIT)
            .await
            .unwrap();
        // Its holder may have renewed it in between.
        token.ok_or("held")
    })
    .await
}

/// A funded application on a plane whose scheduler is not running any more.
async fn funded_and_stopped() -> (Plane, Wallet, AppId) {
    let mut plane = Plane::start_with(Arc::new(SystemClock), |config| {
        // Only this test leads.
        config.placement.period = fluxplane_platform::config::Span(LIMIT);
    })
    .await;
    let pool = plane.db.pool.clone();
    fluxplane_testkit::eventually(LIMIT, async || {
        let held = sqlx::query_scalar!("SELECT token FROM lease WHERE name = $1", LEASE);
        held.fetch_optional(&pool)
            .await
            .unwrap()
            .ok_or("nobody leads yet")
    })
    .await;
    take_over(&pool).await;
    let wallet = Wallet::new(1);
    plane.agents(5).await;
    let app = plane.submit(&wallet, &web("shop").json()).await.unwrap();
    plane
        .bus
        .fund(app.current.as_ref().unwrap(), plane.in_days(30))
        .await;
    plane.until_stage(&wallet, "shop", "funded").await;
    plane.stop().await;
    (plane, wallet, app.app_id.parse().unwrap())
}

/// Everything that a leader writes, as text.
async fn written(pool: &PgPool) -> Vec<String> {
    let rows = sqlx::query_scalar!(
        r#"
        SELECT 'instance ' || to_jsonb(i)::text AS "row!" FROM instance AS i
        UNION ALL SELECT 'decision ' || id::text FROM decision
        UNION ALL SELECT 'app ' || to_jsonb(a)::text FROM app AS a
        UNION ALL SELECT 'revision ' || to_jsonb(r)::text FROM revision AS r
        UNION ALL SELECT 'desired ' || to_jsonb(d)::text FROM node_desired AS d
        UNION ALL SELECT 'event ' || sequence::text FROM app_event
        UNION ALL SELECT 'outbox ' || seq::text FROM outbox
        "#
    );
    let mut rows = rows.fetch_all(pool).await.unwrap();
    rows.sort();
    rows
}

#[tokio::test]
async fn a_leader_that_was_overtaken_writes_nothing() {
    let (plane, _, app) = funded_and_stopped().await;
    let pool = &plane.db.pool;
    let old = take_over(pool).await;
    let new = take_over(pool).await;
    assert!(new > old);
    let before = written(pool).await;
    let mut overtaken = leader(pool, old);
    assert!(matches!(overtaken.run().await, Err(Error::Superseded(token)) if token == old));
    assert!(matches!(
        overtaken.step(app).await,
        Err(Error::Superseded(_))
    ));
    assert_eq!(written(pool).await, before);
    let run = leader(pool, new).run().await.unwrap();
    assert_eq!((run.looked_at, run.put_off), (1, 0));
    let epochs = sqlx::query_scalar!("SELECT epoch FROM node_desired")
        .fetch_all(pool)
        .await
        .unwrap();
    assert_eq!(epochs, [new; 3], "what nodes are told carries the token");
}

/// Many more wake-ups than one run of the leader takes; a test that needs them has failed.
const MOST_WAKE_UPS: u32 = 1_000;

/// Polls a future when something woke it, so many times, then drops it, as a crash does: it is dead after its n-th wait for
/// Postgres, however fast the machine is. Returns whether it was done before.
async fn dies_after(wake_ups: u32, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = wake_ups;
    let mortal = poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if left == 0 => Poll::Ready(false),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    });
    let limit = tokio::time::timeout(LIMIT, mortal).await;
    limit.expect("Postgres answers, and every answer is a wake-up")
}

#[tokio::test]
async fn a_leader_killed_anywhere_leaves_nothing_half_done_and_its_successor_finishes() {
    let (mut plane, wallet, _) = funded_and_stopped().await;
    let pool = plane.db.pool.clone();
    let before = written(&pool).await;
    // Each life is one wake-up longer than the last, until one has written.
    for wake_ups in 0.. {
        assert!(wake_ups < MOST_WAKE_UPS, "no life was long enough");
        let token = take_over(&pool).await;
        let finished = dies_after(wake_ups, leader(&pool, token).run()).await;
        let now = written(&pool).await;
        if now == before {
            assert!(
                !finished,
                "life {wake_ups} came to its end and wrote nothing"
            );
            continue;
        }
        let count = |what: &str| now.iter().filter(|row| row.starts_with(what)).count();
        assert_eq!(
            (count("instance"), count("decision"), count("desired")),
            (3, 1, 3),
            "all or nothing, in life {wake_ups}"
        );
        assert!(
            now.iter()
                .any(|row| row.contains("\"state\": \"deploying\""))
        );
        break;
    }
    // The whole service again: the deployment goes on from where it was.
    sqlx::query!("UPDATE lease SET expires_at = now()")
        .execute(&pool)
        .await
        .unwrap();
    let assigned = plane.bus.hear::<InstanceAssigned>().await;
    plane.boot().await;
    plane.until(&wallet, "shop", AppState::Running).await;
    fluxplane_testkit::eventually(LIMIT, async || {
        let heard = assigned.all().len();
        if heard >= 3 { Ok(()) } else { Err(heard) }
    })
    .await;
    assert_eq!(assigned.all().len(), 3, "nothing was assigned twice");
}

#[tokio::test]
async fn events_that_come_again_change_nothing() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    let app = plane.submit(&wallet, &web("shop").json()).await.unwrap();
    let (id, event) = (
        SystemIds.next(),
        funded(&app.current.unwrap().revision_id, plane.in_days(30)),
    );
    plane.bus.publish_as(id, &event).await;
    let running = plane.until(&wallet, "shop", AppState::Running).await;
    let before = written(&plane.db.pool).await;
    // The same event, and the same news under another id.
    plane.bus.redeliver(id, &event).await;
    plane.bus.publish(&event).await;
    // A later event of the same consumer shows that both were taken.
    let marker = plane.submit(&wallet, &web("marker").json()).await.unwrap();
    plane
        .bus
        .fund(marker.current.as_ref().unwrap(), plane.in_days(30))
        .await;
    plane.until_stage(&wallet, "marker", "funded").await;
    assert_eq!(plane.app(&wallet, "shop").await, running);
    let of_shop = |rows: Vec<String>| -> Vec<String> {
        let kinds = ["instance", "revision"];
        let own = |row: &String| {
            row.contains(&app.app_id) && kinds.iter().any(|kind| row.starts_with(kind))
        };
        rows.into_iter().filter(own).collect()
    };
    assert_eq!(of_shop(written(&plane.db.pool).await), of_shop(before));
}

#[tokio::test]
async fn a_second_replica_takes_over_when_the_first_ends() {
    let mut plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let first = sqlx::query_scalar!("SELECT token FROM lease WHERE name = $1", LEASE)
        .fetch_one(&plane.db.pool)
        .await
        .unwrap();
    plane.stop().await;
    plane.boot().await;
    let mut spec = web("second");
    spec.port = 32_000;
    plane.deploy(&wallet, &spec.json()).await;
    let second = sqlx::query_scalar!("SELECT token FROM lease WHERE name = $1", LEASE)
        .fetch_one(&plane.db.pool)
        .await
        .unwrap();
    assert!(second > first);
    let now = SystemClock.now();
    assert!(plane.app(&wallet, "shop").await.expires_at.unwrap().seconds > now.timestamp());
}
