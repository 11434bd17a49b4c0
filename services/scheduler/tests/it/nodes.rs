//! Nodes fall silent, are lost, return.

use fluxplane_core::{IdSource as _, SystemIds};
use fluxplane_proto::{
    node_registry::v1::{
        InstancePhase, InstanceReport, InstanceStatus, InstancesReported, NodeChanged, NodeState,
    },
    scheduler::v1::{AppState, InstanceState},
};
use fluxplane_scheduler::grpc::convert::timestamp;
use fluxplane_testkit::eventually;

use crate::support::{
    LIMIT, Plane,
    agents::{node, node_id},
    spec::web,
    wallet::Wallet,
};

/// How many instances a node may still run, as far as the scheduler knows.
async fn rooms(plane: &Plane, node: &str) -> i64 {
    let node: uuid::Uuid = node.parse().unwrap();
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM instance WHERE node_id = $1 AND released_at IS NULL"#,
        node,
    )
    .fetch_one(&plane.db.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn instances_of_a_lost_node_continue_elsewhere_and_a_node_that_returns_drops_its_surplus() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(8).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let before = plane.instances(&wallet, "shop", false).await;
    let lost = before[1].node_id.clone();

    agents.silence(&lost);
    agents.set_state(&lost, NodeState::Suspect).await;
    plane.until_stage(&wallet, "shop", "node_suspect").await;
    let app = plane.app(&wallet, "shop").await;
    assert_eq!(
        app.state(),
        AppState::Running,
        "a suspect node keeps what it runs"
    );

    agents.set_state(&lost, NodeState::Lost).await;
    plane.until_stage(&wallet, "shop", "replaced").await;
    let app = plane.until(&wallet, "shop", AppState::Running).await;
    assert_eq!(app.instances_healthy, 3);
    let after = plane.instances(&wallet, "shop", true).await;
    let old = after
        .iter()
        .find(|instance| instance.instance_id == before[1].instance_id)
        .unwrap();
    assert_eq!((old.state(), old.endpoints.len()), (InstanceState::Lost, 0));
    let new = after
        .iter()
        .find(|i| i.slot == 1 && i.state() == InstanceState::Healthy)
        .unwrap();
    assert_ne!(new.instance_id, old.instance_id);
    let operators: Vec<String> = after
        .iter()
        .filter(|instance| instance.state() == InstanceState::Healthy)
        .map(|instance| (1..=8).find(|n| node_id(*n) == instance.node_id).unwrap())
        .map(|n| node(n).operator)
        .collect();
    let distinct: std::collections::BTreeSet<_> = operators.iter().collect();
    assert_eq!(distinct.len(), 3, "{operators:?}");

    // The registry keeps what the lost node will be told when it returns.
    let desired = agents
        .until_told(&lost, |desired| desired.version == 2)
        .await;
    assert_eq!(desired.instances, []);
    assert_eq!(
        rooms(&plane, &lost).await,
        1,
        "until the node says that it is gone"
    );
    agents.set_state(&lost, NodeState::Ready).await;
    agents.wake(&lost).await;
    eventually(LIMIT, async || match rooms(&plane, &lost).await {
        0 => Ok(()),
        rooms => Err(rooms),
    })
    .await;
    let state = plane.app(&wallet, "shop").await.state();
    assert_eq!(
        (state, plane.instances(&wallet, "shop", false).await.len()),
        (AppState::Running, 3)
    );
}

#[tokio::test]
async fn an_instance_stays_on_its_lost_node_until_there_is_another_and_lives_on_when_it_returns() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(3).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let before = plane.instances(&wallet, "shop", false).await;
    let lost = before[0].node_id.clone();
    agents.silence(&lost);
    agents.set_state(&lost, NodeState::Lost).await;
    let app = plane.until(&wallet, "shop", AppState::Degraded).await;
    assert!(
        app.state_reason.contains("instance 0 is on a lost node"),
        "{}",
        app.state_reason
    );
    let instances = plane.instances(&wallet, "shop", false).await;
    assert_eq!(
        (instances[0].state(), &instances[0].node_id),
        (InstanceState::Unhealthy, &lost)
    );
    assert!(
        instances[0].reason.contains("Smallest change"),
        "{}",
        instances[0].reason
    );

    agents.set_state(&lost, NodeState::Ready).await;
    agents.wake(&lost).await;
    plane.until(&wallet, "shop", AppState::Running).await;
    let after = plane.instances(&wallet, "shop", true).await;
    let ids = |instances: &[fluxplane_proto::scheduler::v1::Instance]| {
        instances
            .iter()
            .map(|i| (i.instance_id.clone(), i.assignment_epoch))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&after), ids(&before), "nothing was moved or restarted");
}

#[tokio::test]
async fn a_node_without_collateral_loses_its_work() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(4).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let gone = plane.instances(&wallet, "shop", false).await[0]
        .node_id
        .clone();
    agents.set_state(&gone, NodeState::Ineligible).await;
    let entry = plane.until_stage(&wallet, "shop", "replaced").await;
    assert!(entry.message.contains(&gone), "{}", entry.message);
    agents
        .until_told(&gone, |desired| desired.instances.is_empty())
        .await;
    plane.until(&wallet, "shop", AppState::Running).await;
}

#[tokio::test]
async fn an_older_version_of_a_node_changes_nothing() {
    let plane = Plane::start().await;
    let agents = plane.agents(1).await;
    let mut old = node(1);
    agents.set_state(&node_id(1), NodeState::Lost).await;
    old.capacity = None;
    old.state = NodeState::Ready.into();
    // Version 1 again, and then one that cannot be read: it is set aside and does not block what follows.
    plane
        .bus
        .publish(&NodeChanged {
            node: Some(node(1)),
        })
        .await;
    plane.bus.publish(&NodeChanged { node: Some(old) }).await;
    plane
        .bus
        .publish(&NodeChanged {
            node: Some(node(2)),
        })
        .await;
    eventually(LIMIT, async || {
        let rows = sqlx::query!("SELECT id, state, version FROM node ORDER BY id")
            .fetch_all(&plane.db.pool)
            .await
            .unwrap();
        let rows: Vec<_> = rows
            .into_iter()
            .map(|row| (row.id.to_string(), row.state, row.version))
            .collect();
        let wanted = [
            (node_id(1), "lost".to_owned(), 2),
            (node_id(2), "ready".to_owned(), 1),
        ];
        if rows == wanted { Ok(()) } else { Err(rows) }
    })
    .await;
}

#[tokio::test]
async fn reports_of_older_assignments_and_redelivered_reports_change_nothing() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let instance = plane.instances(&wallet, "shop", false).await[0].clone();
    let status = |epoch: u64, phase: InstancePhase| InstanceStatus {
        instance_id: instance.instance_id.clone(),
        assignment_epoch: epoch,
        phase: phase.into(),
        reason: "said before".to_owned(),
        ..InstanceStatus::default()
    };
    let report = |epoch, phase, at: chrono::DateTime<chrono::Utc>| InstancesReported {
        node_id: instance.node_id.clone(),
        report: Some(InstanceReport {
            desired_version: 1,
            instances: vec![status(epoch, phase)],
            traceparent: String::new(),
        }),
        received_at: Some(timestamp(at)),
    };
    let now = plane.clock.now();
    let before = plane.stages(&wallet, "shop").await;
    // Of an assignment that is over; received before the last one that counted.
    plane
        .bus
        .publish(&report(0, InstancePhase::Failed, now))
        .await;
    plane
        .bus
        .publish(&report(
            1,
            InstancePhase::Failed,
            now - chrono::TimeDelta::hours(1),
        ))
        .await;
    let (id, sick) = (SystemIds.next(), report(1, InstancePhase::Unhealthy, now));
    plane.bus.publish_as(id, &sick).await;
    plane.until(&wallet, "shop", AppState::Degraded).await;
    plane.bus.redeliver(id, &sick).await;
    plane
        .bus
        .publish(&report(1, InstancePhase::Healthy, plane.clock.now()))
        .await;
    plane.until(&wallet, "shop", AppState::Running).await;
    let stages = plane.stages(&wallet, "shop").await;
    assert_eq!(stages[before.len()..], ["unhealthy", "healthy", "running"]);
}
