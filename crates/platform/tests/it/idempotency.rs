//! Idempotency keys: concurrent twins do the work once.

use fluxplane_platform::db::idempotency::{self, Begin};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::support::db;

/// Replies with the text it is asked with; the work is one outbox row.
async fn request(pool: PgPool, key: &'static str, body: String) -> Begin {
    let fingerprint = idempotency::fingerprint("/test", &body);
    let mut tx = pool.begin().await.unwrap();
    let begin = idempotency::begin(&mut tx, "someone", key, &fingerprint)
        .await
        .unwrap();
    if begin == Begin::Proceed {
        sqlx::query!(
            "INSERT INTO outbox (event_id, subject, payload) VALUES (gen_random_uuid(), 'work', '')"
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        idempotency::finish(&mut tx, "someone", key, &body)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    begin
}

#[tokio::test]
async fn eight_concurrent_twins_do_the_work_once() {
    let db = db().await;
    let mut twins = JoinSet::new();
    for _ in 0..8 {
        twins.spawn(request(db.pool.clone(), "k", "hello".to_owned()));
    }
    let replies = twins.join_all().await;
    assert_eq!(
        replies
            .iter()
            .filter(|reply| **reply == Begin::Proceed)
            .count(),
        1
    );
    let work = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM outbox"#)
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(work, 1);
}

#[tokio::test]
async fn a_key_reused_for_another_request_is_refused() {
    let db = db().await;
    assert_eq!(
        request(db.pool.clone(), "k", "one".to_owned()).await,
        Begin::Proceed
    );
    assert_eq!(
        request(db.pool.clone(), "k", "two".to_owned()).await,
        Begin::Mismatch
    );
    let replay = request(db.pool.clone(), "k", "one".to_owned()).await;
    let Begin::Replay(reply) = replay else {
        panic!("{replay:?}")
    };
    assert_eq!(
        <String as prost::Message>::decode(reply.as_slice()).unwrap(),
        "one"
    );
}

#[tokio::test]
async fn work_that_rolled_back_leaves_the_key_free() {
    let db = db().await;
    let fingerprint = idempotency::fingerprint("/test", &"one".to_owned());
    let mut tx = db.pool.begin().await.unwrap();
    idempotency::begin(&mut tx, "someone", "k", &fingerprint)
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(
        request(db.pool.clone(), "k", "one".to_owned()).await,
        Begin::Proceed
    );
}
