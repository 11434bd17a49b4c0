//! Usage: each second once, from the node that was to run it, signed.

use fluxplane_core::{IdSource as _, SystemIds};
use fluxplane_proto::node_registry::v1::UsageReported;
use fluxplane_testkit::eventually;

use crate::{
    play::{App, Machine, OWNER, app, cost, id, machine},
    support::{LIMIT, Plane},
};

/// An application whose three copies run on three machines from now on.
pub(crate) async fn running(plane: &Plane) -> (App, Vec<Machine>) {
    let app = app(1);
    plane.deploy(&app).await;
    let machines: Vec<Machine> = (1..=3).map(machine).collect();
    for (instance, machine) in (1..).zip(&machines) {
        plane.node(machine).await;
        plane.assign(&app, instance, 1, machine, plane.now()).await;
    }
    (app, machines)
}

async fn spent(plane: &Plane) -> i64 {
    plane.pass(30);
    plane.close_epoch().await;
    plane.assert_books_balance().await;
    plane.money(OWNER).await.2
}

#[tokio::test]
async fn repeated_reordered_and_overlapping_reports_count_each_second_once() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let (from, node, instance) = (plane.now(), &machines[0], app.instance(1));
    plane.pass(100);
    let span = |sequence, start: u64, end: u64| {
        let ran = [(instance, 1, from + start, from + end)];
        let body = node.report(sequence, (from + start, from + end), &ran);
        node.signed(&body, plane.now())
    };
    for report in [
        span(3, 20, 40),
        span(1, 0, 10),
        span(1, 0, 10),
        span(4, 35, 60),
        span(2, 10, 20),
        span(3, 20, 40),
    ] {
        plane.tell(&report).await;
    }
    assert_eq!(spent(&plane).await, cost(60));
    let text = plane.metrics.encode();
    assert!(
        text.contains("billing_usage_reports_total{outcome=\"repeated\"} 2"),
        "{text}"
    );
}

#[tokio::test]
async fn a_report_that_is_not_signed_by_its_node_is_set_aside() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let (from, instance) = (plane.now(), app.instance(1));
    plane.pass(100);
    let ran = [(instance, 1, from, from + 50)];
    let body = machines[0].report(1, (from, from + 50), &ran);
    let mut forged = machines[0].signed(&body, plane.now());
    forged.report.as_mut().unwrap().signature[0] ^= 1;
    plane.tell(&forged).await;
    // Signed by another node in the first one's name.
    let mut borrowed = machines[1].signed(&body, plane.now());
    borrowed.node_id = machines[1].id.to_string();
    plane.tell(&borrowed).await;
    let dead = sqlx::query_scalar!("SELECT count(*) FROM usage_report")
        .fetch_one(&plane.db.pool)
        .await
        .unwrap();
    assert_eq!(dead, Some(0));
    assert_eq!(spent(&plane).await, 0);
}

#[tokio::test]
async fn a_node_that_was_not_to_run_an_instance_earns_nothing_with_it() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let (from, instance) = (plane.now(), app.instance(1));
    plane.pass(100);
    for (machine, assignment_epoch) in [(&machines[1], 1), (&machines[0], 7)] {
        let ran = [(instance, assignment_epoch, from, from + 50)];
        let body = machine.report(1, (from, from + 50), &ran);
        plane.tell(&machine.signed(&body, plane.now())).await;
    }
    assert_eq!(spent(&plane).await, 0);
    // The unknown assignment may still become known; the foreign node is refused for good.
    let waiting = sqlx::query_scalar!("SELECT count(*) FROM usage")
        .fetch_one(&plane.db.pool)
        .await;
    assert_eq!(waiting.unwrap(), Some(1));
}

#[tokio::test]
async fn evidence_waits_for_an_assignment_that_is_announced_late() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    let late = machine(9);
    plane.pass(100);
    let ran = [(app.instance(2), 2, from + 10, from + 30)];
    let body = late.report(1, (from, from + 50), &ran);
    plane.tell(&late.signed(&body, plane.now())).await;
    assert_eq!(spent(&plane).await, 0);
    plane.node(&late).await;
    plane.assign(&app, 2, 2, &late, from + 10).await;
    assert_eq!(spent(&plane).await, cost(20));
    // From its second assignment on, the first node's evidence counts for nothing.
    let ran = [(app.instance(2), 1, from, from + 30)];
    let body = machines[1].report(1, (from, from + 30), &ran);
    plane.tell(&machines[1].signed(&body, plane.now())).await;
    assert_eq!(spent(&plane).await, cost(30));
}

#[tokio::test]
async fn what_lies_in_the_future_is_cut_off() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let from = plane.now();
    plane.pass(50);
    let ran = [(app.instance(1), 1, from, from + 5_000)];
    let body = machines[0].report(1, (from, from + 5_000), &ran);
    plane.tell(&machines[0].signed(&body, plane.now())).await;
    plane.pass(10_000);
    // Half a minute is what clocks may differ by.
    assert_eq!(spent(&plane).await, cost(80));
}

#[tokio::test]
async fn late_reports_go_to_the_running_epoch_and_count_nothing_twice() {
    let plane = Plane::start().await;
    let (app, machines) = running(&plane).await;
    let (from, node, instance) = (plane.now(), &machines[0], app.instance(1));
    plane.pass(100);
    let body = node.report(1, (from, from + 60), &[(instance, 1, from, from + 60)]);
    plane.tell(&node.signed(&body, plane.now())).await;
    assert_eq!(spent(&plane).await, cost(60));
    let body = node.report(
        2,
        (from + 40, from + 90),
        &[(instance, 1, from + 40, from + 90)],
    );
    plane.tell(&node.signed(&body, plane.now())).await;
    assert_eq!(spent(&plane).await, cost(90));
    let online = sqlx::query_scalar!("SELECT sum(online_seconds)::bigint FROM payout");
    assert_eq!(online.fetch_one(&plane.db.pool).await.unwrap(), Some(90));
}

#[tokio::test]
async fn evidence_that_comes_before_the_first_epoch_is_not_lost() {
    let plane = Plane::start().await;
    let node = machine(1);
    let from = plane.now();
    let body = node.report(1, (from, from + 5), &[(id(1), 1, from, from + 5)]);
    let report: UsageReported = node.signed(&body, from + 5);
    plane.publish(SystemIds.next(), &report).await;
    eventually(LIMIT, async || {
        let stored = sqlx::query_scalar!("SELECT count(*) FROM usage_report")
            .fetch_one(&plane.db.pool)
            .await
            .unwrap();
        if stored == Some(1) {
            Ok(())
        } else {
            Err(stored)
        }
    })
    .await;
}
