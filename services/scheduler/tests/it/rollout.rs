//! Updates: one instance at a time, each proven before the next; what fails goes no further.

use std::time::Duration;

use fluxplane_proto::{
    node_registry::v1::NodeState,
    scheduler::v1::{AppState, InstanceState},
};

use crate::support::{Plane, brief, spec::web, wallet::Wallet};

/// Submits and pays an update.
async fn update(plane: &Plane, wallet: &Wallet, name: &str, spec: &str) {
    let app = plane.update(wallet, name, spec).await.unwrap();
    plane
        .bus
        .fund(app.pending.as_ref().unwrap(), plane.in_days(30))
        .await;
}

#[tokio::test]
async fn an_update_goes_from_instance_to_instance_in_place() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let before = plane.instances(&wallet, "shop", false).await;
    let mut spec = web("shop");
    spec.image = "nginx:1.28".to_owned();
    update(&plane, &wallet, "shop", &spec.json()).await;
    plane.until_stage(&wallet, "shop", "update_finished").await;
    let app = plane.until(&wallet, "shop", AppState::Running).await;
    assert_eq!((app.current.unwrap().number, app.pending), (2, None));
    let after = plane.instances(&wallet, "shop", true).await;
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(
            (&old.instance_id, &old.node_id),
            (&new.instance_id, &new.node_id)
        );
        assert_eq!((new.assignment_epoch, new.revision_number), (2, 2));
    }
    // Each takes on the revision only after the one before it was healthy.
    let timeline = plane.timeline(&wallet, "shop").await;
    let steps: Vec<(String, String)> = timeline
        .iter()
        .skip_while(|entry| entry.stage != "update_started")
        .filter(|entry| ["placed", "healthy"].contains(&entry.stage.as_str()))
        .map(|entry| (entry.stage.clone(), entry.instance_id.clone()))
        .collect();
    let wanted: Vec<(String, String)> = before
        .iter()
        .flat_map(|i| ["placed", "healthy"].map(|stage| (stage.to_owned(), i.instance_id.clone())))
        .collect();
    assert_eq!(steps, wanted);
}

#[tokio::test]
async fn an_update_that_does_not_fit_moves_instance_by_instance() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(2).await;
    let mut spec = web("shop");
    spec.instances = 2;
    plane.deploy(&wallet, &spec.json()).await;
    for n in 3..=4 {
        let mut large = crate::support::agents::node(n);
        large.capacity.as_mut().unwrap().cpu_milli = 8_000;
        agents.join_as(large).await;
    }
    spec.cpu = "4".to_owned();
    update(&plane, &wallet, "shop", &spec.json()).await;
    plane.until_stage(&wallet, "shop", "update_finished").await;
    let all = plane
        .until_instances(&wallet, "shop", |all| {
            all.iter()
                .filter(|i| i.state() == InstanceState::Stopped)
                .count()
                == 2
        })
        .await;
    let live: Vec<_> = all
        .iter()
        .filter(|i| i.state() == InstanceState::Healthy)
        .collect();
    assert_eq!(live.len(), 2, "{:?}", brief(&all));
    assert!(
        live.iter()
            .all(|i| i.revision_number == 2 && i.assignment_epoch == 1)
    );
    let stages = plane.stages(&wallet, "shop").await;
    assert_eq!(stages.iter().filter(|stage| *stage == "moved").count(), 2);
}

#[tokio::test]
async fn a_revision_that_fails_stops_and_the_others_keep_what_worked() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    let agents = plane.agents(4).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let mut spec = web("shop");
    spec.image = "nginx:broken".to_owned();
    update(&plane, &wallet, "shop", &spec.json()).await;
    let stopped = plane.until_stage(&wallet, "shop", "update_stopped").await;
    assert!(
        stopped.message.contains("image not found"),
        "{}",
        stopped.message
    );
    let app = plane.until(&wallet, "shop", AppState::Degraded).await;
    assert_eq!(
        app.state_reason,
        "the update to revision 2 stopped: instance 0 failed: image not found: no such tag; the other instances keep revision 1"
    );
    let instances = plane.instances(&wallet, "shop", false).await;
    let states: Vec<_> = instances
        .iter()
        .map(|i| (i.state(), i.revision_number))
        .collect();
    let kept = (InstanceState::Healthy, 1);
    assert_eq!(states, [(InstanceState::Failed, 2), kept, kept]);

    // What is replaced in the meantime gets what worked.
    agents
        .set_state(&instances[0].node_id, NodeState::Lost)
        .await;
    let all = plane
        .until_instances(&wallet, "shop", |all| {
            all.iter()
                .filter(|i| i.state() == InstanceState::Healthy)
                .count()
                == 3
        })
        .await;
    assert!(
        all.iter()
            .filter(|i| i.state() == InstanceState::Healthy)
            .all(|i| i.revision_number == 1)
    );

    // And the next revision, without the mistake, goes all the way.
    spec.image = "nginx:1.28".to_owned();
    update(&plane, &wallet, "shop", &spec.json()).await;
    plane.until_stage(&wallet, "shop", "update_finished").await;
    let app = plane.until(&wallet, "shop", AppState::Running).await;
    assert_eq!((app.current.unwrap().number, app.instances_healthy), (3, 3));
}

#[tokio::test]
async fn a_revision_that_is_not_healthy_in_time_stops() {
    let (plane, clock) = Plane::at_rest().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let mut spec = web("shop");
    spec.image = "nginx:sick".to_owned();
    update(&plane, &wallet, "shop", &spec.json()).await;
    plane.until_stage(&wallet, "shop", "unhealthy").await;
    clock.advance(Duration::from_secs(599));
    plane.until_stage(&wallet, "shop", "update_started").await;
    assert_eq!(
        plane.app(&wallet, "shop").await.state(),
        AppState::Deploying
    );
    clock.advance(Duration::from_secs(1));
    let stopped = plane.until_stage(&wallet, "shop", "update_stopped").await;
    assert!(
        stopped.message.contains("connection refused"),
        "{}",
        stopped.message
    );
    let healthy = plane.app(&wallet, "shop").await.instances_healthy;
    assert_eq!(healthy, 2);
}

#[tokio::test]
async fn another_number_of_instances_restarts_nothing() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(5).await;
    plane.deploy(&wallet, &web("shop").json()).await;
    let before = plane.instances(&wallet, "shop", false).await;
    let mut spec = web("shop");
    spec.instances = 5;
    update(&plane, &wallet, "shop", &spec.json()).await;
    plane
        .until_app(&wallet, "shop", |app| app.instances_healthy == 5)
        .await;
    plane.until_stage(&wallet, "shop", "update_finished").await;
    let grown = plane.instances(&wallet, "shop", true).await;
    assert_eq!(grown.len(), 5);
    assert!(
        grown
            .iter()
            .all(|i| i.assignment_epoch == 1 && i.revision_number == 2),
        "{:?}",
        brief(&grown)
    );
    for (old, new) in before.iter().zip(&grown) {
        assert_eq!(old.instance_id, new.instance_id);
    }

    spec.instances = 1;
    update(&plane, &wallet, "shop", &spec.json()).await;
    let all = plane
        .until_instances(&wallet, "shop", |all| {
            all.iter()
                .filter(|i| i.state() == InstanceState::Stopped)
                .count()
                == 4
        })
        .await;
    let live = all
        .iter()
        .find(|i| i.state() == InstanceState::Healthy)
        .unwrap();
    assert_eq!((live.slot, &live.instance_id), (0, &before[0].instance_id));
    let app = plane.until(&wallet, "shop", AppState::Running).await;
    assert_eq!((app.instances_wanted, app.instances_healthy), (1, 1));
}

#[tokio::test]
async fn a_first_deployment_that_fails_is_mended_by_an_update() {
    let plane = Plane::start().await;
    let wallet = Wallet::new(1);
    plane.agents(3).await;
    let mut spec = web("shop");
    spec.image = "nginx:broken".to_owned();
    let app = plane.submit(&wallet, &spec.json()).await.unwrap();
    plane
        .bus
        .fund(app.current.as_ref().unwrap(), plane.in_days(30))
        .await;
    let app = plane
        .until_app(&wallet, "shop", |app| {
            app.state_reason.matches("failed").count() == 3
        })
        .await;
    assert_eq!(app.state(), AppState::Degraded);
    spec.image = "nginx:1.27".to_owned();
    update(&plane, &wallet, "shop", &spec.json()).await;
    plane.until(&wallet, "shop", AppState::Running).await;
}
