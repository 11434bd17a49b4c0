//! Epochs end by the clock, settle completely, and survive whatever stops the service.

use fluxplane_billing::{app::epochs, domain::epoch::EpochState};
use fluxplane_ledger::share::ShareTable;
use fluxplane_proto::{
    billing::v1::{
        self as wire, EpochClosed, GetEpochRequest, ListEarningsRequest, ListEpochsRequest,
        RevisionFunded,
    },
    common::v1::PageRequest,
    scheduler::v1::Funding,
    validator::v1::{Anchor, AnchorChanged, AnchorState},
};
use fluxplane_testkit::eventually;
use serde_json::json;

use crate::{
    play::{Machine, OWNER, PRICE, app, cost, machine, pay, spec},
    support::{LIMIT, Plane, START, caller, stamp, time},
    usage::running,
};

pub(crate) async fn epoch(plane: &Plane, number: u64) -> wire::Epoch {
    let answer = plane.gateway().get_epoch(GetEpochRequest { number }).await;
    answer.unwrap().into_inner().epoch.unwrap()
}

pub(crate) async fn until(plane: &Plane, number: u64, state: wire::EpochState) -> wire::Epoch {
    eventually(LIMIT, async || {
        match plane.gateway().get_epoch(GetEpochRequest { number }).await {
            Ok(answer) => {
                let epoch = answer.into_inner().epoch.unwrap();
                if epoch.state() == state {
                    Ok(epoch)
                } else {
                    Err(format!("{:?}", epoch.state()))
                }
            }
            Err(status) => Err(status.message().to_owned()),
        }
    })
    .await
}

/// Everything that came in is somewhere: spent, held, available, or owed to operators and kept.
pub(crate) async fn assert_all_accounted_for(plane: &Plane, deposited: i64) {
    let (available, held, spent) = plane.money(OWNER).await;
    assert_eq!(available + held + spent, deposited);
    let revenue = plane.balance("revenue").await;
    let operators: i64 = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(balance), 0)::bigint AS "sum!" FROM account WHERE kind IN ('operator', 'operator_pool')"#
    )
    .fetch_one(&plane.db.pool)
    .await
    .unwrap();
    assert_eq!(revenue + operators, spent);
    assert!(operators <= spent);
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn an_epoch_ends_by_the_clock_and_waits_for_late_evidence() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    until(&plane, 1, wire::EpochState::Open).await;
    let end = START / 3_600 * 3_600 + 3_600;
    assert_eq!(epoch(&plane, 1).await.to, stamp(end));
    plane.pass(end - from);
    until(&plane, 2, wire::EpochState::Open).await;
    // Its time is over, but evidence of it still counts there; what lies behind it belongs to the next.
    let ran = [(app.instance(1), 1, end - 20, end + 10)];
    let body = machines[0].report(1, (end - 20, end + 10), &ran);
    plane
        .tell(&machines[0].signed(&body, plane.now() + 10))
        .await;
    assert_eq!(epoch(&plane, 1).await.state(), wire::EpochState::Open);
    plane.pass(30);
    let closed = until(&plane, 1, wire::EpochState::Closed).await;
    assert_eq!(closed.charged.unwrap().units, cost(20));
    assert_eq!((closed.from, closed.to), (stamp(START), stamp(end)));
    plane.close_epoch().await;
    assert_eq!(plane.money(OWNER).await.2, cost(30));
    assert_all_accounted_for(&plane, PRICE).await;
}

#[tokio::test]
async fn a_closed_epoch_pays_customers_invoices_and_operators_out_of_the_same_lines() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    let idle = machine(8);
    plane.node(&idle).await;
    // Ten seconds before the epoch would end by itself.
    plane.pass(2_990);
    for (instance, node) in (1..).zip(&machines) {
        let ran = [(app.instance(instance), 1, from, from + 2_990)];
        let body = node.report(1, (from, from + 2_990), &ran);
        plane.tell(&node.signed(&body, plane.now())).await;
    }
    let body = idle.report(1, (from, from + 2_990), &[]);
    plane.tell(&idle.signed(&body, plane.now())).await;
    let closed = plane.close_epoch().await;
    let charged = cost(3 * 2_990);
    assert_eq!(closed.charged.unwrap().units, charged);
    // 25 % in the first year, two points more in the second.
    let operators = charged * 27 / 100;
    let paid = closed.paid_out.unwrap().units;
    assert_eq!(paid, operators);
    assert_eq!(closed.leaf_count, 1 + 3 + 4);
    assert_all_accounted_for(&plane, PRICE).await;

    let request = ListEarningsRequest {
        operator: idle.operator.clone(),
        page: None,
    };
    let earnings = plane
        .gateway()
        .list_earnings(request)
        .await
        .unwrap()
        .into_inner()
        .earnings;
    let [own] = earnings.as_slice() else {
        panic!("{earnings:?}")
    };
    assert_eq!((own.online_seconds, own.hosted_seconds), (2_990, 0));
    let share = operators * 80 / 100 / 4;
    let availability = own.availability.as_ref().unwrap().units;
    assert!(
        (share - 1..=share + 1).contains(&availability),
        "{availability} {share}"
    );

    let announced = plane.hear(|closed: &EpochClosed| closed.epoch == 1).await;
    assert_eq!((announced.root, announced.leaf_count), (closed.root, 8));
    assert_eq!(announced.previous_root, vec![0; 32]);
}

#[tokio::test]
async fn cancelling_returns_what_was_not_used() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    plane.pass(1_000);
    let ran = [(app.instance(1), 1, from, from + 400)];
    let body = machines[0].report(1, (from, from + 400), &ran);
    plane.tell(&machines[0].signed(&body, plane.now())).await;
    plane.end(&app, plane.now()).await;
    // At once: all that lies behind the end. After the epoch: what nobody proved to have used.
    let waits = cost(3 * 1_000);
    assert_eq!(plane.money(OWNER).await, (PRICE - waits, waits, 0));
    plane.assert_books_balance().await;
    plane.pass(60);
    plane.close_epoch().await;
    assert_eq!(plane.money(OWNER).await, (PRICE - cost(400), 0, cost(400)));
    // Evidence that comes after the last settlement is too late for everybody.
    let body = machines[0].report(
        2,
        (from + 400, from + 900),
        &[(app.instance(1), 1, from + 400, from + 900)],
    );
    plane.tell(&machines[0].signed(&body, plane.now())).await;
    plane.close_epoch().await;
    assert_eq!(plane.money(OWNER).await, (PRICE - cost(400), 0, cost(400)));
    assert_all_accounted_for(&plane, PRICE).await;
}

#[tokio::test]
async fn a_term_that_is_used_up_costs_exactly_its_price() {
    const SECONDS: u64 = 2_700;
    let plane = Plane::start().await;
    let app = app(1);
    let mut short = spec(&app.name);
    short["expire"] = json!(SECONDS / 30);
    let quote = plane.quote_for(OWNER, &short, "").await;
    let price = quote.price.as_ref().unwrap().units;
    plane
        .tell(&app.submitted(&plane, 1, &quote, Funding::ChainPayment))
        .await;
    plane.credit(&pay(1, &app.hash(1), &[price])).await;
    plane
        .hear(|funded: &RevisionFunded| funded.amount_sat == price)
        .await;
    let machines: Vec<Machine> = (1..=3).map(machine).collect();
    let from = plane.now();
    for (instance, node) in (1..).zip(&machines) {
        plane.node(node).await;
        plane.assign(&app, instance, 1, node, from).await;
    }
    // The last report reaches beyond the end of the term.
    for (sequence, (start, end)) in (1..).zip([(0, 7), (7, 1_003), (1_003, SECONDS + 50)]) {
        plane.pass(end - start);
        for (instance, node) in (1..).zip(&machines) {
            let ran = [(app.instance(instance), 1, from + start, from + end)];
            let body = node.report(sequence, (from + start, from + end), &ran);
            plane.tell(&node.signed(&body, plane.now())).await;
        }
        plane.close_epoch().await;
    }
    assert_eq!(plane.money(OWNER).await, (0, 0, price));
    assert_all_accounted_for(&plane, price).await;
}

#[tokio::test]
async fn an_epoch_that_was_left_half_closed_is_settled_once_after_a_restart() {
    let mut plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    plane.pass(100);
    let body = machines[0].report(
        1,
        (from, from + 50),
        &[(app.instance(1), 1, from, from + 50)],
    );
    plane.tell(&machines[0].signed(&body, plane.now())).await;
    // Stopped between the end of the epoch and its settlement.
    let ctx = plane.context();
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await.unwrap();
    fluxplane_billing::db::epochs::set_state(&mut tx, 1, EpochState::Closing, plane.now())
        .await
        .unwrap();
    fluxplane_billing::db::epochs::open(&mut tx, 2, plane.now(), plane.now() + 3_600)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    plane.restart().await;
    let closed = until(&plane, 1, wire::EpochState::Closed).await;
    assert_eq!(closed.charged.unwrap().units, cost(50));
    plane.hear(|closed: &EpochClosed| closed.epoch == 1).await;
    plane.restart().await;
    epochs::ensure_open(&plane.context()).await.unwrap();
    assert_eq!(plane.money(OWNER).await.2, cost(50));
    assert_all_accounted_for(&plane, PRICE).await;
}

#[tokio::test]
async fn settling_the_same_epoch_from_two_sides_books_it_once() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    plane.pass(100);
    let body = machines[0].report(
        1,
        (from, from + 50),
        &[(app.instance(1), 1, from, from + 50)],
    );
    plane.tell(&machines[0].signed(&body, plane.now())).await;
    let ctx = plane.context();
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await.unwrap();
    fluxplane_billing::db::epochs::set_state(&mut tx, 1, EpochState::Closing, plane.now())
        .await
        .unwrap();
    fluxplane_billing::db::epochs::open(&mut tx, 2, plane.now(), plane.now() + 3_600)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let settle = || fluxplane_billing::app::settle_epoch::settle_epoch(&ctx, 1, None);
    let (one, two, three) = tokio::join!(settle(), settle(), settle());
    one.and(two).and(three).unwrap();
    assert_eq!(plane.money(OWNER).await.2, cost(50));
    let closed = plane.hear(|closed: &EpochClosed| closed.epoch == 1).await;
    assert_eq!(closed.leaf_count, 1 + 1 + 1);
    assert_all_accounted_for(&plane, PRICE).await;
}

#[tokio::test]
async fn closing_by_hand_is_repeatable_and_its_epochs_follow_each_other() {
    let plane = Plane::start().await;
    let request = wire::CloseEpochRequest {
        caller: caller("operator"),
        idempotency_key: "once".to_owned(),
    };
    let mut client = plane.gateway();
    let one = client
        .close_epoch(request.clone())
        .await
        .unwrap()
        .into_inner()
        .epoch
        .unwrap();
    let two = client
        .close_epoch(request)
        .await
        .unwrap()
        .into_inner()
        .epoch
        .unwrap();
    assert_eq!((one.number, one.state()), (1, wire::EpochState::Closed));
    assert_eq!(one, two);
    plane.pass(10);
    let next = plane.close_epoch().await;
    assert_eq!((next.number, next.previous_root), (2, one.root));
    assert_eq!(next.from, one.to);

    let mut cursor = String::new();
    let mut numbers = Vec::new();
    loop {
        let page = Some(PageRequest { size: 1, cursor });
        let list = client
            .list_epochs(ListEpochsRequest { page })
            .await
            .unwrap()
            .into_inner();
        numbers.extend(list.epochs.iter().map(|epoch| epoch.number));
        cursor = list.page.unwrap().next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(numbers, [3, 2, 1]);
}

#[tokio::test]
async fn an_anchor_moves_an_epoch_to_anchored_and_sealed_and_back() {
    let plane = Plane::start().await;
    let closed = plane.close_epoch().await;
    let changed = |state: AnchorState, height, confirmations, at| AnchorChanged {
        anchor: Some(Anchor {
            epoch: 1,
            state: state.into(),
            root: closed.root.clone(),
            leaf_count: closed.leaf_count,
            txid: "aa".repeat(32),
            height,
            confirmations,
            reason: String::new(),
            updated_at: stamp(at),
        }),
    };
    plane.tell(&changed(AnchorState::Broadcast, 0, 0, 1)).await;
    assert_eq!(epoch(&plane, 1).await.state(), wire::EpochState::Closed);
    plane.tell(&changed(AnchorState::Confirmed, 99, 1, 2)).await;
    let anchored = epoch(&plane, 1).await;
    assert_eq!(anchored.state(), wire::EpochState::Anchored);
    // Our own newest block is 100.
    assert_eq!(
        (anchored.anchor_height, anchored.anchor_confirmations),
        (99, 2)
    );
    plane.tell(&changed(AnchorState::Broadcast, 0, 0, 3)).await;
    assert_eq!(epoch(&plane, 1).await.state(), wire::EpochState::Closed);
    plane.tell(&changed(AnchorState::Final, 99, 40, 5)).await;
    // Old news.
    plane.tell(&changed(AnchorState::Confirmed, 99, 1, 4)).await;
    assert_eq!(epoch(&plane, 1).await.state(), wire::EpochState::Sealed);
}

#[tokio::test]
async fn the_first_table_of_shares_is_the_ledgers() {
    let plane = Plane::start().await;
    let mut conn = plane.db.pool.acquire().await.unwrap();
    for at in [time(0), time(START)] {
        let table = fluxplane_billing::db::shares::in_force(&mut conn, at)
            .await
            .unwrap();
        assert_eq!(table, ShareTable::first(table.starts_at));
    }
}
