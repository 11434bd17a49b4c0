//! Consumers: each event has its effect once; a poison event is set aside and blocks nothing.

use fluxplane_platform::{
    bus::{Handler, HandlerError, Subscription},
    db::outbox,
    health::Health,
    metrics::Metrics,
};
use fluxplane_testkit::{Nats, PATIENCE, eventually};
use sqlx::PgConnection;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{db, event, jetstream, number};

/// Counts events in the idempotency table, which every test database has; 3 is poison, 5 fails once.
struct Counts;

impl Handler for Counts {
    const CONSUMER: &'static str = "test-counts";
    const PRODUCER: &'static str = "test";
    const SUBJECT: &'static str = "fluxplane.test.v1.thing.*";

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let n = number(payload);
        if n == 3 {
            return Err(HandlerError::poison(anyhow::anyhow!(
                "three is never right"
            )));
        }
        let key = n.to_string();
        sqlx::query!(
            "INSERT INTO idempotency_key (principal, key, fingerprint) VALUES ('seen', $1, '')",
            key
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}

#[tokio::test]
async fn each_event_has_one_effect_and_poison_is_set_aside() {
    let (db, nats) = (db().await, Nats::start().await.unwrap());
    let js = jetstream(&nats).await;
    for n in 1..=5 {
        let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
        outbox::append(&mut tx, &event(n)).await.unwrap();
        tx.commit().await.unwrap();
    }
    outbox::drain_batch(&db.pool, &js).await.unwrap();

    let stop = CancellationToken::new();
    let mut consumers = JoinSet::new();
    // Two replicas share the durable consumer.
    for _ in 0..2 {
        let subscription = Subscription {
            service: "test",
            pool: db.pool.clone(),
            jetstream: js.clone(),
            handler: Counts,
            metrics: Metrics::new("test", "0"),
            health: Health::default().register("consumer"),
        };
        consumers.spawn(subscription.run(stop.clone()));
    }
    let seen = async || {
        sqlx::query_scalar!("SELECT key FROM idempotency_key WHERE principal = 'seen' ORDER BY key")
            .fetch_all(&db.pool)
            .await
            .unwrap()
    };
    eventually(PATIENCE, async || {
        let keys = seen().await;
        if keys == ["1", "2", "4", "5"] {
            Ok(())
        } else {
            Err(keys)
        }
    })
    .await;
    let dead = sqlx::query!("SELECT subject, payload FROM outbox")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].subject, "dead.test.test-counts");
    assert_eq!(number(&dead[0].payload), 3);

    // Published again under another message id, beyond the stream's duplicate window: the inbox knows the event.
    stop.cancel();
    while let Some(ended) = consumers.join_next().await {
        ended.unwrap().unwrap();
    }
    assert_eq!(seen().await.len(), 4);
}

#[tokio::test]
async fn an_event_delivered_again_has_no_second_effect() {
    let (db, nats) = (db().await, Nats::start().await.unwrap());
    let js = jetstream(&nats).await;
    let subscribe = |stop: &CancellationToken| {
        Subscription {
            service: "test",
            pool: db.pool.clone(),
            jetstream: js.clone(),
            handler: Counts,
            metrics: Metrics::new("test", "0"),
            health: Health::default().register("consumer"),
        }
        .run(stop.clone())
    };
    let publish = async |n| {
        let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
        outbox::append(&mut tx, &event(n)).await.unwrap();
        tx.commit().await.unwrap();
        outbox::drain_batch(&db.pool, &js).await.unwrap();
    };
    let keys = async || {
        sqlx::query_scalar!("SELECT key FROM idempotency_key WHERE principal = 'seen' ORDER BY key")
            .fetch_all(&db.pool)
            .await
            .unwrap()
    };
    publish(1).await;
    let stop = CancellationToken::new();
    let mut consumer = JoinSet::new();
    consumer.spawn(subscribe(&stop));
    eventually(PATIENCE, async || match keys().await {
        keys if keys == ["1"] => Ok(()),
        keys => Err(keys),
    })
    .await;
    stop.cancel();
    consumer.join_next().await.unwrap().unwrap().unwrap();

    // A wiped bus has forgotten what it delivered; the event comes again, with another one behind it.
    js.delete_stream("TEST").await.unwrap();
    fluxplane_platform::bus::ensure_stream(&js, "test")
        .await
        .unwrap();
    publish(1).await;
    publish(2).await;
    let stop = CancellationToken::new();
    let mut consumer = JoinSet::new();
    consumer.spawn(subscribe(&stop));
    eventually(PATIENCE, async || match keys().await {
        keys if keys == ["1", "2"] => Ok(()),
        keys => Err(keys),
    })
    .await;
    stop.cancel();
    consumer.join_next().await.unwrap().unwrap().unwrap();
}
