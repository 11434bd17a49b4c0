//! Room that quotes keep.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fluxplane_core::SystemClock;
use fluxplane_proto::scheduler::v1::{AppState, InstanceState, ReserveRequest, ReserveResponse};
use fluxplane_testkit::eventually;
use prost_types::Timestamp;

use crate::support::{
    LIMIT, Plane, caller,
    spec::{Spec, web},
    wallet::Wallet,
};

/// What a node of these tests has.
const NODE_CPU: i64 = 3_000;

/// A plane whose quotes may keep all of it.
async fn without_limit() -> Plane {
    Plane::start_with(Arc::new(SystemClock), |config| {
        config.placement.reserved_percent = 100;
    })
    .await
}

async fn reserve(plane: &Plane, wallet: &Wallet, spec: &Spec) -> ReserveResponse {
    let request = ReserveRequest {
        caller: Some(caller(wallet)),
        spec_json: spec.json().replace("OWNER", &wallet.id),
        until: Some(Timestamp {
            seconds: plane.clock.now().timestamp() + 900,
            nanos: 0,
        }),
    };
    let kept = plane.client_as("billing").reserve(request).await;
    kept.unwrap().into_inner()
}

/// Thousandths of a cpu thread that each node has given away or keeps.
async fn taken(plane: &Plane) -> BTreeMap<String, i64> {
    let rows = sqlx::query!(
        r#"
        SELECT node_id::text AS "node!", sum(cpu_milli)::bigint AS "cpu!" FROM (
            SELECT i.node_id, r.cpu_milli FROM instance i JOIN revision r ON r.id = i.revision_id
            WHERE i.node_id IS NOT NULL AND i.released_at IS NULL
            UNION ALL
            SELECT node_id, cpu_milli FROM kept_room WHERE until IS NULL OR until > $1
        ) AS room GROUP BY node_id
        "#,
        plane.clock.now(),
    );
    let rows = rows.fetch_all(&plane.db.pool).await.unwrap();
    rows.into_iter().map(|row| (row.node, row.cpu)).collect()
}

/// Copies for which room is kept.
async fn kept(plane: &Plane) -> i64 {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM kept_room WHERE until IS NULL OR until > $1"#,
        plane.clock.now(),
    );
    count.fetch_one(&plane.db.pool).await.unwrap()
}

/// Submits and pays, and waits until every copy has a node or a reason for having none.
async fn settle(plane: &Plane, wallet: &Wallet, spec: &Spec) -> usize {
    let app = plane.submit(wallet, &spec.json()).await.unwrap();
    let revision = app.current.as_ref().unwrap();
    plane.bus.fund(revision, plane.in_days(30)).await;
    let instances = plane
        .until_instances(wallet, &spec.name, |instances| {
            instances.len() == spec.instances as usize
        })
        .await;
    let placed = |state| state != InstanceState::Pending;
    instances.iter().filter(|own| placed(own.state())).count()
}

#[tokio::test]
async fn a_quote_keeps_room_and_ports_until_it_is_over() {
    let (plane, clock) = Plane::at_rest().await;
    let _agents = plane.agents(4).await;
    let (first, second) = (Wallet::new(1), Wallet::new(2));
    let reserved = reserve(&plane, &first, &web("shop")).await;
    assert_eq!(
        (reserved.instances_reserved, reserved.shortage.as_str()),
        (3, "")
    );
    // The port is taken on three of four nodes, as if the application ran there already.
    assert_eq!(settle(&plane, &second, &web("other")).await, 1);
    clock.advance(Duration::from_secs(901));
    eventually(LIMIT, async || {
        // The leader looks again after five seconds, counted from when it looked in vain.
        clock.advance(Duration::from_secs(1));
        let app = plane.app(&second, "other").await;
        match app.state() {
            AppState::Running => Ok(()),
            state => Err((state, app.state_reason)),
        }
    })
    .await;
    assert_eq!(kept(&plane).await, 0);
}

#[tokio::test]
async fn whoever_pays_in_time_gets_the_room_however_full_it_is_meanwhile() {
    let (plane, clock) = Plane::at_rest().await;
    let _agents = plane.agents(4).await;
    let (first, second) = (Wallet::new(1), Wallet::new(2));
    let shop = web("shop");
    assert_eq!(reserve(&plane, &first, &shop).await.instances_reserved, 3);
    let greedy = Spec {
        instances: 4,
        cpu: "3".to_owned(),
        port: 31_001,
        ..web("greedy")
    };
    assert_eq!(settle(&plane, &second, &greedy).await, 1);

    let app = plane.submit(&first, &shop.json()).await.unwrap();
    // The quote is over, but the application waits for its payment.
    clock.advance(Duration::from_mins(30));
    assert_eq!(kept(&plane).await, 3);
    let revision = app.current.as_ref().unwrap();
    plane.bus.fund(revision, plane.in_days(30)).await;
    plane.until(&first, "shop", AppState::Running).await;
    assert_eq!(kept(&plane).await, 0);
    assert!(taken(&plane).await.values().all(|cpu| *cpu <= NODE_CPU));
}

#[tokio::test]
async fn an_application_that_ends_unpaid_leaves_its_room() {
    let plane = without_limit().await;
    let _agents = plane.agents(3).await;
    let (first, second) = (Wallet::new(1), Wallet::new(2));
    let shop = web("shop");
    assert_eq!(reserve(&plane, &first, &shop).await.instances_reserved, 3);
    plane.submit(&first, &shop.json()).await.unwrap();
    let other = reserve(&plane, &second, &web("other")).await;
    assert_eq!(other.instances_reserved, 0);
    assert!(other.shortage.contains("3 copies wait"), "{other:?}");
    plane.cancel(&first, "shop").await.unwrap();
    assert_eq!(kept(&plane).await, 0);
    plane.deploy(&second, &web("other").json()).await;
}

#[tokio::test]
async fn of_several_quotes_for_a_name_the_newest_keeps_room() {
    let plane = without_limit().await;
    let _agents = plane.agents(3).await;
    let wallet = Wallet::new(1);
    let whole = Spec {
        cpu: "3".to_owned(),
        ..web("shop")
    };
    assert_eq!(reserve(&plane, &wallet, &whole).await.instances_reserved, 3);
    // There is no room beside it, so it must make way for itself.
    assert_eq!(reserve(&plane, &wallet, &whole).await.instances_reserved, 3);
    let small = Spec {
        instances: 1,
        ..web("SHOP")
    };
    assert_eq!(reserve(&plane, &wallet, &small).await.instances_reserved, 1);
    assert_eq!(kept(&plane).await, 1);
}

#[tokio::test]
async fn quotes_are_free_so_what_they_keep_is_limited() {
    let plane = Plane::start_with(Arc::new(SystemClock), |config| {
        config.intent.reserved_copies_per_owner = 4;
    })
    .await;
    let _agents = plane.agents(4).await;
    let (first, second) = (Wallet::new(1), Wallet::new(2));
    assert_eq!(
        reserve(&plane, &first, &web("one"))
            .await
            .instances_reserved,
        3
    );
    let other_port = |name| Spec {
        port: 31_001,
        ..web(name)
    };
    let two = reserve(&plane, &first, &other_port("two")).await;
    assert_eq!(two.instances_reserved, 1);
    assert_eq!(
        two.shortage,
        "an owner's quotes keep room for at most 4 copies at once"
    );
    // A quarter of four nodes is one node, of which two thirds are kept.
    let three = reserve(&plane, &second, &other_port("three")).await;
    assert_eq!(three.instances_reserved, 2);
    assert_eq!(
        three.shortage,
        "all quotes together keep at most 25 % of the room there is"
    );
}

#[tokio::test]
async fn of_many_who_want_the_same_room_at_once_nobody_gets_what_another_has() {
    let plane = without_limit().await;
    let _agents = plane.agents(4).await;
    // Eight fit; eight want to be quoted, and eight are paid for meanwhile.
    let specs: Vec<Spec> = (0..16)
        .map(|n| Spec {
            instances: 1,
            cpu: "1.5".to_owned(),
            port: 31_000 + n,
            ..web(&format!("app{n}"))
        })
        .collect();
    let wallets: Vec<Wallet> = (1..=16).map(Wallet::new).collect();
    let racing = specs
        .iter()
        .zip(&wallets)
        .enumerate()
        .map(|(n, (spec, wallet))| {
            let plane = &plane;
            async move {
                if n % 2 == 0 {
                    reserve(plane, wallet, spec).await.instances_reserved as usize
                } else {
                    settle(plane, wallet, spec).await
                }
            }
        });
    let got: usize = futures::future::join_all(racing).await.into_iter().sum();
    let taken = taken(&plane).await;
    assert!(taken.values().all(|cpu| *cpu <= NODE_CPU), "{taken:?}");
    // Nothing was lost either: who found none found it taken.
    let sum: i64 = taken.values().sum();
    assert_eq!(i64::try_from(got).unwrap() * 1_500, sum);
    eventually(LIMIT, async || {
        let total: i64 = self::taken(&plane).await.values().sum();
        (total == 4 * NODE_CPU).then_some(()).ok_or(total)
    })
    .await;
}
