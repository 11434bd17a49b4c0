//! Evidence of running time.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use fluxplane_node_agent::runtime::Simulated;
use fluxplane_proto::node_registry::v1::InstancePhase;

use crate::{
    agent::Machine,
    plane::Plane,
    wanted::{component, container, instance, reported, state, until},
};

#[tokio::test]
async fn healthy_seconds_are_reported_once_in_reports_that_join() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let engine = Simulated::new(Duration::ZERO);
    machine.join(&plane).await;
    let agent = machine.start(Arc::new(engine.clone())).await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 32_000)]);
    plane.decide(state(1, std::slice::from_ref(&wanted))).await;
    reported(&plane, &wanted, InstancePhase::Healthy).await;
    until("two reports with time", || {
        plane
            .memory()
            .usage
            .iter()
            .filter(|report| !report.instances.is_empty())
            .count()
            >= 2
    })
    .await;
    agent.stop().await;
    // The end of the last session's time comes with the next session.
    let before = plane.memory().usage.len();
    let _agent = machine.start(Arc::new(engine)).await;
    until("reports of both runs", || {
        plane.memory().usage.len() > before + 1
    })
    .await;

    let memory = plane.memory();
    assert_eq!(memory.breaches, Vec::<String>::new());
    let mut seconds = BTreeSet::new();
    for (report, sequence) in memory.usage.iter().zip(1..) {
        assert_eq!(report.sequence, sequence);
        assert!(report.from_unix_s < report.to_unix_s);
        for interval in &report.instances {
            assert_eq!(interval.instance_id, wanted.instance_id);
            assert_eq!(interval.assignment_epoch, 1);
            assert!(report.from_unix_s <= interval.from_unix_s);
            assert!(interval.to_unix_s <= report.to_unix_s);
            for second in interval.from_unix_s..interval.to_unix_s {
                assert!(seconds.insert(second), "second {second} is reported twice");
            }
        }
    }
    let joined = |pair: &[_]| {
        let [a, b] = pair else { return false };
        let (a, b): (&fluxplane_proto::node_registry::v1::UsageReportBody, _) = (a, b);
        a.to_unix_s <= b.from_unix_s
    };
    assert!(memory.usage.windows(2).all(joined));
}

#[tokio::test]
async fn reports_wait_on_disk_until_they_are_acknowledged() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let engine = Simulated::new(Duration::ZERO);
    machine.join(&plane).await;
    plane.memory().usage_away = true;
    let agent = machine.start(Arc::new(engine.clone())).await;
    until("two unanswered reports", || {
        plane.memory().usage_seen.len() >= 2
    })
    .await;
    assert_eq!(
        plane.memory().usage_seen[..2],
        [1, 2],
        "sent ahead, in order, once per session"
    );
    agent.stop().await;
    let first_session = std::mem::take(&mut plane.memory().usage_seen);

    plane.memory().usage_away = false;
    let agent = machine.start(Arc::new(engine)).await;
    until("the same reports again", || {
        plane.memory().usage.len() >= first_session.len()
    })
    .await;
    assert_eq!(plane.memory().usage_seen[..2], [1, 2]);
    until("none waits", || {
        agent
            .metrics
            .encode()
            .contains("fluxplane_agent_usage_reports_waiting 0\n")
    })
    .await;
}

#[tokio::test]
async fn time_after_a_crash_is_not_reported() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let engine = Simulated::new(Duration::ZERO);
    machine.join(&plane).await;
    let _agent = machine
        .start_with(Arc::new(engine.clone()), |config| {
            // Longer than this test.
            config.restart.first = fluxplane_platform::config::Span(Duration::from_hours(1));
            config.restart.longest = config.restart.first;
        })
        .await;
    let wanted = instance(vec![component("web", "localhost/demo:1", 32_001)]);
    plane.decide(state(1, std::slice::from_ref(&wanted))).await;
    reported(&plane, &wanted, InstancePhase::Healthy).await;
    let with_time = || {
        plane
            .memory()
            .usage
            .iter()
            .filter(|report| !report.instances.is_empty())
            .count()
    };
    until("a report with time", || with_time() >= 1).await;
    engine.exit(&container(&wanted, "web"), 137);
    reported(&plane, &wanted, InstancePhase::Unhealthy).await;
    let crashed_at = plane.memory().usage.last().unwrap().to_unix_s + 1;
    until("two reports after the crash", || {
        plane
            .memory()
            .usage
            .iter()
            .filter(|report| report.from_unix_s >= crashed_at)
            .count()
            >= 2
    })
    .await;
    let memory = plane.memory();
    let after = memory
        .usage
        .iter()
        .filter(|report| report.from_unix_s >= crashed_at);
    assert!(after.flat_map(|report| &report.instances).next().is_none());
}
