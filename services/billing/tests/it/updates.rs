//! Updates of running applications: what was not used is credited.

use fluxplane_proto::{
    billing::v1::{RevisionFunded, RevisionRefused},
    scheduler::v1::Funding,
};
use serde_json::json;

use crate::{
    play::{OWNER, PRICE, TERM, app, cost, pay, spec},
    support::{FIRST_HEIGHT, Plane, stamp},
};

#[tokio::test]
async fn an_update_is_credited_with_the_unused_term_and_costs_no_more_than_a_fresh_one() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.deploy(&app).await;
    // A third of the term passes; nothing of it is evidenced.
    plane.pass(TERM / 3);
    plane.block(FIRST_HEIGHT + 88_000 / 3).await;
    let mut larger = spec(&app.name);
    larger["instances"] = json!(6);
    larger["compose"][0]["cpu"] = json!(4);
    let fresh = plane
        .quote_for(OWNER, &larger, "")
        .await
        .price
        .unwrap()
        .units;
    let quote = plane.quote_for(OWNER, &larger, &app.name).await;
    let due = quote.price.as_ref().unwrap().units;
    assert!(due > 0 && due < fresh, "{due} {fresh}");
    assert!(
        quote.breakdown.iter().any(|step| step.contains("credit")),
        "{:?}",
        quote.breakdown
    );

    plane
        .tell(&app.submitted(&plane, 2, &quote, Funding::ChainPayment))
        .await;
    plane.credit(&pay(2, &app.hash(2), &[due])).await;
    let second = app.revision(2).to_string();
    let funded = plane
        .hear(|funded: &RevisionFunded| funded.revision_id == second)
        .await;
    assert_eq!(funded.amount_sat, due);
    assert_eq!(funded.paid_until, stamp(plane.now() + quote.term_seconds));

    // Behind the cut lie two thirds of the old price. The new term takes of it what a fresh one would cost more than was
    // paid; the first third waits for late evidence.
    let freed = PRICE - cost(TERM / 3 * 3);
    let kept = freed.min(fresh - due);
    let (available, held, _) = plane.money(OWNER).await;
    assert_eq!(available, freed - kept);
    assert_eq!(held, due + kept + (PRICE - freed));
    let total = sqlx::query_scalar!(
        "SELECT total_sat FROM term WHERE revision_id = $1",
        app.revision(2)
    )
    .fetch_one(&plane.db.pool)
    .await
    .unwrap();
    assert_eq!(total, due + kept);
    assert!(total <= fresh);
    plane.assert_books_balance().await;

    // The first third is never evidenced: it returns when its epoch is settled.
    plane.pass(10);
    plane.close_epoch().await;
    let (available, held, spent) = plane.money(OWNER).await;
    assert_eq!(
        (available, held, spent),
        (freed - kept + PRICE - freed, due + kept, 0)
    );
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn an_update_that_grows_nothing_is_free() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.deploy(&app).await;
    plane.pass(30_000);
    plane.block(FIRST_HEIGHT + 1_000).await;
    let mut same = spec(&app.name);
    same["compose"][0]["repotag"] = json!("nginx:1.28-alpine");
    same["expire"] = json!(87_000);
    let quote = plane.quote_for(OWNER, &same, &app.name).await;
    assert_eq!(quote.price.as_ref().unwrap().units, 0);
    plane
        .tell(&app.submitted(&plane, 2, &quote, Funding::ChainPayment))
        .await;
    let second = app.revision(2).to_string();
    let funded = plane
        .hear(|funded: &RevisionFunded| funded.revision_id == second)
        .await;
    assert_eq!(funded.amount_sat, 0);
    assert_eq!(funded.paid_until, stamp(plane.now() + 87_000 * 30));
    let (available, held, _) = plane.money(OWNER).await;
    assert_eq!(available + held, PRICE);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn a_quote_for_a_revision_that_no_longer_runs_is_refused() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.deploy(&app).await;
    plane.block(FIRST_HEIGHT + 50).await;
    let registration = plane.quote_for(OWNER, &spec(&app.name), "").await;
    plane
        .tell(&app.submitted(&plane, 2, &registration, Funding::ChainPayment))
        .await;
    let second = app.revision(2).to_string();
    let refused = plane
        .hear(|refused: &RevisionRefused| refused.revision_id == second)
        .await;
    assert!(refused.message.contains("update_of"), "{}", refused.message);

    let mut same = spec(&app.name);
    same["expire"] = json!(87_900);
    let stale = plane.quote_for(OWNER, &same, &app.name).await;
    let current = plane.quote_for(OWNER, &same, &app.name).await;
    plane
        .tell(&app.submitted(&plane, 3, &current, Funding::ChainPayment))
        .await;
    plane
        .tell(&app.submitted(&plane, 4, &stale, Funding::ChainPayment))
        .await;
    let fourth = app.revision(4).to_string();
    let refused = plane
        .hear(|refused: &RevisionRefused| refused.revision_id == fourth)
        .await;
    assert!(
        refused.message.contains("no longer runs"),
        "{}",
        refused.message
    );
}
