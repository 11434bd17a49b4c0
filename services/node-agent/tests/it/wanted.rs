//! What planes want of nodes.

use std::time::Duration;

use fluxplane_core::{IdSource as _, SystemIds};
use fluxplane_proto::{
    common::v1::Resources,
    node_registry::v1::{
        Component, DesiredInstance, DesiredState, InstancePhase, InstanceStatus, Mount, PortMapping,
    },
};
use fluxplane_testkit::eventually;

use crate::{agent::LIMIT, plane::Plane};

pub(crate) fn component(name: &str, image: &str, host_port: u32) -> Component {
    Component {
        name: name.to_owned(),
        image: image.to_owned(),
        ports: vec![PortMapping {
            host_port,
            container_port: 8_080,
            ..PortMapping::default()
        }],
        environment: vec!["GREETING=hello".to_owned()],
        command: Vec::new(),
        resources: Some(Resources {
            cpu_milli: 500,
            ram_mib: 64,
            disk_gib: 1,
        }),
        mounts: vec![Mount {
            path: "/data".to_owned(),
            source: "appdata".to_owned(),
            file: false,
            component: String::new(),
            read_only: false,
        }],
        ..Component::default()
    }
}

/// A new instance of an application.
pub(crate) fn instance(components: Vec<Component>) -> DesiredInstance {
    DesiredInstance {
        instance_id: SystemIds.next().to_string(),
        assignment_epoch: 1,
        app_id: SystemIds.next().to_string(),
        app_name: "shop".to_owned(),
        revision_id: SystemIds.next().to_string(),
        components,
        traceparent: String::new(),
    }
}

pub(crate) fn state(version: u64, instances: &[DesiredInstance]) -> DesiredState {
    DesiredState {
        version,
        epoch: 1,
        instances: instances.to_vec(),
        traceparent: String::new(),
    }
}

/// Name of the container of a component.
pub(crate) fn container(instance: &DesiredInstance, component: &str) -> String {
    // The last group of a UUID has twelve digits.
    let id = instance.instance_id.rsplit('-').next().unwrap();
    format!("fx-{id}-{component}")
}

/// Waits until an instance is reported in a phase. Returns that report.
pub(crate) async fn reported(
    plane: &Plane,
    instance: &DesiredInstance,
    phase: InstancePhase,
) -> InstanceStatus {
    eventually(LIMIT, || async {
        match plane.last_status(&instance.instance_id) {
            Some(status) if status.phase() == phase => Ok(status),
            other => Err(other),
        }
    })
    .await
}

/// Waits until the last report is about `version` and does not have the instance.
pub(crate) async fn forgotten(plane: &Plane, instance: &DesiredInstance, version: u64) {
    eventually(LIMIT, || async {
        let last = plane.memory().reports.last().cloned();
        let gone = last.as_ref().is_some_and(|report| {
            report.desired_version == version
                && report
                    .instances
                    .iter()
                    .all(|s| s.instance_id != instance.instance_id)
        });
        if gone { Ok(()) } else { Err(last) }
    })
    .await;
}

/// Waits for a condition.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool) {
    until_within(LIMIT, what, condition).await;
}

pub(crate) async fn until_within(limit: Duration, what: &str, condition: impl Fn() -> bool) {
    eventually(limit, || async {
        if condition() {
            Ok(())
        } else {
            Err(what.to_owned())
        }
    })
    .await;
}
