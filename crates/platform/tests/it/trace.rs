//! One trace id from the cause, through the outbox and the bus, to the effect.

use std::sync::{Arc, Mutex};

use fluxplane_platform::{
    bus::{Handler, HandlerError, Subscription},
    config::Telemetry,
    db::outbox,
    health::Health,
    metrics::Metrics,
    propagation, telemetry,
};
use fluxplane_testkit::{Nats, PATIENCE, eventually};
use sqlx::PgConnection;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::support::{db, event, jetstream};

#[derive(Clone, Default)]
struct Remembers(Arc<Mutex<Option<String>>>);

impl Handler for Remembers {
    const CONSUMER: &'static str = "test-remembers";
    const PRODUCER: &'static str = "test";
    const SUBJECT: &'static str = "fluxplane.test.>";

    async fn apply(
        &self,
        _conn: &mut PgConnection,
        _subject: &str,
        _payload: &[u8],
    ) -> Result<(), HandlerError> {
        *self.0.lock().unwrap() = Some(propagation::current_traceparent());
        Ok(())
    }
}

#[tokio::test]
async fn an_event_carries_the_trace_of_its_cause() {
    let config = Telemetry {
        log_filter: "off".to_owned(),
        otlp_endpoint: String::new(),
        trace_ratio: 1.0,
    };
    telemetry::init("test", "0", &config).unwrap();
    let (db, nats) = (db().await, Nats::start().await.unwrap());
    let js = jetstream(&nats).await;

    let cause = async {
        let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
        outbox::append(&mut tx, &event(1)).await.unwrap();
        tx.commit().await.unwrap();
        propagation::current_traceparent()
    }
    .instrument(tracing::info_span!("cause"))
    .await;
    outbox::drain_batch(&db.pool, &js).await.unwrap();

    let (handler, stop) = (Remembers::default(), CancellationToken::new());
    let subscription = Subscription {
        service: "test",
        pool: db.pool.clone(),
        jetstream: js.clone(),
        handler: handler.clone(),
        metrics: Metrics::new("test", "0"),
        health: Health::default().register("consumer"),
    };
    let mut consumer = JoinSet::new();
    consumer.spawn(subscription.run(stop.clone()));
    let effect = eventually(PATIENCE, async || {
        handler.0.lock().unwrap().clone().ok_or("not delivered")
    })
    .await;
    stop.cancel();

    let trace_id = |traceparent: &str| traceparent.split('-').nth(1).map(str::to_owned);
    assert!(trace_id(&cause).is_some(), "{cause}");
    assert_eq!(trace_id(&cause), trace_id(&effect));
    assert_ne!(cause, effect, "the effect is a span of its own");
}
