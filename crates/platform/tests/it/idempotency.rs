//! Idempotency keys: concurrent twins do the work once.

use fluxplane_platform::db::idempotency::{self, Request, Reused};
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::support::db;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("reused")]
    Reused(#[from] Reused),
    #[error("work failed")]
    Work,
}

/// Replies with the text it is asked with; the work is one outbox row, and fails for "bad".
async fn ask(pool: PgPool, body: &str) -> Result<String, Error> {
    let request = Request::new("someone", "k", "/test", &body.to_owned()).unwrap();
    let mut tx = fluxplane_platform::db::begin(&pool).await?;
    let reply = idempotency::once(&mut tx, &request, async |conn| {
        sqlx::query!(
            "INSERT INTO outbox (event_id, subject, payload) VALUES (gen_random_uuid(), 'work', '')"
        )
        .execute(conn)
        .await?;
        if body == "bad" {
            Err(Error::Work)
        } else {
            Ok(body.to_owned())
        }
    })
    .await?;
    tx.commit().await?;
    Ok(reply)
}

async fn work_done(pool: &PgPool) -> i64 {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM outbox"#)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn eight_concurrent_twins_do_the_work_once_and_get_the_same_reply() {
    let db = db().await;
    let mut twins = JoinSet::new();
    for _ in 0..8 {
        twins.spawn(ask(db.pool.clone(), "hello"));
    }
    for reply in twins.join_all().await {
        assert_eq!(reply.unwrap(), "hello");
    }
    assert_eq!(work_done(&db.pool).await, 1);
}

#[tokio::test]
async fn a_key_reused_for_another_request_is_refused() {
    let db = db().await;
    ask(db.pool.clone(), "one").await.unwrap();
    let refused = ask(db.pool.clone(), "two").await.unwrap_err();
    assert!(matches!(refused, Error::Reused(_)), "{refused:?}");
    assert_eq!(ask(db.pool.clone(), "one").await.unwrap(), "one");
    assert_eq!(work_done(&db.pool).await, 1);
}

#[tokio::test]
async fn work_that_failed_leaves_the_key_free() {
    let db = db().await;
    ask(db.pool.clone(), "bad").await.unwrap_err();
    assert_eq!(work_done(&db.pool).await, 0);
    ask(db.pool.clone(), "good").await.unwrap();
    assert_eq!(work_done(&db.pool).await, 1);
}

#[test]
fn a_key_is_short_and_printable() {
    for bad in ["", "with space", "ä", &"k".repeat(256)] {
        let refused = Request::new("someone", bad, "/test", &String::new()).unwrap_err();
        assert_eq!(refused.field, "Idempotency-Key");
    }
}
