//! Private parts: fetched when a container is made, kept sealed while the plane is away, forgotten with the instance.

use std::{path::Path, sync::Arc, time::Duration};

use fluxplane_envelope::Zeroizing;
use fluxplane_node_agent::{
    domain::{ImageName, private::Credentials},
    runtime::{Runtime as _, Simulated},
};
use fluxplane_proto::node_registry::v1::{DesiredInstance, ImageCredentials, InstancePhase};
use tonic::Status;

use crate::{
    agent::{Agent, Machine},
    plane::Plane,
    wanted::{component, container, forgotten, instance, reported, state, until},
};

const MARK: &str = "Vw5-agent-mark";

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

    async fn start(&self) -> Agent {
        self.machine.start(Arc::new(self.engine.clone())).await
    }

    async fn decide(&self, version: u64, wanted: &DesiredInstance) {
        let wanted = std::slice::from_ref(wanted);
        self.plane.decide(state(version, wanted)).await;
    }

    /// The environment of the one container of an instance, without our own variables.
    fn environment(&self, wanted: &DesiredInstance) -> Vec<String> {
        let spec = self.engine.spec(&container(wanted, "web"));
        let environment = spec.map(|spec| spec.environment).unwrap_or_default();
        let theirs = environment
            .into_iter()
            .filter(|entry| !entry.starts_with("FLUX"));
        theirs.collect()
    }

    fn kept(&self) -> usize {
        let folder = self.machine.folder.path().join("private");
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }
}

fn marked(port: u32) -> DesiredInstance {
    let mut web = component("web", "localhost/demo:1", port);
    web.environment = vec![format!("PASSWORD={MARK}")];
    instance(vec![web])
}

/// Files below a folder in which a text stands.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(text.len()).any(|w| w == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[tokio::test]
async fn a_container_gets_it_and_the_disk_does_not() {
    let world = World::new().await;
    let agent = world.start().await;
    let wanted = marked(34_200);
    world.decide(1, &wanted).await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    assert_eq!(world.environment(&wanted), [format!("PASSWORD={MARK}")]);
    assert_eq!((world.plane.memory().fetches, world.kept()), (1, 1));
    let folder = world.machine.folder.path();
    assert_eq!(files_with(folder, MARK), [""; 0]);
    assert!(!files_with(folder, &wanted.instance_id).is_empty());

    // A crash needs no fetch: the container is there already. Neither does an instance without anything private.
    world.engine.exit(&container(&wanted, "web"), 1);
    until("it was started again", || world.engine.starts() == 2).await;
    let mut bare = component("web", "localhost/demo:1", 34_201);
    bare.environment.clear();
    let bare = instance(vec![bare]);
    let both = [wanted.clone(), bare.clone()];
    world.plane.decide(state(2, &both)).await;
    reported(&world.plane, &bare, InstancePhase::Healthy).await;
    assert_eq!(world.plane.memory().fetches, 1);

    world.decide(3, &bare).await;
    forgotten(&world.plane, &wanted, 3).await;
    assert_eq!(world.kept(), 0);
    let metrics = agent.metrics.encode();
    assert!(metrics.contains("fluxplane_agent_private_parts_total{outcome=\"fetched\"} 1\n"));
}

#[tokio::test]
async fn an_instance_waits_for_a_plane_that_is_away_and_says_so() {
    let world = World::new().await;
    let _agent = world.start().await;
    world.plane.memory().refuse_private = Some(Status::unavailable("the scheduler is away"));
    let wanted = marked(34_210);
    world.decide(1, &wanted).await;
    until("it says what it waits for", || {
        let status = world.plane.last_status(&wanted.instance_id);
        status.is_some_and(|status| {
            status.phase() == InstancePhase::Pulling
                && status.reason.contains("waiting for the plane")
        })
    })
    .await;
    world.plane.memory().refuse_private = None;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    assert_eq!(world.environment(&wanted), [format!("PASSWORD={MARK}")]);
}

#[tokio::test]
async fn a_refusal_is_a_failure_with_the_planes_words() {
    let world = World::new().await;
    let _agent = world.start().await;
    world.plane.memory().refuse_private = Some(Status::not_found("there is no secret `db`"));
    let wanted = marked(34_220);
    world.decide(1, &wanted).await;
    let status = reported(&world.plane, &wanted, InstancePhase::Failed).await;
    assert!(
        status.reason.contains("there is no secret `db`"),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_container_is_made_again_while_the_plane_is_away() {
    let world = World::new().await;
    let agent = world.start().await;
    let wanted = marked(34_230);
    world.decide(1, &wanted).await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    agent.stop().await;
    world.plane.memory().refuse_private = Some(Status::unavailable("away"));
    let name = container(&wanted, "web");
    world.engine.remove(&name).await.unwrap();
    let _agent = world.start().await;
    until("it runs again", || world.engine.running() == [name.clone()]).await;
    assert_eq!(world.environment(&wanted), [format!("PASSWORD={MARK}")]);
}

#[tokio::test]
async fn another_version_of_it_makes_the_container_anew() {
    let world = World::new().await;
    let _agent = world.start().await;
    let mut wanted = marked(34_240);
    world.decide(1, &wanted).await;
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    let component = &mut wanted.components[0];
    component.environment = vec!["PASSWORD=better".to_owned()];
    component.private_version = "secrets-1".to_owned();
    wanted.assignment_epoch = 2;
    world.decide(2, &wanted).await;
    until("it has the new value", || {
        world.environment(&wanted) == ["PASSWORD=better"]
    })
    .await;
    let status = reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    assert_eq!((status.restarts, world.engine.starts()), (0, 2));
}

#[tokio::test]
async fn an_image_is_pulled_with_its_credentials() {
    let world = World::new().await;
    let _agent = world.start().await;
    let credentials = Credentials {
        registry: "localhost".to_owned(),
        username: Zeroizing::new("robot".to_owned()),
        password: Zeroizing::new(MARK.to_owned()),
    };
    let image = ImageName::parse("localhost/demo:1").unwrap();
    world.engine.set_private(&image, credentials);
    let wanted = marked(34_250);
    world.decide(1, &wanted).await;
    let status = reported(&world.plane, &wanted, InstancePhase::Failed).await;
    assert!(status.reason.contains("other credentials"), "{status:?}");
    world
        .plane
        .memory()
        .private
        .get_mut(&wanted.instance_id)
        .unwrap()
        .0
        .components[0]
        .image_credentials = Some(ImageCredentials {
        registry: "localhost".to_owned(),
        username: "robot".to_owned(),
        password: MARK.to_owned(),
    });
    reported(&world.plane, &wanted, InstancePhase::Healthy).await;
    assert_eq!(files_with(world.machine.folder.path(), MARK), [""; 0]);
}
