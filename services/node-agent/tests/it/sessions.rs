//! The stream to the plane.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use fluxplane_core::attest::Statement;
use fluxplane_node_agent::{app::signer::Signer, runtime::Simulated};
use fluxplane_platform::http;
use fluxplane_proto::node_registry::v1::{
    InstancePhase, LogCancel, LogRequest, plane_message::Body as Down,
};
use fluxplane_testkit::{ChaosProxy, chaos::Link};

use crate::{
    agent::Machine,
    plane::Plane,
    wanted::{component, container, forgotten, instance, reported, state, until},
};

fn engine() -> Simulated {
    Simulated::new(Duration::ZERO)
}

#[tokio::test]
async fn heartbeats_are_signed_and_rise_over_restarts() {
    let (plane, machine, engine) = (Plane::start().await, Machine::new(), engine());
    let identity = machine.join(&plane).await;
    let agent = machine.start(Arc::new(engine.clone())).await;
    until("three beats", || plane.memory().heartbeats.len() >= 3).await;
    let hello = plane.memory().hellos[0].clone();
    assert_eq!(hello.runtime, "simulated");
    let capacity = hello.capacity.unwrap();
    assert_eq!(
        (capacity.cpu_milli, capacity.ram_mib, capacity.disk_gib),
        (3_000, 6_000, 157)
    );
    agent.stop().await;
    let before = plane.memory().heartbeats.len();
    let _agent = machine.start(Arc::new(engine)).await;
    until("beats after the restart", || {
        plane.memory().heartbeats.len() >= before + 2
    })
    .await;
    let memory = plane.memory();
    assert!(
        memory
            .heartbeats
            .windows(2)
            .all(|pair| pair[0].sequence < pair[1].sequence)
    );
    assert!(
        memory
            .heartbeats
            .iter()
            .all(|beat| beat.node_id == identity.node.to_string())
    );
    assert_ne!(memory.hellos[0].boot_id, memory.hellos[1].boot_id);
    assert_eq!(memory.breaches, Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_plane_changes_nothing_and_is_found_again() {
    let (plane, machine, engine) = (Plane::start().await, Machine::new(), engine());
    let proxy = ChaosProxy::start(plane.address).await.unwrap();
    plane.advertise(proxy.address);
    machine.join(&plane).await;
    let agent = machine.start(Arc::new(engine.clone())).await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 31_000)]);
    plane.decide(state(1, std::slice::from_ref(&wanted))).await;
    reported(&plane, &wanted, InstancePhase::Healthy).await;
    assert!(
        agent
            .metrics
            .encode()
            .contains("fluxplane_agent_session 1\n")
    );

    proxy.set(Link::Cut);
    let lost = || {
        agent
            .metrics
            .encode()
            .contains("fluxplane_agent_session 0\n")
    };
    until("the session lost", lost).await;
    assert!(
        agent.health.report().ready,
        "an agent without a plane still does its work"
    );
    // What the plane decides meanwhile reaches the node when it is back.
    let second = instance(vec![component("web", "localhost/demo:1", 31_001)]);
    plane
        .decide(state(2, &[wanted.clone(), second.clone()]))
        .await;
    assert_eq!(engine.running(), [container(&wanted, "web")]);

    proxy.set(Link::Up);
    reported(&plane, &second, InstancePhase::Healthy).await;
    assert_eq!(engine.starts(), 2, "the first one was never restarted");
    assert_eq!(plane.memory().hellos.last().unwrap().desired_version, 1);
}

#[tokio::test]
async fn a_restart_without_the_plane_keeps_the_workloads() {
    let (plane, machine, engine) = (Plane::start().await, Machine::new(), engine());
    let proxy = ChaosProxy::start(plane.address).await.unwrap();
    plane.advertise(proxy.address);
    machine.join(&plane).await;
    let agent = machine.start(Arc::new(engine.clone())).await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 31_002)]);
    plane.decide(state(3, std::slice::from_ref(&wanted))).await;
    reported(&plane, &wanted, InstancePhase::Healthy).await;
    agent.stop().await;
    let name = container(&wanted, "web");
    assert_eq!(
        engine.running(),
        std::slice::from_ref(&name),
        "stopping the agent stops no container"
    );

    proxy.set(Link::Cut);
    let _agent = machine.start(Arc::new(engine.clone())).await;
    assert_eq!(engine.starts(), 1, "what runs is adopted");
    // It is supervised all the same.
    engine.exit(&name, 1);
    until("it runs again", || {
        engine.running() == std::slice::from_ref(&name)
    })
    .await;

    proxy.set(Link::Up);
    let seen = plane.memory().reports.len();
    until("a report", || plane.memory().reports.len() > seen).await;
    let first = plane.memory().reports[seen].clone();
    assert_eq!(first.desired_version, 3);
    assert_eq!(plane.memory().hellos.last().unwrap().desired_version, 3);
}

#[tokio::test]
async fn a_restarted_agent_reports_what_it_found() {
    let (plane, machine, engine) = (Plane::start().await, Machine::new(), engine());
    machine.join(&plane).await;
    let agent = machine.start(Arc::new(engine.clone())).await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 31_003)]);
    plane.decide(state(1, std::slice::from_ref(&wanted))).await;
    reported(&plane, &wanted, InstancePhase::Healthy).await;
    agent.stop().await;
    let seen = plane.memory().reports.len();
    let _agent = machine.start(Arc::new(engine)).await;
    until("a report", || plane.memory().reports.len() > seen).await;
    let first = plane.memory().reports[seen].instances[0].clone();
    assert_eq!(
        first.phase(),
        InstancePhase::Healthy,
        "no flicker for a restarted agent"
    );
}

#[tokio::test]
async fn an_overtaken_desired_state_is_ignored() {
    let (plane, machine, engine) = (Plane::start().await, Machine::new(), engine());
    machine.join(&plane).await;
    let agent = machine.start(Arc::new(engine.clone())).await;
    until("a session", || !plane.memory().hellos.is_empty()).await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 31_004)]);
    let mut current = state(5, std::slice::from_ref(&wanted));
    current.epoch = 3;
    plane.decide(current).await;
    reported(&plane, &wanted, InstancePhase::Healthy).await;

    let mut older = state(4, &[]);
    older.epoch = 3;
    plane.tell(Down::DesiredState(older)).await;
    // A scheduler that was superseded counts on from a higher number.
    let mut superseded = state(9, &[]);
    superseded.epoch = 2;
    plane.tell(Down::DesiredState(superseded)).await;
    let mut malformed = state(10, &[instance(vec![])]);
    malformed.epoch = 3;
    malformed.instances[0].instance_id = "not an id".to_owned();
    plane.tell(Down::DesiredState(malformed)).await;
    until("all were judged", || {
        let text = agent.metrics.encode();
        text.contains("desired_states_total{outcome=\"older_version\"} 1\n")
            && text.contains("desired_states_total{outcome=\"older_epoch\"} 1\n")
            && text.contains("desired_states_total{outcome=\"malformed\"} 1\n")
    })
    .await;
    assert_eq!(engine.running(), [container(&wanted, "web")]);

    let mut newer = state(6, &[]);
    newer.epoch = 3;
    plane.decide(newer).await;
    forgotten(&plane, &wanted, 6).await;
    assert!(engine.running().is_empty() && engine.networks().is_empty());
}

fn ask(request: &str, instance: &str, component: &str, follow: bool) -> Down {
    Down::LogRequest(LogRequest {
        request_id: request.to_owned(),
        instance_id: instance.to_owned(),
        component: component.to_owned(),
        tail_lines: 10,
        follow,
    })
}

#[tokio::test]
async fn output_is_sent_to_who_asked_for_it() {
    let (plane, machine, engine) = (Plane::start().await, Machine::new(), engine());
    machine.join(&plane).await;
    let _agent = machine.start(Arc::new(engine)).await;
    let wanted = instance(vec![
        component("web", "localhost/demo:1", 31_005),
        component("db", "localhost/demo:1", 31_006),
    ]);
    plane.decide(state(1, std::slice::from_ref(&wanted))).await;
    reported(&plane, &wanted, InstancePhase::Healthy).await;

    let id = &wanted.instance_id;
    plane.tell(ask("one", id, "db", false)).await;
    plane.tell(ask("both", id, "", false)).await;
    plane
        .tell(ask(
            "none",
            "01988c2e-7a50-7cc2-a9f0-0123456789ab",
            "",
            false,
        ))
        .await;
    plane.tell(ask("wrong", id, "cache", false)).await;
    plane.tell(ask("follow", id, "web", true)).await;
    let ended = |request: &str| {
        plane
            .memory()
            .chunks
            .iter()
            .any(|chunk| chunk.request_id == request && chunk.end)
    };
    for request in ["one", "both", "none", "wrong"] {
        until(request, || ended(request)).await;
    }
    let follows = || {
        let memory = plane.memory();
        memory
            .chunks
            .iter()
            .any(|c| c.request_id == "follow" && !c.lines.is_empty())
    };
    until("the follower's first line", follows).await;
    plane
        .tell(Down::LogCancel(LogCancel {
            request_id: "follow".to_owned(),
        }))
        .await;
    // The cancelled request's place is free for the same id.
    plane.tell(ask("follow", id, "web", false)).await;
    until("the repeated request", || ended("follow")).await;

    let memory = plane.memory();
    let components = |request: &str| {
        let chunks = memory
            .chunks
            .iter()
            .filter(|chunk| chunk.request_id == request);
        let mut all: Vec<String> = chunks
            .flat_map(|chunk| &chunk.lines)
            .map(|line| line.component.clone())
            .collect();
        all.sort();
        all
    };
    assert_eq!(components("one"), ["db"]);
    assert_eq!(components("both"), ["db", "web"]);
    let error = |request: &str| {
        memory
            .chunks
            .iter()
            .find(|c| c.request_id == request && c.end)
            .unwrap()
            .error
            .clone()
    };
    assert_eq!(error("one"), "");
    assert!(
        error("none").contains("not on this node"),
        "{}",
        error("none")
    );
    assert!(error("wrong").contains("cache"), "{}", error("wrong"));
}

#[tokio::test]
async fn the_planes_probe_is_answered_by_the_nodes_key() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let identity = machine.join(&plane).await;
    let _agent = machine.start(Arc::new(engine())).await;
    let client = http::client(Duration::from_secs(5)).unwrap();
    let ask = async |nonce: &str| {
        let url = format!(
            "http://127.0.0.1:{}/probe?nonce={nonce}",
            machine.probe_port
        );
        let response = client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let nonce = [0xa5; 32];
    let expected = Signer::from_pem(&identity.key_pem)
        .unwrap()
        .sign(Statement::Probe, &nonce);
    assert_eq!(ask(&hex::encode(nonce)).await, (200, hex::encode(expected)));
    for malformed in ["", "zz", "00", &"00".repeat(65)] {
        assert_eq!(ask(malformed).await.0, 400, "{malformed}");
    }
}

#[tokio::test]
async fn a_certificate_is_renewed_at_half_its_life_with_the_same_key() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let joined = machine.join(&plane).await;
    let dir = machine.dir();
    let mut aged = joined.clone();
    aged.certificate_issued_at -= TimeDelta::days(31);
    dir.put_identity(&aged).unwrap();
    let agent = machine.start(Arc::new(engine())).await;
    until("a renewal", || {
        let stored = dir.identity().unwrap().unwrap();
        stored.certificate_issued_at > joined.certificate_issued_at
    })
    .await;
    assert_eq!(plane.memory().renewals, 1);
    let renewed = dir.identity().unwrap().unwrap();
    assert_eq!(renewed.key_pem, joined.key_pem);
    assert!(renewed.renew_at() > joined.certificate_issued_at + TimeDelta::days(14));
    agent.stop().await;
    // The new certificate opens sessions.
    let sessions = plane.memory().hellos.len();
    let _agent = machine.start(Arc::new(engine())).await;
    until("a session", || plane.memory().hellos.len() > sessions).await;
    assert_eq!(plane.memory().renewals, 1);
}
