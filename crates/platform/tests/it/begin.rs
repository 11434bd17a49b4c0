//! A transaction whose beginning was cancelled leaves nothing behind in the pool.

use std::{future::poll_fn, pin::pin, task::Poll};

use fluxplane_platform::db::{begin, begin_snapshot};
use sqlx::{Executor as _, postgres::PgPoolOptions};

use crate::support::db;

/// Beginnings, each dropped after a few polls more than the last; then again from one.
const ATTEMPTS: u32 = 60;
const MOST_POLLS: u32 = 4;

/// Polls `future` at most `polls` times, then drops it. Independent of how fast the machine is.
async fn dropped_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_cancelled_beginning_leaves_no_connection_inside_a_transaction() {
    let template = db().await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(template.options())
        .await
        .unwrap();
    let mut cancelled = 0;
    for attempt in 0..ATTEMPTS {
        let begun = dropped_after(attempt % MOST_POLLS + 1, begin(&pool)).await;
        cancelled += u32::from(begun.is_none());
        drop(begun);
        let mut conn = pool.acquire().await.unwrap();
        // Only inside a transaction is there anything to save.
        let outside = conn.execute("SAVEPOINT inside").await.unwrap_err();
        assert!(
            outside.to_string().contains("transaction blocks"),
            "attempt {attempt}: {outside}"
        );
    }
    assert!(cancelled > 10, "only {cancelled} were cancelled");
}

#[tokio::test]
async fn a_snapshot_sees_one_moment_and_changes_nothing() {
    let db = db().await;
    let mut snapshot = begin_snapshot(&db.pool).await.unwrap();
    let count = |name: &'static str| {
        sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM lease WHERE name = $1"#,
            name
        )
    };
    assert_eq!(count("one").fetch_one(&mut *snapshot).await.unwrap(), 0);
    sqlx::query!(
        "INSERT INTO lease (name, holder, token, expires_at) VALUES ('one', gen_random_uuid(), 1, now())"
    )
    .execute(&db.pool)
    .await
    .unwrap();
    assert_eq!(count("one").fetch_one(&mut *snapshot).await.unwrap(), 0);
    assert_eq!(count("one").fetch_one(&db.pool).await.unwrap(), 1);
    let refused = sqlx::query!("DELETE FROM lease")
        .execute(&mut *snapshot)
        .await;
    assert!(refused.unwrap_err().to_string().contains("read-only"));
}
