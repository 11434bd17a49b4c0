//! Deployments from the balance.

use fluxplane_billing::{
    app::submit_revision::{Submitted, submit_revision},
    domain::app::{Revision, RevisionState},
};
use fluxplane_core::Funding as Paid;
use fluxplane_proto::{
    billing::v1::{RevisionFunded, RevisionRefused},
    scheduler::v1::Funding,
};
use fluxplane_testkit::eventually;
use tokio::task::JoinSet;

use crate::{
    play::{App, OWNER, PRICE, app, pay, spec},
    support::{LIMIT, Plane, time},
};

/// Puts money on the owner's balance: a payment for an application that ended.
async fn fill(plane: &Plane, amount: i64) {
    let ended = app(99);
    plane.submit(&ended, Funding::ChainPayment).await;
    plane.end(&ended, plane.now()).await;
    plane.credit(&pay(99, &ended.hash(1), &[amount])).await;
    assert_eq!(plane.money(OWNER).await, (amount, 0, 0));
}

#[tokio::test]
async fn a_balance_that_suffices_funds_at_once_and_one_that_does_not_refuses() {
    let plane = Plane::start().await;
    fill(&plane, PRICE + 10).await;
    let (one, two) = (app(1), app(2));
    plane.submit(&one, Funding::Balance).await;
    plane
        .hear(|funded: &RevisionFunded| funded.app_id == one.id().to_string())
        .await;
    plane.submit(&two, Funding::Balance).await;
    let refused = plane
        .hear(|refused: &RevisionRefused| refused.app_id == two.id().to_string())
        .await;
    assert_eq!(refused.code, "payment-required");
    assert!(
        refused.message.contains("0.00000010 FLUX"),
        "{}",
        refused.message
    );
    assert_eq!(plane.money(OWNER).await, (10, PRICE, 0));
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn of_eight_deployments_at_once_a_balance_funds_what_it_suffices_for() {
    let plane = Plane::start().await;
    fill(&plane, PRICE * 2 - 1).await;
    let mut submissions = Vec::new();
    for number in 1..=8 {
        let app = app(number);
        let quote = plane.quote_for(OWNER, &spec(&app.name), "").await;
        submissions.push(submission(&plane, &app, &quote.quote_id));
    }
    let ctx = plane.context();
    let mut racing = JoinSet::new();
    for submitted in submissions {
        let ctx = ctx.clone();
        racing.spawn(async move {
            let mut tx = fluxplane_platform::db::begin(&ctx.pool).await.unwrap();
            submit_revision(&mut tx, &ctx, submitted).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    while let Some(done) = racing.join_next().await {
        done.unwrap();
    }
    eventually(LIMIT, async || {
        let counts = (
            plane.heard::<RevisionFunded>().len(),
            plane.heard::<RevisionRefused>().len(),
        );
        if counts == (1, 7) {
            Ok(())
        } else {
            Err(counts)
        }
    })
    .await;
    assert_eq!(plane.money(OWNER).await, (PRICE - 1, PRICE, 0));
    plane.assert_books_balance().await;
}

fn submission(plane: &Plane, app: &App, quote: &str) -> Submitted {
    Submitted {
        spec_sha256: None,
        app_name: app.name.clone(),
        owner: app.owner.clone(),
        revision: Revision {
            id: app.revision(1).into(),
            app: app.id().into(),
            number: 1,
            message_hash: app.hash(1),
            quote: quote.parse().unwrap(),
            funding: Paid::Balance,
            state: RevisionState::Awaiting,
            submitted_at: time(plane.now()),
            pay_until: time(plane.now() + 60),
        },
    }
}
