//! Leases and leadership: one holder at a time, and a token that keeps an old one from writing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use fluxplane_platform::{
    db::{
        leader::Candidate,
        lease::{self, FenceError},
    },
    metrics::Metrics,
};
use fluxplane_testkit::{PATIENCE, eventually};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::db;

const LONG: Duration = Duration::from_mins(1);

/// Long enough to be renewed in on a busy machine, short enough to be waited for.
const TERM: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_superseded_lease_holder_is_fenced_off() {
    let db = db().await;
    let mut conn = db.pool.acquire().await.unwrap();
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let first = lease::acquire(&mut conn, "l", a, LONG)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(lease::acquire(&mut conn, "l", b, LONG).await.unwrap(), None);
    assert_eq!(
        lease::acquire(&mut conn, "l", a, LONG).await.unwrap(),
        Some(first)
    );
    lease::fence(&mut conn, "l", first).await.unwrap();

    lease::release(&mut conn, "l", a).await.unwrap();
    let second = lease::acquire(&mut conn, "l", b, LONG)
        .await
        .unwrap()
        .unwrap();
    assert!(second > first);
    let refused = lease::fence(&mut conn, "l", first).await.unwrap_err();
    assert!(matches!(refused, FenceError::Superseded { token, .. } if token == first));
    lease::fence(&mut conn, "l", second).await.unwrap();
}

#[tokio::test]
async fn a_fenced_transaction_keeps_the_lease_from_changing_hands() {
    let db = db().await;
    let mut conn = db.pool.acquire().await.unwrap();
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let token = lease::acquire(&mut conn, "l", a, LONG)
        .await
        .unwrap()
        .unwrap();
    let mut tx = fluxplane_platform::db::begin(&db.pool).await.unwrap();
    lease::fence(&mut tx, "l", token).await.unwrap();

    let mut other = db.pool.acquire().await.unwrap();
    sqlx::query!("SET lock_timeout = '100ms'")
        .execute(&mut *other)
        .await
        .unwrap();
    let blocked = lease::acquire(&mut other, "l", b, LONG).await.unwrap_err();
    assert_eq!(
        blocked.as_database_error().unwrap().code().as_deref(),
        Some("55P03")
    );
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn leadership_moves_when_a_leader_stops_and_terms_never_overlap() {
    let db = db().await;
    let working = Arc::new(AtomicUsize::new(0));
    let last_token = Arc::new(AtomicI64::new(0));
    let mut candidates = JoinSet::new();
    let mut stops = Vec::new();
    for n in 1..=3 {
        let stop = CancellationToken::new();
        stops.push(stop.clone());
        let candidate = Candidate {
            pool: db.pool.clone(),
            name: "test.leader",
            holder: Uuid::from_u128(n),
            ttl: TERM,
            metrics: Metrics::new("test", "0"),
        };
        let (working, last_token) = (Arc::clone(&working), Arc::clone(&last_token));
        candidates.spawn(candidate.run(stop, move |term| {
            let (working, last_token) = (Arc::clone(&working), Arc::clone(&last_token));
            async move {
                assert_eq!(
                    working.fetch_add(1, Ordering::SeqCst),
                    0,
                    "two leaders at once"
                );
                assert!(last_token.swap(term.token, Ordering::SeqCst) < term.token);
                term.over.cancelled().await;
                working.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        }));
    }
    let mut seen = 0;
    for stop in stops {
        let token = eventually(PATIENCE, async || {
            let token = last_token.load(Ordering::SeqCst);
            if token > seen && working.load(Ordering::SeqCst) == 1 {
                Ok(token)
            } else {
                Err(token)
            }
        })
        .await;
        seen = token;
        // Stops one candidate after the other; the leader is among them sooner or later.
        stop.cancel();
        if working.load(Ordering::SeqCst) == 1 {
            seen = 0;
        }
    }
    while let Some(ended) = candidates.join_next().await {
        ended.unwrap().unwrap();
    }
    assert_eq!(working.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_leader_cut_off_from_the_database_stops_working() {
    let db = db().await;
    let proxy = fluxplane_testkit::ChaosProxy::start(
        format!("127.0.0.1:{}", db.options().get_port())
            .parse()
            .unwrap(),
    )
    .await
    .unwrap();
    let options = db.options().host("127.0.0.1").port(proxy.address.port());
    let pool = sqlx::postgres::PgPoolOptions::new()
        .acquire_timeout(TERM)
        .connect_with(options)
        .await
        .unwrap();
    let working = Arc::new(AtomicUsize::new(0));
    let stop = CancellationToken::new();
    let candidate = Candidate {
        pool,
        name: "test.cut",
        holder: Uuid::from_u128(1),
        ttl: TERM,
        metrics: Metrics::new("test", "0"),
    };
    let mut running = JoinSet::new();
    let counter = Arc::clone(&working);
    running.spawn(candidate.run(stop.clone(), move |term| {
        let working = Arc::clone(&counter);
        async move {
            working.fetch_add(1, Ordering::SeqCst);
            term.over.cancelled().await;
            working.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        }
    }));
    let count = |wanted| {
        let working = Arc::clone(&working);
        eventually(PATIENCE, move || {
            let now = working.load(Ordering::SeqCst);
            std::future::ready(if now == wanted { Ok(()) } else { Err(now) })
        })
    };
    count(1).await;
    proxy.set(fluxplane_testkit::chaos::Link::Stalled);
    count(0).await;
    proxy.set(fluxplane_testkit::chaos::Link::Cut);
    proxy.set(fluxplane_testkit::chaos::Link::Up);
    count(1).await;
    stop.cancel();
    running.join_next().await.unwrap().unwrap().unwrap();
}
