//! Announcements of the scheduler, to be appended to the outbox in the caller's transaction.

use fluxplane_core::{IdSource, Resources, Tier};
use fluxplane_platform::db::outbox::NewEvent;
use fluxplane_proto::{
    Event,
    common::v1 as common,
    node_registry::v1 as registry,
    scheduler::v1::{AppEnded, InstanceAssigned, NodeDesiredStateChanged, RevisionSubmitted},
};
use sha2::{Digest as _, Sha256};

use crate::{
    domain::{
        App, Revision,
        desired::{Assignment, Desired, DesiredInstance},
        workload::{Component, Probe, Protocol},
    },
    grpc::convert::{funding_to_wire, state_to_wire, timestamp},
};

/// `spec_json` is the specification in its canonical form.
pub fn revision_submitted(
    ids: &dyn IdSource,
    app: &App,
    revision: &Revision,
    spec_json: &str,
) -> NewEvent {
    event(
        ids,
        &RevisionSubmitted {
            app_id: app.id.to_string(),
            app_name: app.name.clone(),
            owner: app.owner.clone(),
            revision_id: revision.id.to_string(),
            revision_number: revision.number,
            message_hash: revision.message_hash.clone(),
            quote_id: revision.quote_id.clone(),
            funding: funding_to_wire(revision.funding).into(),
            submitted_at: Some(timestamp(revision.submitted_at)),
            pay_until: Some(timestamp(revision.pay_until)),
            spec_sha256: hex::encode(Sha256::digest(spec_json)),
        },
    )
}

pub fn app_ended(ids: &dyn IdSource, app: &App) -> NewEvent {
    event(
        ids,
        &AppEnded {
            app_id: app.id.to_string(),
            state: state_to_wire(app.state).into(),
            ended_at: app.ended_at.map(timestamp),
        },
    )
}

pub fn instance_assigned(ids: &dyn IdSource, assignment: &Assignment) -> NewEvent {
    event(
        ids,
        &InstanceAssigned {
            instance_id: assignment.instance.to_string(),
            app_id: assignment.app.to_string(),
            revision_id: assignment.revision.to_string(),
            node_id: assignment.node.to_string(),
            assignment_epoch: assignment.epoch,
            assigned_at: Some(timestamp(assignment.assigned_at)),
        },
    )
}

/// `traceparent` is that of the decision that changed the set.
pub fn desired_state_changed(ids: &dyn IdSource, desired: &Desired, traceparent: &str) -> NewEvent {
    let instances = desired.instances.iter();
    event(
        ids,
        &NodeDesiredStateChanged {
            node_id: desired.node.to_string(),
            desired: Some(registry::DesiredState {
                version: desired.version,
                epoch: desired.epoch,
                instances: instances.map(|i| instance(i, desired.tier)).collect(),
                traceparent: traceparent.to_owned(),
            }),
        },
    )
}

fn instance(instance: &DesiredInstance, tier: Tier) -> registry::DesiredInstance {
    let components = instance.workload.components.iter();
    registry::DesiredInstance {
        instance_id: instance.id.to_string(),
        assignment_epoch: instance.epoch,
        app_id: instance.app.to_string(),
        app_name: instance.app_name.clone(),
        revision_id: instance.revision.to_string(),
        components: components
            .map(|c| component(c, tier, instance.secrets))
            .collect(),
        traceparent: instance.traceparent.clone(),
    }
}

/// The environment stays out, also that of a revision that is not sealed yet: the agent fetches it.
fn component(component: &Component, tier: Tier, secrets: u64) -> registry::Component {
    registry::Component {
        name: component.name.clone(),
        image: component.image.clone(),
        ports: component
            .ports
            .iter()
            .map(|port| registry::PortMapping {
                host_port: port.host.into(),
                container_port: port.container.into(),
                protocol: protocol(port.protocol).into(),
            })
            .collect(),
        environment: Vec::new(),
        private_version: component.private_version(secrets),
        command: component.command.clone(),
        resources: Some(resources(component.resources_on(tier))),
        mounts: component
            .mounts
            .iter()
            .map(|mount| registry::Mount {
                path: mount.path.clone(),
                source: mount.source.clone(),
                file: mount.file,
                component: mount.component.clone(),
                read_only: mount.read_only,
            })
            .collect(),
        entrypoint: component.entrypoint.clone(),
        restart: component.restart.map(|restart| registry::Restart {
            first_pause_s: restart.first_s,
            longest_pause_s: restart.longest_s,
        }),
        stop: component.stop.as_ref().map(|stop| registry::Stop {
            signal: stop.signal.clone(),
            grace_s: stop.grace_s,
        }),
        probes: component.probes.as_ref().map(|probes| registry::Probes {
            startup: probes.startup.as_ref().map(probe),
            readiness: probes.readiness.as_ref().map(probe),
            health: probes.health.as_ref().map(probe),
        }),
    }
}

fn probe(probe: &Probe) -> registry::Probe {
    registry::Probe {
        port: probe.port.into(),
        http_path: probe.http_path.clone(),
        interval_s: probe.interval_s,
        timeout_s: probe.timeout_s,
        delay_s: probe.delay_s,
        failures: probe.failures,
        successes: probe.successes,
    }
}

const fn protocol(protocol: Protocol) -> registry::PortProtocol {
    match protocol {
        Protocol::Both => registry::PortProtocol::Unspecified,
        Protocol::Tcp => registry::PortProtocol::Tcp,
        Protocol::Udp => registry::PortProtocol::Udp,
    }
}

const fn resources(resources: Resources) -> common::Resources {
    common::Resources {
        cpu_milli: resources.cpu_milli,
        ram_mib: resources.ram_mib,
        disk_gib: resources.disk_gib,
    }
}

fn event<E: Event>(ids: &dyn IdSource, event: &E) -> NewEvent {
    NewEvent::new(ids.next(), E::SUBJECT, event)
}
