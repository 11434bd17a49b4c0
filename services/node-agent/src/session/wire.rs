//! Between the wire and the domain.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Resources,
    id::{InstanceId, NodeId},
};
use fluxplane_proto::{common::v1 as common, node_registry::v1 as wire};
use prost_types::Timestamp;

use crate::{
    domain::{
        Component, Desired, Instance, Mount, Phase, Port, Status,
        desired::{Pauses, Probe, Probes, Protocol, Stop},
    },
    runtime::{Channel, OutputLine},
    store::Numbered,
    supervisor::Overview,
};

/// A desired state that cannot be acted on. It is refused whole: acting on the readable part would stop what the rest is
/// about.
#[derive(Debug, thiserror::Error)]
#[error("desired state {version}: {field} is `{value}`, but it is a UUID")]
pub(super) struct Malformed {
    version: u64,
    field: &'static str,
    value: String,
}

pub(super) fn desired(wire: wire::DesiredState) -> Result<Desired, Malformed> {
    let version = wire.version;
    let instances = wire
        .instances
        .into_iter()
        .map(|instance| self::instance(version, instance));
    Ok(Desired {
        version,
        epoch: wire.epoch,
        instances: instances.collect::<Result<_, _>>()?,
        traceparent: wire.traceparent,
    })
}

fn instance(version: u64, wire: wire::DesiredInstance) -> Result<Instance, Malformed> {
    let malformed = |field, value: &str| Malformed {
        version,
        field,
        value: value.to_owned(),
    };
    Ok(Instance {
        id: wire
            .instance_id
            .parse()
            .map_err(|_| malformed("instance_id", &wire.instance_id))?,
        revision: wire
            .revision_id
            .parse()
            .map_err(|_| malformed("revision_id", &wire.revision_id))?,
        assignment_epoch: wire.assignment_epoch,
        app_id: wire.app_id,
        app_name: wire.app_name,
        components: wire.components.into_iter().map(component).collect(),
        traceparent: wire.traceparent,
    })
}

fn component(wire: wire::Component) -> Component {
    let ports = wire.ports.iter();
    let resources = wire.resources.unwrap_or_default();
    Component {
        name: wire.name,
        image: wire.image,
        ports: ports
            .map(|p| Port {
                host: p.host_port,
                container: p.container_port,
                protocol: protocol(p.protocol()),
            })
            .collect(),
        private_version: wire.private_version,
        command: wire.command,
        resources: Resources {
            cpu_milli: resources.cpu_milli,
            ram_mib: resources.ram_mib,
            disk_gib: resources.disk_gib,
        },
        mounts: wire.mounts.into_iter().map(mount).collect(),
        entrypoint: wire.entrypoint,
        restart: wire.restart.map(|restart| Pauses {
            first_s: restart.first_pause_s,
            longest_s: restart.longest_pause_s,
        }),
        stop: wire.stop.map(|stop| Stop {
            signal: stop.signal,
            grace_s: stop.grace_s,
        }),
        probes: wire.probes.map(|probes| Probes {
            startup: probes.startup.map(probe),
            readiness: probes.readiness.map(probe),
            health: probes.health.map(probe),
        }),
    }
}

fn probe(wire: wire::Probe) -> Probe {
    Probe {
        port: wire.port,
        http_path: wire.http_path,
        interval_s: wire.interval_s,
        timeout_s: wire.timeout_s,
        delay_s: wire.delay_s,
        failures: wire.failures.max(1),
        successes: wire.successes.max(1),
    }
}

const fn protocol(protocol: wire::PortProtocol) -> Protocol {
    match protocol {
        wire::PortProtocol::Unspecified => Protocol::Both,
        wire::PortProtocol::Tcp => Protocol::Tcp,
        wire::PortProtocol::Udp => Protocol::Udp,
    }
}

fn mount(wire: wire::Mount) -> Mount {
    let wire::Mount {
        path,
        source,
        file,
        component,
        read_only,
    } = wire;
    Mount {
        path,
        source,
        file,
        component,
        read_only,
    }
}

pub(super) const fn resources(resources: Resources) -> common::Resources {
    common::Resources {
        cpu_milli: resources.cpu_milli,
        ram_mib: resources.ram_mib,
        disk_gib: resources.disk_gib,
    }
}

pub(super) fn report(overview: Overview) -> wire::InstanceReport {
    wire::InstanceReport {
        desired_version: overview.desired_version,
        instances: overview.statuses.into_iter().map(status).collect(),
        traceparent: overview.traceparent,
    }
}

fn status(status: Status) -> wire::InstanceStatus {
    wire::InstanceStatus {
        instance_id: status.instance.to_string(),
        assignment_epoch: status.assignment_epoch,
        phase: phase(status.phase).into(),
        reason: status.reason,
        restarts: status.restarts,
        since: Some(timestamp(status.since)),
        revision_id: status.revision.to_string(),
    }
}

const fn phase(phase: Phase) -> wire::InstancePhase {
    match phase {
        Phase::Pulling => wire::InstancePhase::Pulling,
        Phase::Starting => wire::InstancePhase::Starting,
        Phase::Healthy => wire::InstancePhase::Healthy,
        Phase::Unhealthy => wire::InstancePhase::Unhealthy,
        Phase::Failed => wire::InstancePhase::Failed,
        Phase::Stopped => wire::InstancePhase::Stopped,
    }
}

pub(super) fn usage(node: NodeId, numbered: &Numbered) -> wire::UsageReportBody {
    let instances = numbered
        .report
        .instances
        .iter()
        .map(|interval| wire::UsageInterval {
            instance_id: interval.assignment.instance.to_string(),
            assignment_epoch: interval.assignment.epoch,
            from_unix_s: interval.from,
            to_unix_s: interval.to,
        });
    wire::UsageReportBody {
        node_id: node.to_string(),
        sequence: numbered.sequence,
        from_unix_s: numbered.report.from,
        to_unix_s: numbered.report.to,
        instances: instances.collect(),
    }
}

pub(super) fn line(component: &str, line: OutputLine) -> wire::LogLine {
    let stream = match line.channel {
        Channel::Stdout => wire::log_line::Stream::Stdout,
        Channel::Stderr => wire::log_line::Stream::Stderr,
    };
    wire::LogLine {
        at: line.at.map(timestamp),
        stream: stream.into(),
        text: line.text,
        component: component.to_owned(),
    }
}

/// The instance a request is about.
pub(super) fn instance_id(text: &str) -> Option<InstanceId> {
    text.parse().ok()
}

pub(super) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desired_state_with_a_broken_id_is_refused_whole() {
        let broken = wire::DesiredInstance {
            instance_id: "x".to_owned(),
            revision_id: NodeId::new(uuid::Uuid::nil()).to_string(),
            ..wire::DesiredInstance::default()
        };
        let state = wire::DesiredState {
            version: 7,
            instances: vec![broken],
            ..Default::default()
        };
        let err = desired(state).unwrap_err();
        assert_eq!(
            err.to_string(),
            "desired state 7: instance_id is `x`, but it is a UUID"
        );
    }
}
