//! The outbox: what commits is announced once and in order, what rolls back never.

use fluxplane_platform::{
    db::outbox::{self, Relay},
    health::Health,
    metrics::Metrics,
};
use fluxplane_testkit::{Nats, PATIENCE, eventually};
use futures::StreamExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{db, event, jetstream, number};

/// Everything in the stream, in order.
async fn stored(js: &async_nats::jetstream::Context) -> Vec<u128> {
    let stream = js.get_stream("TEST").await.unwrap();
    let consumer = stream
        .create_consumer(async_nats::jetstream::consumer::pull::Config::default())
        .await
        .unwrap();
    let mut messages = consumer
        .fetch()
        .max_messages(10_000)
        .messages()
        .await
        .unwrap();
    let mut numbers = Vec::new();
    while let Some(message) = messages.next().await {
        numbers.push(number(&message.unwrap().payload));
    }
    numbers
}

fn relay(pool: &sqlx::PgPool, js: &async_nats::jetstream::Context) -> Relay {
    Relay {
        pool: pool.clone(),
        jetstream: js.clone(),
        metrics: Metrics::new("test", "0"),
        health: Health::default().register("outbox"),
    }
}

async fn waiting(pool: &sqlx::PgPool) -> i64 {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM outbox"#)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_rolled_back_change_announces_nothing() {
    let (db, nats) = (db().await, Nats::start().await.unwrap());
    let js = jetstream(&nats).await;
    let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
    outbox::append(&mut tx, &event(1)).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(outbox::drain_batch(&db.pool, &js).await.unwrap(), 0);
    assert_eq!(stored(&js).await, []);
}

#[tokio::test]
async fn three_relays_publish_each_event_once_and_in_order() {
    const EVENTS: u128 = 400;
    let (db, nats) = (db().await, Nats::start().await.unwrap());
    let js = jetstream(&nats).await;
    let stop = CancellationToken::new();
    let mut relays = JoinSet::new();
    for _ in 0..3 {
        relays.spawn(relay(&db.pool, &js).run(stop.clone()));
    }
    for n in 0..EVENTS {
        let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
        outbox::append(&mut tx, &event(n)).await.unwrap();
        tx.commit().await.unwrap();
    }
    eventually(PATIENCE, async || match waiting(&db.pool).await {
        0 => Ok(()),
        left => Err(left),
    })
    .await;
    stop.cancel();
    while let Some(ended) = relays.join_next().await {
        ended.unwrap().unwrap();
    }
    assert_eq!(stored(&js).await, (0..EVENTS).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_crash_between_acknowledgement_and_commit_is_deduplicated() {
    let (db, nats) = (db().await, Nats::start().await.unwrap());
    let js = jetstream(&nats).await;
    let append = async || {
        let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
        outbox::append(&mut tx, &event(7)).await.unwrap();
        tx.commit().await.unwrap();
    };
    append().await;
    assert_eq!(outbox::drain_batch(&db.pool, &js).await.unwrap(), 1);
    // The same row again is what a relay finds that died before its DELETE committed.
    append().await;
    assert_eq!(outbox::drain_batch(&db.pool, &js).await.unwrap(), 1);
    assert_eq!(stored(&js).await, [7]);
}

#[tokio::test]
async fn events_survive_a_bus_that_is_away() {
    let (db, mut nats) = (db().await, Nats::start().await.unwrap());
    let js = jetstream(&nats).await;
    let stop = CancellationToken::new();
    let mut relays = JoinSet::new();
    relays.spawn(relay(&db.pool, &js).run(stop.clone()));
    nats.restart(true).await.unwrap();
    let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
    outbox::append(&mut tx, &event(1)).await.unwrap();
    tx.commit().await.unwrap();
    eventually(PATIENCE, async || {
        // The stream was wiped with the server; its owner makes it again.
        fluxplane_platform::bus::ensure_stream(&js, "test")
            .await
            .map_err(|err| err.to_string())?;
        match waiting(&db.pool).await {
            0 => Ok(()),
            left => Err(format!("{left} events wait")),
        }
    })
    .await;
    stop.cancel();
    relays.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(stored(&js).await, [1]);
}

#[tokio::test]
async fn the_age_of_what_waits_is_measured_while_the_bus_is_away() {
    let db = db().await;
    let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
    outbox::append(&mut tx, &event(1)).await.unwrap();
    tx.commit().await.unwrap();
    sqlx::query!("UPDATE outbox SET created_at = now() - interval '90 s'")
        .execute(&db.pool)
        .await
        .unwrap();
    let nats = Nats::start().await.unwrap();
    let js = jetstream(&nats).await;
    drop(nats);
    let relay = relay(&db.pool, &js);
    let age = relay.metrics.common.outbox_age_seconds.clone();
    let stop = CancellationToken::new();
    let mut relays = JoinSet::new();
    relays.spawn(relay.run(stop.clone()));
    eventually(PATIENCE, async || match age.get() {
        90.. => Ok(()),
        young => Err(young),
    })
    .await;
    stop.cancel();
    relays.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn events_recorded_together_keep_their_order() {
    let (db, nats) = (db().await, Nats::start().await.unwrap());
    let js = jetstream(&nats).await;
    let events: Vec<_> = (1..=100).map(event).collect();
    let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
    outbox::append(&mut tx, &event(0)).await.unwrap();
    outbox::append_all(&mut tx, &events).await.unwrap();
    outbox::append_all(&mut tx, &[]).await.unwrap();
    outbox::append(&mut tx, &event(101)).await.unwrap();
    tx.commit().await.unwrap();
    while outbox::drain_batch(&db.pool, &js).await.unwrap() > 0 {}
    assert_eq!(stored(&js).await, (0..=101).collect::<Vec<u128>>());
}
