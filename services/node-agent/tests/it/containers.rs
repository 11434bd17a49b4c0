//! Real containers, in a private Podman.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use fluxplane_node_agent::runtime::{Docker, Runtime};
use fluxplane_platform::{config::Span, http};
use fluxplane_proto::node_registry::v1::{
    DesiredInstance, InstancePhase, InstanceStatus, LogRequest, Mount, plane_message::Body as Down,
};
use fluxplane_testkit::{ChaosProxy, Podman, chaos::Link, eventually};

use crate::{
    agent::{LIMIT, Machine},
    plane::Plane,
    registry::Registry,
    wanted::{component, container, forgotten, instance, reported, state, until},
};

const IMAGE: &str = "localhost/fluxplane-demo:1";

/// A machine with an engine, joined to a plane.
struct Node {
    plane: Plane,
    machine: Machine,
    proxy: ChaosProxy,
    podman: Podman,
}

impl Node {
    /// `None` on a machine without an engine; that was said on stderr.
    async fn new() -> Option<Self> {
        let podman = Podman::start().await.unwrap()?;
        podman.build_demo_image(IMAGE).unwrap();
        Some(Self::with(podman).await)
    }

    async fn with(podman: Podman) -> Self {
        let (plane, machine) = (Plane::start().await, Machine::at(podman.address()));
        let proxy = ChaosProxy::start(plane.address).await.unwrap();
        plane.advertise(proxy.address);
        machine.join(&plane).await;
        Self {
            plane,
            machine,
            proxy,
            podman,
        }
    }

    fn engine(&self) -> Arc<dyn Runtime> {
        Arc::new(Docker::new(&self.podman.socket(), Duration::from_mins(1)))
    }

    async fn start(&self) -> crate::agent::Agent {
        self.machine.start(self.engine()).await
    }

    /// What the demo image says about itself.
    async fn info(&self, port: u16) -> serde_json::Value {
        let address = SocketAddr::new(self.machine.ip, port);
        let client = http::client(Duration::from_secs(5)).unwrap();
        let response = client
            .get(format!("http://{address}/info.json"))
            .send()
            .await
            .unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    fn inspect(&self, name: &str, field: &str) -> String {
        self.podman
            .run(&["inspect", "--format", field, name])
            .unwrap()
    }
}

fn web(port: u32) -> DesiredInstance {
    instance(vec![component("web", IMAGE, port)])
}

#[tokio::test]
async fn a_container_has_its_limits_its_data_and_its_output() {
    let Some(node) = Node::new().await else {
        return;
    };
    let agent = node.start().await;
    let wanted = web(31_100);
    let name = container(&wanted, "web");
    node.plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&node.plane, &wanted, InstancePhase::Healthy).await;

    let info = node.info(31_100).await;
    assert_eq!(info["app"], "shop");
    assert_eq!(info["instance"], wanted.instance_id);
    assert_eq!(info["revision"], wanted.revision_id);
    assert_eq!(info["ip"], node.machine.ip.to_string());
    assert_eq!(
        info["starts"], "1",
        "the volume is mounted and can be written"
    );
    let memory = (64 * 1024 * 1024).to_string();
    for (field, value) in [
        ("{{index .Config.Labels \"fluxplane.epoch\"}}", "1"),
        ("{{.HostConfig.Memory}}", memory.as_str()),
        ("{{.HostConfig.NanoCpus}}", "500000000"),
        ("{{.HostConfig.PidsLimit}}", "4096"),
        ("{{.HostConfig.SecurityOpt}}", "[no-new-privileges]"),
        ("{{.HostConfig.LogConfig.Size}}", "20MB"),
    ] {
        assert_eq!(node.inspect(&name, field), value, "{field}");
    }
    let capabilities = node.inspect(&name, "{{.EffectiveCaps}}");
    assert!(!capabilities.contains("NET_RAW"), "{capabilities}");
    assert!(capabilities.contains("NET_BIND_SERVICE"), "{capabilities}");
    let published = node.inspect(&name, "{{.HostConfig.PortBindings}}");
    assert!(
        published.contains("8080/tcp") && published.contains("8080/udp"),
        "{published}"
    );

    let request = LogRequest {
        request_id: "log".to_owned(),
        instance_id: wanted.instance_id.clone(),
        component: String::new(),
        tail_lines: 100,
        follow: true,
    };
    node.plane.tell(Down::LogRequest(request)).await;
    let said = |text: &str| {
        let memory = node.plane.memory();
        let mut lines = memory.chunks.iter().flat_map(|chunk| &chunk.lines);
        lines.any(|line| line.text.contains(text) && line.at.is_some())
    };
    until("its first words", || said("listens on port 8080")).await;
    node.info(31_100).await;
    until("the request it just answered", || said("response:200")).await;
    agent.stop().await;
}

#[tokio::test]
async fn an_instance_is_revived_updated_and_removed_without_a_trace() {
    let Some(node) = Node::new().await else {
        return;
    };
    let agent = node.start().await;
    let wanted = web(31_110);
    let name = container(&wanted, "web");
    node.plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&node.plane, &wanted, InstancePhase::Healthy).await;
    let healthy = |condition: &dyn Fn(&InstanceStatus) -> bool| {
        node.plane
            .last_status(&wanted.instance_id)
            .is_some_and(|status| status.phase() == InstancePhase::Healthy && condition(&status))
    };

    // Killed, it is started again, with its data.
    node.podman.run(&["kill", &name]).unwrap();
    until("the restart", || healthy(&|status| status.restarts == 1)).await;
    assert_eq!(node.info(31_110).await["starts"], "2");

    // A new revision replaces it.
    let mut updated = wanted.clone();
    updated.revision_id = web(0).revision_id;
    updated.components[0]
        .environment
        .push("PORT=9090".to_owned());
    updated.components[0].ports[0].container_port = 9_090;
    node.plane
        .decide(state(2, std::slice::from_ref(&updated)))
        .await;
    let replaced = || healthy(&|status| status.revision_id == updated.revision_id);
    until("the new revision", replaced).await;
    let info = node.info(31_110).await;
    assert_eq!(info["revision"], updated.revision_id);
    assert_eq!(info["starts"], "3", "the data survives the update");

    // Not wanted any more, it leaves nothing.
    node.plane.decide(state(3, &[])).await;
    forgotten(&node.plane, &wanted, 3).await;
    assert_eq!(node.podman.run(&["ps", "--all", "--quiet"]).unwrap(), "");
    let networks = node
        .podman
        .run(&["network", "ls", "--format", "{{.Name}}"])
        .unwrap();
    assert!(!networks.contains("fx-"), "{networks}");
    let volumes = node.machine.folder.path().join("volumes");
    assert!(!volumes.join(&wanted.instance_id).exists());
    agent.stop().await;
}

#[tokio::test]
async fn containers_outlive_the_plane_the_agent_and_the_engines_service() {
    let Some(mut node) = Node::new().await else {
        return;
    };
    let agent = node.start().await;
    let wanted = web(31_200);
    let name = container(&wanted, "web");
    node.plane
        .decide(state(1, std::slice::from_ref(&wanted)))
        .await;
    reported(&node.plane, &wanted, InstancePhase::Healthy).await;
    let process = node.inspect(&name, "{{.State.Pid}}");

    node.proxy.set(Link::Cut);
    until("the plane is lost", || {
        agent
            .metrics
            .encode()
            .contains("fluxplane_agent_session 0\n")
    })
    .await;
    node.info(31_200).await;

    // The engine's service goes and comes back under the agent; the port still answers, so nobody is unwell.
    node.podman.stop_service().unwrap();
    node.info(31_200).await;
    node.podman.start_service().await.unwrap();

    agent.stop().await;
    node.info(31_200).await;
    let agent = node.start().await;
    node.proxy.set(Link::Up);
    let reports = node.plane.memory().reports.len();
    until("a report after all that", || {
        node.plane.memory().reports.len() > reports
    })
    .await;
    let status = reported(&node.plane, &wanted, InstancePhase::Healthy).await;
    assert_eq!(status.restarts, 0);
    assert_eq!(
        node.inspect(&name, "{{.State.Pid}}"),
        process,
        "the same process all along"
    );
    agent.stop().await;
}

#[tokio::test]
async fn an_image_is_pulled_and_a_wrong_one_fails_with_its_cause() {
    let registry = Registry::start().await;
    let at = registry.address.to_string();
    let Some(podman) = Podman::start_with_registry(Some(&at)).await.unwrap() else {
        return;
    };
    podman.build_demo_image(IMAGE).unwrap();
    let folder = registry.folder().display().to_string();
    podman
        .run(&["save", "--format", "docker-dir", "--output", &folder, IMAGE])
        .unwrap();
    podman.run(&["rmi", "--force", IMAGE]).unwrap();
    let node = Node::with(podman).await;
    let agent = node.start().await;

    let right = instance(vec![component("web", &format!("{at}/demo:1"), 31_300)]);
    let wrong = instance(vec![component("web", &format!("{at}/demo:2"), 31_301)]);
    node.plane
        .decide(state(1, &[right.clone(), wrong.clone()]))
        .await;
    let status = reported(&node.plane, &wrong, InstancePhase::Failed).await;
    assert!(
        status
            .reason
            .starts_with(&format!("image not found: {at}/demo:2: ")),
        "{status:?}"
    );
    assert!(status.reason.contains("manifest unknown"), "{status:?}");
    reported(&node.plane, &right, InstancePhase::Healthy).await;
    assert_eq!(node.info(31_300).await["instance"], right.instance_id);
    let pulled = "fluxplane_agent_image_pull_seconds_count{outcome=\"pulled\"} 1\n";
    assert!(
        agent.metrics.encode().contains(pulled),
        "{}",
        agent.metrics.encode()
    );
    agent.stop().await;
}

#[tokio::test]
async fn what_cannot_run_says_why() {
    let Some(node) = Node::new().await else {
        return;
    };
    let agent = node
        .machine
        .start_with(node.engine(), |config| {
            config.restart.first = Span(Duration::from_secs(2));
        })
        .await;
    let taken = std::net::TcpListener::bind(SocketAddr::new(node.machine.ip, 31_400)).unwrap();
    let conflict = web(31_400);
    let mut no_command = web(31_401);
    no_command.components[0].command = vec!["/no/such/program".to_owned()];
    let mut exits = web(31_402);
    exits.components[0].environment.push("FAIL=7".to_owned());
    let mut silent = web(31_403);
    silent.components[0]
        .environment
        .push("PORT=9999".to_owned());
    let all = [
        conflict.clone(),
        no_command.clone(),
        exits.clone(),
        silent.clone(),
    ];
    node.plane.decide(state(1, &all)).await;

    let status = reported(&node.plane, &conflict, InstancePhase::Failed).await;
    assert!(
        status.reason.contains("address already in use"),
        "{status:?}"
    );
    let status = reported(&node.plane, &no_command, InstancePhase::Failed).await;
    assert!(status.reason.contains("/no/such/program"), "{status:?}");
    let status = reported(&node.plane, &exits, InstancePhase::Unhealthy).await;
    assert!(status.reason.contains("exited with code 7"), "{status:?}");
    let status = reported(&node.plane, &silent, InstancePhase::Unhealthy).await;
    assert!(status.reason.contains("port 31403"), "{status:?}");

    // The port is free again: the next attempt succeeds.
    drop(taken);
    reported(&node.plane, &conflict, InstancePhase::Healthy).await;
    agent.stop().await;
}

#[tokio::test]
async fn components_find_each_other_by_name_and_share_a_volume() {
    let Some(node) = Node::new().await else {
        return;
    };
    let agent = node.start().await;
    let back = component("back", IMAGE, 31_500);
    let mut front = component("front", IMAGE, 31_501);
    front.mounts.push(Mount {
        path: "/shared".to_owned(),
        source: "appdata".to_owned(),
        file: false,
        component: "back".to_owned(),
        read_only: false,
    });
    front.mounts.push(Mount {
        path: "/etc/front.conf".to_owned(),
        source: "front.conf".to_owned(),
        file: true,
        component: String::new(),
        read_only: false,
    });
    let wanted = instance(vec![back, front]);
    let stranger = web(31_502);
    node.plane
        .decide(state(1, &[wanted.clone(), stranger.clone()]))
        .await;
    reported(&node.plane, &wanted, InstancePhase::Healthy).await;
    reported(&node.plane, &stranger, InstancePhase::Healthy).await;

    let inside = container(&wanted, "front");
    for name in ["back", "fluxback_shop"] {
        let url = format!("http://{name}:8080/info.json");
        let answer = eventually(LIMIT, || async {
            node.podman
                .run(&["exec", &inside, "/bin/wget", "-q", "-O", "-", &url])
        })
        .await;
        assert!(answer.contains("\"component\":\"back\""), "{answer}");
    }
    assert_eq!(
        node.podman
            .run(&["exec", &inside, "/bin/cat", "/shared/starts"])
            .unwrap(),
        "1"
    );
    assert_eq!(
        node.podman
            .run(&["exec", &inside, "/bin/cat", "/etc/front.conf"])
            .unwrap(),
        ""
    );
    // Another instance's network does not know the name.
    let outside = container(&stranger, "web");
    let url = "http://back:8080/info.json";
    assert!(
        node.podman
            .run(&["exec", &outside, "/bin/wget", "-q", "-O", "-", url])
            .is_err()
    );
    agent.stop().await;
}
