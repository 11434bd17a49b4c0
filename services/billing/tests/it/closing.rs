//! Epochs that are closed by hand, are short, empty, or waited for days.

use fluxplane_billing::config::Config;
use fluxplane_proto::billing::v1::{self as wire, EpochClosed, ListInvoicesRequest};
use tokio::task::JoinSet;

use crate::{
    epochs::{assert_all_accounted_for, epoch, until},
    play::{OWNER, PRICE, cost},
    support::{Plane, START, caller, stamp},
    usage::running,
};

#[tokio::test]
async fn an_epoch_without_usage_closes_with_its_header_alone() {
    let plane = Plane::start().await;
    let closed = plane.close_epoch().await;
    assert_eq!(closed.leaf_count, 1);
    assert_eq!(closed.charged.unwrap().units, 0);
    let announced = plane.hear(|closed: &EpochClosed| closed.epoch == 1).await;
    assert_eq!((announced.root, announced.leaf_count), (closed.root, 1));
}

#[tokio::test]
async fn closing_by_hand_works_at_any_moment() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    until(&plane, 1, wire::EpochState::Open).await;
    // The first epoch waits for late evidence, and whoever closes by hand waits for nothing.
    plane.pass(START / 3_600 * 3_600 + 3_600 - from);
    until(&plane, 2, wire::EpochState::Open).await;
    let body = machines[0].report(
        1,
        (from, from + 50),
        &[(app.instance(1), 1, from, from + 50)],
    );
    plane.tell(&machines[0].signed(&body, plane.now())).await;
    // Several at once, in one and the same second.
    let mut closing = JoinSet::new();
    for number in 0..6 {
        let mut client = plane.gateway();
        closing.spawn(async move {
            let request = wire::CloseEpochRequest {
                caller: caller("operator"),
                idempotency_key: format!("close-{number}"),
            };
            client
                .close_epoch(request)
                .await
                .unwrap()
                .into_inner()
                .epoch
                .unwrap()
        });
    }
    let mut epochs = closing.join_all().await;
    epochs.sort_by_key(|epoch| epoch.number);
    let numbers: Vec<u64> = epochs.iter().map(|epoch| epoch.number).collect();
    assert_eq!(numbers, [2, 3, 4, 5, 6, 7]);
    for pair in epochs.windows(2) {
        assert_eq!(pair[0].state(), wire::EpochState::Closed);
        assert_eq!(pair[1].previous_root, pair[0].root);
        assert_eq!(pair[1].from, pair[0].to);
    }
    assert_eq!(epoch(&plane, 1).await.state(), wire::EpochState::Closed);
    assert_eq!(plane.money(OWNER).await.2, cost(50));
    assert_all_accounted_for(&plane, PRICE).await;
}

#[tokio::test]
async fn after_days_of_downtime_one_epoch_covers_what_was_missed() {
    const DAYS: u64 = 4 * 86_400 + 17;
    let mut plane = Plane::start_with(short).await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    until(&plane, 1, wire::EpochState::Open).await;
    plane.shut_down().await;
    plane.pass(DAYS);
    plane.start_again().await;
    let closed = until(&plane, 1, wire::EpochState::Closed).await;
    let end = (from + DAYS) / 30 * 30;
    assert_eq!(closed.to, stamp(end));
    // The next one runs already, and there is none in between.
    let next = epoch(&plane, 2).await;
    assert_eq!(
        (next.state(), next.from, next.to),
        (wire::EpochState::Open, stamp(end), stamp(end + 30))
    );
    // What the nodes report only now is charged all the same.
    let body = machines[0].report(
        1,
        (from, from + 90),
        &[(app.instance(1), 1, from, from + 90)],
    );
    plane.tell(&machines[0].signed(&body, plane.now())).await;
    plane.close_epoch().await;
    assert_eq!(plane.money(OWNER).await.2, cost(90));
    assert_all_accounted_for(&plane, PRICE).await;
}

fn short(config: &mut Config) {
    config.epochs.length = "30s".parse().unwrap();
    config.epochs.grace = "2s".parse().unwrap();
}

#[tokio::test]
async fn short_epochs_bill_reports_that_come_after_their_grace_in_the_next() {
    let plane = Plane::start_with(short).await;
    let (app, machines) = running(&plane).await;
    let (from, node) = (plane.now(), &machines[0]);
    until(&plane, 1, wire::EpochState::Open).await;
    // Reports of ten seconds each: those over [20, 30) come when the first epoch takes nothing any more.
    for (sequence, start) in (1..).zip([0, 10, 20, 30, 40, 50]) {
        plane.pass(10);
        let ran = [(app.instance(1), 1, from + start, from + start + 10)];
        let body = node.report(sequence, (from + start, from + start + 10), &ran);
        if start == 20 {
            plane.pass(2);
            until(&plane, 1, wire::EpochState::Closed).await;
        }
        plane.tell(&node.signed(&body, plane.now())).await;
    }
    plane.close_epoch().await;
    let page = None;
    let request = ListInvoicesRequest {
        owner: OWNER.to_owned(),
        page,
    };
    let invoices = plane.gateway().list_invoices(request).await.unwrap();
    let billed: Vec<(u64, i64)> = invoices
        .into_inner()
        .invoices
        .iter()
        .map(|invoice| (invoice.epoch, invoice.total.as_ref().unwrap().units))
        .collect();
    assert_eq!(billed.iter().map(|(_, total)| total).sum::<i64>(), cost(60));
    assert_eq!(billed.last(), Some(&(1, cost(20))));
    let online = sqlx::query_scalar!("SELECT sum(online_seconds)::bigint FROM payout");
    assert_eq!(online.fetch_one(&plane.db.pool).await.unwrap(), Some(60));
    assert_all_accounted_for(&plane, PRICE).await;
}
