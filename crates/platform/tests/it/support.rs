//! A database with the platform's tables, a bus, and small things tests share.

use fluxplane_platform::{bus, config, db::PLATFORM_MIGRATIONS, db::outbox::NewEvent};
use fluxplane_testkit::{Nats, TestDb};
use uuid::Uuid;

pub(crate) async fn db() -> TestDb {
    TestDb::new("platform_test", &[&PLATFORM_MIGRATIONS])
        .await
        .unwrap()
}

pub(crate) async fn jetstream(nats: &Nats) -> async_nats::jetstream::Context {
    let config = config::Nats {
        url: nats.url.clone(),
        user: String::new(),
        password: config::Secret::default(),
    };
    let js = bus::connect(&config, "test").await.unwrap();
    bus::ensure_stream(&js, "test").await.unwrap();
    js
}

/// The `n`th event of a test; its payload is `n`.
pub(crate) fn event(n: u128) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(n),
        subject: "fluxplane.test.v1.thing.happened".to_owned(),
        payload: n.to_be_bytes().to_vec(),
    }
}

/// Reads back what [`event`] wrote.
pub(crate) fn number(payload: &[u8]) -> u128 {
    u128::from_be_bytes(payload.try_into().unwrap())
}
