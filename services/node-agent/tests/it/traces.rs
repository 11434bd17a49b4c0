//! One trace from the decision to the container.

use std::{sync::Arc, time::Duration};

use fluxplane_node_agent::runtime::Simulated;
use fluxplane_platform::{config::Telemetry, propagation, telemetry};
use fluxplane_proto::node_registry::v1::InstancePhase;
use tracing::Instrument as _;

use crate::{
    agent::Machine,
    plane::Plane,
    wanted::{component, instance, reported, state},
};

/// The second part of a W3C traceparent.
fn trace_id(traceparent: &str) -> String {
    traceparent.split('-').nth(1).unwrap_or_default().to_owned()
}

async fn new_trace(name: &'static str) -> String {
    async { propagation::current_traceparent() }
        .instrument(tracing::info_span!("cause", what = name))
        .await
}

#[tokio::test]
async fn reports_carry_the_trace_that_led_to_them() {
    let config = Telemetry {
        log_filter: "off".to_owned(),
        otlp_endpoint: String::new(),
        trace_ratio: 1.0,
    };
    telemetry::init("test", "0", &config).unwrap();
    let (decision, deployment) = (new_trace("decision").await, new_trace("deployment").await);
    assert_ne!(trace_id(&decision), trace_id(&deployment));

    let (plane, machine) = (Plane::start().await, Machine::new());
    machine.join(&plane).await;
    let _agent = machine
        .start(Arc::new(Simulated::new(Duration::from_millis(100))))
        .await;
    let mut wanted = instance(vec![component("web", "localhost/demo:1", 33_000)]);
    wanted.traceparent.clone_from(&deployment);
    let mut desired = state(1, std::slice::from_ref(&wanted));
    desired.traceparent.clone_from(&decision);
    plane.decide(desired).await;
    reported(&plane, &wanted, InstancePhase::Healthy).await;

    let memory = plane.memory();
    let traces_of = |phase: InstancePhase| -> Vec<String> {
        let of_phase = |report: &&fluxplane_proto::node_registry::v1::InstanceReport| {
            report
                .instances
                .iter()
                .any(|status| status.phase() == phase)
        };
        memory
            .reports
            .iter()
            .filter(of_phase)
            .map(|r| trace_id(&r.traceparent))
            .collect()
    };
    assert_eq!(traces_of(InstancePhase::Healthy)[0], trace_id(&deployment));
    let first = memory
        .reports
        .iter()
        .find(|report| report.desired_version == 1)
        .unwrap();
    assert!(
        [trace_id(&decision), trace_id(&deployment)].contains(&trace_id(&first.traceparent)),
        "{first:?}"
    );
}
