//! Payments from the chain: every sat is in the ledger, whatever the payment was like.

use fluxplane_proto::{
    billing::v1::{PaymentProgress, RevisionFunded, RevisionRefused},
    chain_indexer::v1::{BlockConnected, Payment, payment_changed::Change},
    scheduler::v1::Funding,
};

use crate::{
    play::{OWNER, PRICE, TERM, app, buried, pay, spec},
    support::{CREDIT, FIRST_HEIGHT, Plane, stamp, time},
};

const CUSTOMER: &str = "customer:1CustomerOfTheseTests";
const DEBT: &str = "customer_debt:1CustomerOfTheseTests";

/// Why a payment waits in suspense.
async fn suspense_reason(plane: &Plane, message_hash: &str) -> String {
    sqlx::query_scalar!(
        "SELECT suspense_reason FROM payment WHERE message_hash = $1",
        message_hash
    )
    .fetch_one(&plane.db.pool)
    .await
    .unwrap()
}

/// Coins that the plane holds, by its own books.
async fn coins(plane: &Plane) -> i64 {
    -plane.balance("chain_clearing").await
}

#[tokio::test]
async fn an_exact_payment_funds_the_revision_for_its_term() {
    let plane = Plane::start().await;
    let app = app(1);
    let funded = plane.deploy(&app).await;
    assert_eq!(funded.amount_sat, PRICE);
    assert_eq!(funded.funded_at, stamp(plane.now()));
    assert_eq!(funded.paid_until, stamp(plane.now() + TERM));
    assert_eq!(plane.money(OWNER).await, (0, PRICE, 0));
    assert_eq!(plane.balance(&app.held()).await, PRICE);
    assert_eq!(coins(&plane).await, PRICE);
    plane
        .hear(|progress: &PaymentProgress| progress.message == "paid")
        .await;
    let stages: Vec<String> = plane
        .heard::<PaymentProgress>()
        .into_iter()
        .map(|progress| progress.message)
        .collect();
    assert!(stages[0].contains("was seen"), "{stages:?}");
    assert_eq!(stages.last().unwrap(), "paid");
    plane.assert_exceptions(&[]);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn too_much_funds_the_revision_and_the_rest_is_credit() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.submit(&app, Funding::ChainPayment).await;
    plane
        .credit(&pay(1, &app.hash(1), &[PRICE, 60_000_000]))
        .await;
    plane
        .hear(|funded: &RevisionFunded| funded.amount_sat == PRICE)
        .await;
    let told = plane
        .hear(|progress: &PaymentProgress| progress.message.starts_with("paid"))
        .await;
    for part in [
        "10.00000000 FLUX came",
        "9.40000000 FLUX were due",
        "0.60000000 FLUX more",
    ] {
        assert!(told.message.contains(part), "{}", told.message);
    }
    assert_eq!(plane.money(OWNER).await, (60_000_000, PRICE, 0));
    assert_eq!(coins(&plane).await, PRICE + 60_000_000);
    plane.assert_exceptions(&[("too_large", 1)]);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn what_is_announced_twice_counts_once() {
    let plane = Plane::start().await;
    let app = app(1);
    let quote = plane.submit(&app, Funding::ChainPayment).await;
    let payment = pay(1, &app.hash(1), &[PRICE]);
    plane.credit(&payment).await;
    plane.credit(&payment).await;
    plane.payment(Change::Final, &buried(&payment, 40)).await;
    plane
        .tell(&app.submitted(&plane, 1, &quote, Funding::ChainPayment))
        .await;
    assert_eq!(coins(&plane).await, PRICE);
    assert_eq!(plane.money(OWNER).await, (0, PRICE, 0));
    plane.hear(|_: &RevisionFunded| true).await;
    assert_eq!(plane.heard::<RevisionFunded>().len(), 1);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn too_little_is_credit_and_a_second_payment_tops_up() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.submit(&app, Funding::ChainPayment).await;
    plane.credit(&pay(1, &app.hash(1), &[PRICE - 100])).await;
    assert_eq!(plane.money(OWNER).await, (PRICE - 100, 0, 0));
    let told = plane
        .hear(|progress: &PaymentProgress| progress.message.contains("send 0.00000100 FLUX more"))
        .await;
    assert_eq!((told.received_sat, told.due_sat), (PRICE - 100, PRICE));
    plane.credit(&pay(2, &app.hash(1), &[150])).await;
    plane
        .hear(|funded: &RevisionFunded| funded.amount_sat == PRICE)
        .await;
    // Already in the mempool the rest counts together with what came before.
    let seen = plane.heard::<PaymentProgress>();
    let seen = seen.iter().rfind(|told| told.message.contains("was seen"));
    assert_eq!(seen.unwrap().received_sat, PRICE + 50);
    // What was too much stays available.
    assert_eq!(plane.money(OWNER).await, (50, PRICE, 0));
    plane.assert_exceptions(&[("too_large", 1), ("too_small", 1)]);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn money_spent_elsewhere_meanwhile_funds_nothing() {
    let plane = Plane::start().await;
    let (waiting, other) = (app(1), app(2));
    plane.submit(&waiting, Funding::ChainPayment).await;
    plane.credit(&pay(1, &waiting.hash(1), &[PRICE - 1])).await;
    plane.credit(&pay(2, "", &[5])).await;
    // The owner spends the credit on another application before the rest arrives.
    let quote = plane.submit(&other, Funding::ChainPayment).await;
    assert_eq!(quote.price.unwrap().units, PRICE);
    plane.credit(&pay(3, &other.hash(1), &[PRICE])).await;
    plane
        .hear(|funded: &RevisionFunded| funded.app_id == other.id().to_string())
        .await;
    assert_eq!(plane.money(OWNER).await, (PRICE - 1, PRICE, 0));
    let third = app(3);
    plane.credit(&pay(4, &third.hash(1), &[1])).await;
    plane.submit(&third, Funding::Balance).await;
    plane
        .hear(|funded: &RevisionFunded| funded.app_id == third.id().to_string())
        .await;
    plane.credit(&pay(5, &waiting.hash(1), &[1])).await;
    plane
        .hear(|progress: &PaymentProgress| progress.message.contains("spent part of the balance"))
        .await;
    assert_eq!(plane.money(OWNER).await, (1, 2 * PRICE, 0));
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn late_money_is_credit() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.submit(&app, Funding::ChainPayment).await;
    plane.pass(3_601);
    plane.credit(&pay(1, &app.hash(1), &[PRICE])).await;
    assert_eq!(plane.money(OWNER).await, (PRICE, 0, 0));
    let told = plane
        .hear(|progress: &PaymentProgress| progress.message.contains("on your balance"))
        .await;
    let limit = time(plane.now() - 1).format("%FT%TZ").to_string();
    for part in ["9.40000000 FLUX", &limit, "submit again"] {
        assert!(told.message.contains(part), "{}", told.message);
    }
    assert!(plane.heard::<RevisionFunded>().is_empty());
    plane.assert_exceptions(&[("late", 1)]);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn money_for_an_application_that_ended_is_credit() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.submit(&app, Funding::ChainPayment).await;
    plane.end(&app, plane.now()).await;
    plane.credit(&pay(1, &app.hash(1), &[PRICE])).await;
    assert_eq!(plane.money(OWNER).await, (PRICE, 0, 0));
    plane
        .hear(|progress: &PaymentProgress| {
            let message = &progress.message;
            message.contains("revision 1, which is ended") && message.contains("on your balance")
        })
        .await;
    assert!(plane.heard::<RevisionFunded>().is_empty());
    plane.assert_exceptions(&[("nothing_due", 1)]);
}

#[tokio::test]
async fn an_end_that_is_heard_of_before_its_beginning_still_ends() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.end(&app, plane.now()).await;
    plane.credit(&pay(1, &app.hash(1), &[PRICE])).await;
    plane.submit(&app, Funding::ChainPayment).await;
    assert_eq!(plane.money(OWNER).await, (PRICE, 0, 0));
    assert!(plane.heard::<RevisionFunded>().is_empty());
}

#[tokio::test]
async fn an_unknown_hash_waits_in_suspense_until_its_revision_comes() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.credit(&pay(1, &app.hash(1), &[PRICE - 40, 40])).await;
    plane.credit(&pay(2, "", &[77])).await;
    assert_eq!(plane.balance("suspense").await, PRICE + 77);
    assert_eq!(plane.balance(CUSTOMER).await, 0);
    plane.assert_exceptions(&[("no_memo", 1), ("unknown_hash", 1)]);
    let reason = suspense_reason(&plane, &app.hash(1)).await;
    for part in ["9.40000000 FLUX", &app.hash(1), "submit the signed message"] {
        assert!(reason.contains(part), "{reason}");
    }
    plane.submit(&app, Funding::ChainPayment).await;
    plane
        .hear(|funded: &RevisionFunded| funded.amount_sat == PRICE)
        .await;
    assert_eq!(plane.balance("suspense").await, 77);
    let reason = suspense_reason(&plane, "").await;
    for part in [
        "0.00000077 FLUX",
        "the text has 3 characters",
        "64 lower-case hexadecimal digits",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(coins(&plane).await, PRICE + 77);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn a_payment_counts_by_our_own_blocks_too() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.submit(&app, Funding::ChainPayment).await;
    let payment = pay(1, &app.hash(1), &[PRICE]);
    plane.block(FIRST_HEIGHT + 1).await;
    plane.payment(Change::Confirmed, &buried(&payment, 1)).await;
    plane.block(FIRST_HEIGHT + 2).await;
    assert_eq!(coins(&plane).await, 0);
    plane.block(FIRST_HEIGHT + CREDIT).await;
    assert_eq!(coins(&plane).await, PRICE);
    plane
        .hear(|funded: &RevisionFunded| funded.amount_sat == PRICE)
        .await;
}

#[tokio::test]
async fn a_reorganisation_before_the_credit_moves_no_money() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.submit(&app, Funding::ChainPayment).await;
    let payment = pay(1, &app.hash(1), &[PRICE]);
    plane.block(FIRST_HEIGHT + 1).await;
    let before = plane.sequence();
    plane.payment(Change::Confirmed, &buried(&payment, 1)).await;
    plane.undo_block(FIRST_HEIGHT + 1).await;
    plane
        .payment(Change::Reorganised, &buried(&payment, 0))
        .await;
    // A report of the block that is gone, delivered again.
    plane
        .old_payment(Change::Confirmed, &buried(&payment, CREDIT), before)
        .await;
    for height in 1..=CREDIT + 2 {
        let connected = BlockConnected {
            height: FIRST_HEIGHT + height,
            hash: format!("other-{height}"),
            sequence: plane.sequence(),
            ..BlockConnected::default()
        };
        plane.tell(&connected).await;
    }
    assert_eq!(coins(&plane).await, 0);
}

#[tokio::test]
async fn a_reorganisation_after_the_credit_is_a_reversal_and_a_debt_until_it_confirms_again() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.submit(&app, Funding::ChainPayment).await;
    let payment = pay(1, &app.hash(1), &[PRICE, 30]);
    plane.credit(&payment).await;
    plane
        .hear(|funded: &RevisionFunded| funded.amount_sat == PRICE)
        .await;
    assert_eq!(plane.money(OWNER).await, (30, PRICE, 0));

    plane
        .payment(Change::Reorganised, &buried(&payment, 0))
        .await;
    // 30 were still there; the rest was spent and is owed. Nothing that was booked is gone.
    assert_eq!(plane.balance(CUSTOMER).await, 0);
    assert_eq!(-plane.balance(DEBT).await, PRICE);
    assert_eq!(coins(&plane).await, 0);
    assert_eq!(plane.balance(&app.held()).await, PRICE);
    plane.assert_books_balance().await;
    let told = plane
        .hear(|progress: &PaymentProgress| progress.message.contains("was undone"))
        .await;
    assert_eq!((told.received_sat, told.due_sat), (0, PRICE));
    for part in [
        "9.40000030 FLUX",
        "9.40000000 FLUX of them were spent",
        "confirmed again",
    ] {
        assert!(told.message.contains(part), "{}", told.message);
    }
    plane.assert_exceptions(&[("reorganised", 1), ("too_large", 1)]);

    let again = Payment {
        height: FIRST_HEIGHT + 3,
        block_hash: "hash-new".to_owned(),
        confirmations: CREDIT,
        ..payment
    };
    plane.payment(Change::Confirmed, &again).await;
    assert_eq!(plane.balance(DEBT).await, 0);
    assert_eq!(plane.money(OWNER).await, (30, PRICE, 0));
    assert_eq!(coins(&plane).await, PRICE + 30);
    let reversals = sqlx::query_scalar!("SELECT count(*) FROM transfer WHERE undoes IS NOT NULL");
    assert!(reversals.fetch_one(&plane.db.pool).await.unwrap().unwrap() >= 2);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn a_payment_that_was_identified_is_taken_back_through_suspense() {
    let plane = Plane::start().await;
    let app = app(1);
    let payment = pay(1, &app.hash(1), &[PRICE + 7]);
    plane.credit(&payment).await;
    plane.submit(&app, Funding::ChainPayment).await;
    plane
        .hear(|funded: &RevisionFunded| funded.amount_sat == PRICE)
        .await;
    plane
        .payment(Change::Reorganised, &buried(&payment, 0))
        .await;
    assert_eq!(plane.balance("suspense").await, 0);
    assert_eq!(coins(&plane).await, 0);
    assert_eq!(-plane.balance(DEBT).await, PRICE);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn a_quote_pays_for_one_revision_in_its_time() {
    let plane = Plane::start().await;
    let (one, two) = (app(1), app(2));
    let quote = plane.submit(&one, Funding::ChainPayment).await;
    plane
        .tell(&two.submitted(&plane, 1, &quote, Funding::ChainPayment))
        .await;
    let refused = plane
        .hear(|refused: &RevisionRefused| refused.app_id == two.id().to_string())
        .await;
    assert_eq!(refused.code, "quote-invalid");

    let late = app(3);
    let quote = plane.quote_for(OWNER, &spec(&late.name), "").await;
    plane.pass(901);
    plane
        .tell(&late.submitted(&plane, 1, &quote, Funding::ChainPayment))
        .await;
    let refused = plane
        .hear(|refused: &RevisionRefused| refused.app_id == late.id().to_string())
        .await;
    assert!(refused.message.contains("expired"), "{}", refused.message);
    // Money for a refused revision is its owner's all the same.
    plane.credit(&pay(1, &late.hash(1), &[500])).await;
    assert_eq!(plane.money(OWNER).await, (500, 0, 0));

    let other = app(5);
    let quote = plane.quote_for(OWNER, &spec(&other.name), "").await;
    let mut changed = other.submitted(&plane, 1, &quote, Funding::Balance);
    changed.spec_sha256 = "ab".repeat(32);
    plane.tell(&changed).await;
    let refused = plane
        .hear(|refused: &RevisionRefused| refused.app_id == other.id().to_string())
        .await;
    assert_eq!(refused.code, "quote-invalid");
    for hash in [&quote.spec_sha256, &changed.spec_sha256] {
        assert!(refused.message.contains(hash), "{}", refused.message);
    }

    let foreign = app(4).owned_by("1SomebodyElse");
    let quote = plane.quote_for(OWNER, &spec(&foreign.name), "").await;
    plane
        .tell(&foreign.submitted(&plane, 1, &quote, Funding::Balance))
        .await;
    let refused = plane
        .hear(|refused: &RevisionRefused| refused.app_id == foreign.id().to_string())
        .await;
    assert_eq!(refused.code, "quote-invalid");
}

#[tokio::test]
async fn a_payment_that_leaves_the_mempool_counts_for_nothing_any_more() {
    let plane = Plane::start().await;
    let app = app(1);
    plane.submit(&app, Funding::ChainPayment).await;
    let payment = pay(1, &app.hash(1), &[PRICE]);
    plane.payment(Change::Seen, &payment).await;
    plane.payment(Change::Dropped, &payment).await;
    let told = plane
        .hear(|progress: &PaymentProgress| progress.message.contains("left the mempool"))
        .await;
    assert_eq!((told.received_sat, told.due_sat), (0, PRICE));
    assert_eq!(coins(&plane).await, 0);
    plane.assert_exceptions(&[("dropped", 1)]);
}
