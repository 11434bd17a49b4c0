//! Instances on paper: what is reported, what is kept, what is removed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use fluxplane_node_agent::{domain::ImageName, runtime::Simulated};
use fluxplane_proto::node_registry::v1::{InstancePhase, Probe, Probes};

use crate::{
    agent::Machine,
    plane::Plane,
    wanted::{component, container, forgotten, instance, reported, state, until},
};

struct World {
    plane: Plane,
    machine: Machine,
    engine: Simulated,
}

impl World {
    async fn new() -> Self {
        let (plane, machine) = (Plane::start().await, Machine::new());
        machine.join(&plane).await;
        Self {
            plane,
            machine,
            engine: Simulated::new(Duration::ZERO),
        }
    }

    async fn start(&self) -> crate::agent::Agent {
        self.machine.start(Arc::new(self.engine.clone())).await
    }
}

#[tokio::test]
async fn a_missing_image_is_a_failure_with_its_cause_until_it_appears() {
    let world = World::new().await;
    let _agent = world.start().await;
    let image = ImageName::parse("nginx:1.27").unwrap();
    world.engine.set_missing(&image, true);
    let broken = instance(vec![component("web", "nginx:1.27", 34_000)]);
    let whole = instance(vec![component("web", "localhost/demo:1", 34_001)]);
    world
        .plane
        .decide(state(1, &[broken.clone(), whole.clone()]))
        .await;
    let status = reported(&world.plane, &broken, InstancePhase::Failed).await;
    assert!(
        status
            .reason
            .starts_with("image not found: docker.io/library/nginx:1.27: "),
        "{status:?}"
    );
    assert_eq!(status.assignment_epoch, 1);
    // One that fails holds up nobody else.
    reported(&world.plane, &whole, InstancePhase::Healthy).await;
    world.engine.set_missing(&image, false);
    let status = reported(&world.plane, &broken, InstancePhase::Healthy).await;
    assert_eq!(status.reason, "");
}

#[tokio::test]
async fn a_malformed_instance_fails_alone_and_says_why() {
    let world = World::new().await;
    let _agent = world.start().await;
    let broken = instance(vec![component("web", "localhost/demo:1", 70_000)]);
    let whole = instance(vec![component("web", "localhost/demo:1", 34_002)]);
    world
        .plane
        .decide(state(1, &[broken.clone(), whole.clone()]))
        .await;
    let status = reported(&world.plane, &broken, InstancePhase::Failed).await;
    assert_eq!(
        status.reason,
        "component `web`: host port is `70000`, but a port is 1 to 65535"
    );
    reported(&world.plane, &whole, InstancePhase::Healthy).await;
}

#[tokio::test]
async fn an_exited_container_is_started_again_and_counted() {
    let world = World::new().await;
    let agent = world.start().await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 34_003)]);
    world
        .plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    world.engine.exit(&container(&wanted, "web"), 3);
    let status = reported(&world.plane, &wanted, InstancePhase::Unhealthy).await;
    assert!(
        status.reason.contains("component `web` exited with code 3"),
        "{status:?}"
    );
    let status = reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    assert_eq!(status.restarts, 1);
    assert!(
        agent
            .metrics
            .encode()
            .contains("fluxplane_agent_restarts_total 1\n")
    );
}

#[tokio::test]
async fn a_container_that_keeps_exiting_has_failed() {
    let world = World::new().await;
    let _agent = world.start().await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 34_004)]);
    let name = container(&wanted, "web");
    world
        .plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    for exits in 0..5_u64 {
        until("it runs", || {
            world.engine.starts() > exits && !world.engine.running().is_empty()
        })
        .await;
        world.engine.exit(&name, 1);
    }
    let status = reported(&world.plane, &wanted, InstancePhase::Failed).await;
    assert!(
        status
            .reason
            .contains("exited with code 1, 5 times in a row"),
        "{status:?}"
    );
    // It is tried again all the same, and recovers.
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
}

/// A question to the port of [`component`], one bad answer to which counts.
fn probe(path: Option<&str>) -> Probe {
    Probe {
        port: 8_080,
        http_path: path.map(str::to_owned),
        interval_s: 1,
        timeout_s: 1,
        delay_s: 0,
        failures: 1,
        successes: 1,
    }
}

#[tokio::test]
async fn an_instance_is_healthy_while_its_readiness_probe_says_so() {
    let world = World::new().await;
    let _agent = world.start().await;
    let address: SocketAddr = (world.machine.ip, 34_040).into();
    world.engine.set_reachable(address, false);
    let mut web = component("web", "localhost/demo:1", 34_040);
    web.probes = Some(Probes {
        readiness: Some(probe(Some("/ready"))),
        ..Probes::default()
    });
    let wanted = instance(vec![web]);
    world
        .plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&world.plane, &wanted, InstancePhase::Starting).await;
    world.engine.set_reachable(address, true);
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    world.engine.set_reachable(address, false);
    let status = reported(&world.plane, &wanted, InstancePhase::Unhealthy).await;
    assert!(
        status
            .reason
            .starts_with("the readiness probe failed 1 of 1 times: port 34040"),
        "{status:?}"
    );
    world.engine.set_reachable(address, true);
    let status = reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    assert_eq!((status.restarts, world.engine.starts()), (0, 1));
}

#[tokio::test]
async fn a_component_whose_health_probe_fails_is_stopped_and_started_again() {
    let world = World::new().await;
    let _agent = world.start().await;
    let address: SocketAddr = (world.machine.ip, 34_041).into();
    let mut web = component("web", "localhost/demo:1", 34_041);
    web.probes = Some(Probes {
        startup: Some(probe(None)),
        health: Some(probe(None)),
        ..Probes::default()
    });
    let wanted = instance(vec![web]);
    world
        .plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    world.engine.set_reachable(address, false);
    let status = reported(&world.plane, &wanted, InstancePhase::Unhealthy).await;
    assert!(
        status
            .reason
            .starts_with("component `web` was stopped: the health probe failed"),
        "{status:?}"
    );
    world.engine.set_reachable(address, true);
    let status = reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    assert!(status.restarts >= 1, "{status:?}");
}

#[tokio::test]
async fn a_probe_of_a_port_that_is_not_published_fails_by_name() {
    let world = World::new().await;
    let _agent = world.start().await;
    let mut web = component("web", "localhost/demo:1", 34_042);
    web.probes = Some(Probes {
        health: Some(Probe {
            port: 81,
            ..probe(None)
        }),
        ..Probes::default()
    });
    let wanted = instance(vec![web]);
    world
        .plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    let status = reported(&world.plane, &wanted, InstancePhase::Failed).await;
    assert_eq!(
        status.reason,
        "component `web`: probe port is `81`, but a probe asks a port that is published on tcp"
    );
}

#[tokio::test]
async fn a_port_that_stops_answering_makes_an_instance_unhealthy() {
    let world = World::new().await;
    let _agent = world.start().await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 34_005)]);
    world
        .plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    let address: SocketAddr = "127.0.0.1:34005".parse().unwrap();
    world.engine.set_reachable(address, false);
    let status = reported(&world.plane, &wanted, InstancePhase::Unhealthy).await;
    assert_eq!(status.reason, "port 34005 of 127.0.0.1: nothing listens");
    world.engine.set_reachable(address, true);
    let status = reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    assert_eq!((status.restarts, world.engine.starts()), (0, 1));
}

#[tokio::test]
async fn an_engine_that_is_away_makes_nobody_unhealthy() {
    let world = World::new().await;
    let agent = world.start().await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 34_006)]);
    world
        .plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    let reports = world.plane.memory().reports.len();
    world.engine.set_away(true);
    let second = instance(vec![component("web", "localhost/demo:1", 34_007)]);
    world
        .plane
        .decide(state(2, &[wanted.clone(), second.clone()]))
        .await;
    let waits = || {
        world
            .plane
            .last_status(&second.instance_id)
            .is_some_and(|status| {
                status
                    .reason
                    .contains("the container engine does not answer")
            })
    };
    until("the second one waits for the engine", waits).await;
    world.engine.set_away(false);
    reported(&world.plane, &second, InstancePhase::Healthy).await;
    agent.stop().await;
    let memory = world.plane.memory();
    let statuses = memory.reports[reports..]
        .iter()
        .flat_map(|report| &report.instances);
    let mut own = statuses.filter(|status| status.instance_id == wanted.instance_id);
    assert!(own.all(|status| status.phase() == InstancePhase::Healthy));
}

#[tokio::test]
async fn a_new_revision_replaces_the_containers_and_keeps_the_data() {
    let mut world = World::new().await;
    world.engine = Simulated::new(Duration::from_millis(150));
    let _agent = world.start().await;
    let first = instance(vec![
        component("web", "localhost/demo:1", 34_008),
        component("cache", "localhost/demo:1", 34_009),
    ]);
    world
        .plane
        .decide(state(1, std::slice::from_ref(&first)))
        .await;
    reported(&world.plane, &first, InstancePhase::Healthy).await;
    let data = world
        .machine
        .folder
        .path()
        .join("volumes")
        .join(&first.instance_id);
    std::fs::write(data.join("web/appdata/kept"), "kept").unwrap();

    let mut second = first.clone();
    second.revision_id = instance(vec![]).revision_id;
    second.assignment_epoch = 2;
    second.components = vec![component("web", "localhost/demo:2", 34_008)];
    world
        .plane
        .decide(state(2, std::slice::from_ref(&second)))
        .await;
    until("the new revision is healthy", || {
        world
            .plane
            .last_status(&first.instance_id)
            .is_some_and(|status| {
                status.phase() == InstancePhase::Healthy
                    && status.revision_id == second.revision_id
                    && status.assignment_epoch == 2
            })
    })
    .await;
    assert_eq!(
        world.engine.running(),
        [container(&first, "web")],
        "the dropped component is gone"
    );
    let spec = world.engine.spec(&container(&first, "web")).unwrap();
    assert_eq!(spec.image.as_str(), "localhost/demo:2");
    assert_eq!(
        std::fs::read_to_string(data.join("web/appdata/kept")).unwrap(),
        "kept"
    );

    let reports = world.plane.memory().reports.clone();
    let mut statuses = reports.iter().flat_map(|report| &report.instances);
    let announced = statuses
        .find(|status| status.revision_id == second.revision_id)
        .unwrap();
    assert_ne!(
        announced.phase(),
        InstancePhase::Healthy,
        "the old containers vouch for nothing"
    );

    world.plane.decide(state(3, &[])).await;
    forgotten(&world.plane, &first, 3).await;
    assert!(world.engine.networks().is_empty() && !data.exists());
}

#[tokio::test]
async fn a_new_assignment_of_the_same_revision_restarts_nothing() {
    let world = World::new().await;
    let _agent = world.start().await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 34_010)]);
    world
        .plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    let mut again = wanted.clone();
    again.assignment_epoch = 9;
    world
        .plane
        .decide(state(2, std::slice::from_ref(&again)))
        .await;
    until("the new epoch is reported", || {
        world
            .plane
            .last_status(&wanted.instance_id)
            .is_some_and(|status| {
                status.assignment_epoch == 9 && status.phase() == InstancePhase::Healthy
            })
    })
    .await;
    assert_eq!(world.engine.starts(), 1);
    until("usage names the new epoch", || {
        let memory = world.plane.memory();
        memory
            .usage
            .iter()
            .flat_map(|u| &u.instances)
            .any(|i| i.assignment_epoch == 9)
    })
    .await;
}

#[tokio::test]
async fn what_nobody_wants_is_swept_up_but_not_before_it_is_known_what_is_wanted() {
    let world = World::new().await;
    let agent = world.start().await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 34_011)]);
    world
        .plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    agent.stop().await;
    // The agent was killed while it made this one, and its memory of the desired state is lost.
    std::fs::remove_file(world.machine.folder.path().join("desired.json")).unwrap();
    world.plane.memory().desired = None;
    let sessions = world.plane.memory().hellos.len();
    let agent = world.start().await;
    until("a session", || world.plane.memory().hellos.len() > sessions).await;
    until("the sweeper has run", || {
        agent
            .metrics
            .encode()
            .contains("fluxplane_task_runs_total{task=\"agent.orphans\",outcome=\"ok\"} 1\n")
    })
    .await;
    assert_eq!(world.engine.running(), [container(&wanted, "web")]);
    agent.stop().await;

    let other = instance(vec![component("web", "localhost/demo:1", 34_012)]);
    world.plane.memory().desired = Some(state(2, std::slice::from_ref(&other)));
    let agent = world.start().await;
    reported(&world.plane, &other, InstancePhase::Healthy).await;
    agent.stop().await;
    // The sweeper runs at every start.
    let _agent = world.start().await;
    until("it is gone", || {
        world.engine.running() == [container(&other, "web")]
    })
    .await;
    let data = world
        .machine
        .folder
        .path()
        .join("volumes")
        .join(&wanted.instance_id);
    until("its data too", || !data.exists()).await;
}

#[tokio::test]
async fn a_machine_that_became_another_node_ends_what_the_former_one_ran() {
    let world = World::new().await;
    let agent = world.start().await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 34_013)]);
    world
        .plane
        .decide(state(7, std::slice::from_ref(&wanted)))
        .await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    agent.stop().await;

    let mut again = world.machine.request(&world.plane);
    again.force = true;
    world.machine.try_join(again).await.unwrap();
    {
        let mut memory = world.plane.memory();
        memory.desired = None;
        memory.usage.clear();
        memory.heartbeats.clear();
    }
    let _agent = world.start().await;
    until("the former node's container is gone", || {
        world.engine.running().is_empty()
    })
    .await;
    until("the former node is forgotten", || {
        world
            .machine
            .dir()
            .identity()
            .unwrap()
            .unwrap()
            .former_nodes
            .is_empty()
    })
    .await;
    assert_eq!(
        world.plane.memory().hellos.last().unwrap().desired_version,
        0
    );
}
