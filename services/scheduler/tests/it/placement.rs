//! From money to running instances.

use fluxplane_core::error::Reason;
use fluxplane_placement::DecisionRecord;
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    billing::v1::PaymentProgress,
    scheduler::v1::{
        AppState, GetDecisionRequest, Instance, InstanceAssigned, InstanceState, Revision,
    },
};
use std::collections::BTreeSet;

use crate::support::{
    Plane,
    agents::{Agents, node, node_id},
    caller,
    spec::web,
    wallet::Wallet,
};

/// The node was told what the revision says, and runs it at the address it reported.
fn assert_told(agents: &Agents, instance: &Instance, revision: &Revision) {
    assert_eq!(
        (instance.state(), instance.assignment_epoch),
        (InstanceState::Healthy, 1)
    );
    let n = (1..=3).find(|n| node_id(*n) == instance.node_id).unwrap();
    assert_eq!(instance.endpoints, [format!("10.{n}.0.1:31000")]);
    let desired = agents.desired(&instance.node_id).unwrap();
    assert!(desired.epoch > 0 && desired.version == 1);
    let [wanted] = desired.instances.as_slice() else {
        panic!("{desired:?}")
    };
    assert_eq!(
        (&wanted.instance_id, wanted.assignment_epoch),
        (&instance.instance_id, 1)
    );
    assert_eq!(
        (wanted.app_name.as_str(), &wanted.revision_id),
        ("shop", &revision.revision_id)
    );
    let [component] = wanted.components.as_slice() else {
        panic!("{wanted:?}")
    };
    assert_eq!(
        (component.image.as_str(), component.environment.as_slice()),
        ("nginx:1.27", &[][..])
    );
    assert_eq!(component.private_version, "environment");
    assert_eq!(
        (
            component.ports[0].host_port,
            component.ports[0].container_port
        ),
        (31_000, 80)
    );
    assert_eq!(
        (
            component.mounts[0].path.as_str(),
            component.mounts[0].source.as_str()
        ),
        ("/data", "appdata")
    );
}

#[tokio::test]
async fn a_paid_application_is_placed_told_started_and_runs() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(3).await;
    let assigned = plane.bus.hear::<InstanceAssigned>().await;
    let app = plane.submit(&wallet, &web("shop").json()).await.unwrap();
    let revision = app.current.clone().unwrap();
    plane
        .bus
        .publish(&PaymentProgress {
            app_id: app.app_id.clone(),
            revision_id: revision.revision_id.clone(),
            txid: "cd".repeat(32),
            received_sat: 60_000_000,
            due_sat: 60_000_000,
            confirmations: 0,
            message: "seen in the mempool".to_owned(),
        })
        .await;
    let waiting = plane
        .until_app(&wallet, "shop", |app| !app.state_reason.is_empty())
        .await;
    assert_eq!(waiting.state(), AppState::AwaitingPayment);
    assert!(
        waiting
            .state_reason
            .starts_with("seen in the mempool (0.60000000 of")
    );
    plane.bus.fund(&revision, plane.in_days(30)).await;
    let running = plane.until(&wallet, "shop", AppState::Running).await;
    assert_eq!(
        (running.instances_wanted, running.instances_healthy),
        (3, 3)
    );
    assert_eq!(running.state_reason, "");
    assert!(running.expires_at.is_some() && running.version > waiting.version);
    assert!(running.current.unwrap().pay_until.is_none());

    let instances = plane.instances(&wallet, "shop", false).await;
    let slots: Vec<u32> = instances.iter().map(|instance| instance.slot).collect();
    assert_eq!(slots, [0, 1, 2]);
    for instance in &instances {
        assert_told(&agents, instance, &revision);
        let event = assigned
            .until(|event| event.instance_id == instance.instance_id)
            .await;
        assert_eq!(
            (event.node_id, event.assignment_epoch),
            (instance.node_id.clone(), 1)
        );
    }

    let stages = plane.stages(&wallet, "shop").await;
    assert_eq!(
        stages[..6],
        [
            "accepted",
            "payment_seen",
            "funded",
            "placed",
            "placed",
            "placed"
        ]
    );
    assert_eq!(stages.last().unwrap(), "running");
    for stage in ["told", "pulling", "healthy"] {
        assert_eq!(
            stages.iter().filter(|found| *found == stage).count(),
            3,
            "{stages:?}"
        );
    }
    let metrics = plane.metrics.encode();
    assert!(
        metrics.contains("fluxplane_app_running_seconds_count{since=\"submitted\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("fluxplane_decisions_total{outcome=\"placed\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn copies_stand_apart_and_the_decision_says_why() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    // Nodes 1 and 2 belong to one operator, 3 and 4 to another, 5 and 6 to a third.
    plane.agents(6).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let instances = plane.instances(&wallet, "shop", false).await;
    let operators: BTreeSet<String> = instances
        .iter()
        .map(|instance| (1..=6).find(|n| node_id(*n) == instance.node_id).unwrap())
        .map(|n| node(n).operator)
        .collect();
    assert_eq!(operators.len(), 3);
    for instance in &instances {
        let request = GetDecisionRequest {
            caller: Some(caller(&wallet)),
            instance_id: instance.instance_id.clone(),
        };
        let answer = plane
            .client()
            .get_decision(request)
            .await
            .unwrap()
            .into_inner();
        assert!(
            answer.explanation.contains(&instance.node_id),
            "{}",
            answer.explanation
        );
        let record: DecisionRecord = serde_json::from_str(&answer.record_json).unwrap();
        assert_eq!((record.choices.len(), record.filters.considered), (3, 6));
    }
    let request = GetDecisionRequest {
        caller: Some(caller(&Wallet::new(2))),
        instance_id: instances[0].instance_id.clone(),
    };
    let status = plane.client().get_decision(request).await.unwrap_err();
    assert_eq!(Remote::from(status).reason, Reason::NotFound);
}

#[tokio::test]
async fn what_finds_no_node_says_what_would_help_and_is_placed_when_it_comes() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    // Nodes 1 and 3 are in Europe, node 2 is not.
    let agents = plane.agents(3).await;
    let mut spec = web("local");
    spec.geolocation = vec!["acEU"];
    let app = plane.submit(&wallet, &spec.json()).await.unwrap();
    plane
        .bus
        .fund(app.current.as_ref().unwrap(), plane.in_days(30))
        .await;
    let app = plane
        .until_app(&wallet, "local", |app| app.instances_healthy == 2)
        .await;
    assert_eq!(app.state(), AppState::Deploying);
    assert!(
        app.state_reason.contains("instance 2 waits for a node"),
        "{}",
        app.state_reason
    );
    let instances = plane.instances(&wallet, "local", false).await;
    let waiting = &instances[2];
    assert_eq!(
        (waiting.state(), waiting.node_id.as_str()),
        (InstanceState::Pending, "")
    );
    assert!(
        waiting
            .reason
            .contains("Smallest change that places one more: drop the geolocation rules")
    );
    let request = GetDecisionRequest {
        caller: Some(caller(&wallet)),
        instance_id: waiting.instance_id.clone(),
    };
    let answer = plane
        .client()
        .get_decision(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.explanation, waiting.reason);

    agents.join(5).await;
    let app = plane.until(&wallet, "local", AppState::Running).await;
    assert_eq!(app.instances_healthy, 3);
    let placed = plane.instances(&wallet, "local", false).await;
    assert_eq!(
        (&placed[2].instance_id, placed[2].reason.as_str()),
        (&waiting.instance_id, "")
    );
    assert_eq!(placed[2].node_id, node_id(5));
    let stages = plane.stages(&wallet, "local").await;
    assert_eq!(
        stages.iter().filter(|stage| *stage == "pending").count(),
        1,
        "{stages:?}"
    );
}

#[tokio::test]
async fn nothing_is_placed_on_a_node_beyond_its_capacity_or_on_a_taken_port() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(1).await;
    let mut first = web("first");
    (first.instances, first.cpu) = (1, "2".to_owned());
    plane.deploy(&wallet, &first.json()).await;
    let mut large = web("large");
    (large.instances, large.cpu, large.port) = (1, "1.1".to_owned(), 31_001);
    let mut same_port = web("sameport");
    same_port.instances = 1;
    for spec in [&large, &same_port] {
        let app = plane.submit(&wallet, &spec.json()).await.unwrap();
        plane
            .bus
            .fund(app.current.as_ref().unwrap(), plane.in_days(30))
            .await;
        plane.until_stage(&wallet, &spec.name, "pending").await;
    }
    let reason = async |name: &str| {
        plane.instances(&wallet, name, false).await[0]
            .reason
            .clone()
    };
    assert!(
        reason("large").await.contains("lack cpu"),
        "{}",
        reason("large").await
    );
    assert!(
        reason("sameport").await.contains("port taken"),
        "{}",
        reason("sameport").await
    );
    // What ends makes room, once its node says so.
    plane.cancel(&wallet, "first").await.unwrap();
    plane.until(&wallet, "large", AppState::Running).await;
    plane.until(&wallet, "sameport", AppState::Running).await;
}
