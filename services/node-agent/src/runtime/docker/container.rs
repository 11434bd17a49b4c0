//! Between our containers and Docker's.

use std::{collections::HashMap, time::Duration};

use bollard::{
    Docker,
    models::{
        ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum,
        ContainerStatsResponse, ContainerSummary, EndpointSettings, EventMessage, HostConfig,
        HostConfigLogConfig, NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
    },
    query_parameters::CreateContainerOptionsBuilder,
};
use fluxplane_core::id::InstanceId;

use super::{
    super::{Container, ContainerState, Found, RuntimeError, Stats},
    failed,
};
use crate::domain::{
    ContainerSpec,
    container::{CAPABILITIES, Published},
    label,
};

pub(super) async fn create(client: &Docker, spec: &ContainerSpec) -> Result<(), RuntimeError> {
    let options = CreateContainerOptionsBuilder::new()
        .name(&spec.name)
        .build();
    let created = client.create_container(Some(options), body(spec)).await;
    created
        .map(drop)
        .map_err(|err| failed("create container", &err))
}

fn body(spec: &ContainerSpec) -> ContainerCreateBody {
    let endpoint = EndpointSettings {
        aliases: Some(spec.aliases.clone()),
        ..EndpointSettings::default()
    };
    let ports: Vec<(String, &Published)> = spec
        .ports
        .iter()
        .flat_map(|port| {
            let protocols = port.protocol.names().iter();
            protocols.map(move |protocol| (format!("{}/{protocol}", port.container), port))
        })
        .collect();
    ContainerCreateBody {
        image: Some(spec.image.to_string()),
        hostname: Some(spec.component.clone()),
        entrypoint: (!spec.entrypoint.is_empty()).then(|| spec.entrypoint.clone()),
        stop_signal: spec.stop_signal.clone(),
        cmd: (!spec.command.is_empty()).then(|| spec.command.clone()),
        env: Some(spec.environment.clone()),
        labels: Some(spec.labels.clone().into_iter().collect()),
        exposed_ports: Some(ports.iter().map(|(port, _)| port.clone()).collect()),
        host_config: Some(host_config(spec, &ports)),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(spec.network.clone(), endpoint)])),
        }),
        ..ContainerCreateBody::default()
    }
}

fn host_config(spec: &ContainerSpec, ports: &[(String, &Published)]) -> HostConfig {
    let limit = |value: u64| (value > 0).then(|| i64::try_from(value).unwrap_or(i64::MAX));
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for (port, published) in ports {
        let binding = PortBinding {
            host_ip: Some(published.address.to_string()),
            host_port: Some(published.host.to_string()),
        };
        bindings
            .entry(port.clone())
            .or_default()
            .get_or_insert_default()
            .push(binding);
    }
    let binds = spec.binds.iter().map(|bind| {
        let mode = if bind.read_only { ":ro" } else { "" };
        format!("{}:{}{mode}", bind.source.display(), bind.path)
    });
    HostConfig {
        network_mode: Some(spec.network.clone()),
        port_bindings: Some(bindings),
        binds: Some(binds.collect()),
        nano_cpus: limit(spec.limits.cpu_nanos),
        memory: limit(spec.limits.memory_bytes),
        pids_limit: Some(i64::from(spec.limits.pids)),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(CAPABILITIES.map(str::to_owned).into()),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        privileged: Some(false),
        // The agent starts it again, with a growing pause, and counts.
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from([
                (
                    "max-size".to_owned(),
                    format!("{}m", spec.limits.log_max_mib),
                ),
                ("max-file".to_owned(), "1".to_owned()),
            ])),
        }),
        ..HostConfig::default()
    }
}

pub(super) fn found(summary: ContainerSummary) -> Option<Found> {
    let name = summary.names?.into_iter().next()?;
    let labels = summary.labels.unwrap_or_default();
    Some(Found {
        name: name.trim_start_matches('/').to_owned(),
        instance: labels.get(label::INSTANCE).and_then(|id| id.parse().ok()),
        component: labels.get(label::COMPONENT).cloned().unwrap_or_default(),
        grace: labels.get(label::GRACE).and_then(|text| seconds(text)),
    })
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_secs)
}

pub(super) fn inspected(container: ContainerInspectResponse) -> Result<Container, RuntimeError> {
    let missing = || RuntimeError::Unavailable("a container without a state".to_owned());
    let state = container.state.ok_or_else(missing)?;
    let labels = container
        .config
        .and_then(|config| config.labels)
        .unwrap_or_default();
    let state = match state.status {
        Some(ContainerStateStatusEnum::CREATED) => ContainerState::Created,
        _ if state.running == Some(true) => ContainerState::Running,
        _ => ContainerState::Exited {
            code: state.exit_code.unwrap_or_default(),
            out_of_memory: state.oom_killed == Some(true),
        },
    };
    Ok(Container {
        spec_digest: labels.get(label::SPEC).cloned().unwrap_or_default(),
        revision: labels.get(label::REVISION).cloned().unwrap_or_default(),
        private_version: labels.get(label::PRIVATE).cloned(),
        state,
    })
}

pub(super) fn used(stats: &ContainerStatsResponse) -> Stats {
    let cpu = stats
        .cpu_stats
        .as_ref()
        .and_then(|cpu| cpu.cpu_usage.as_ref());
    Stats {
        cpu_nanos: cpu.and_then(|usage| usage.total_usage).unwrap_or_default(),
        memory_bytes: stats
            .memory_stats
            .as_ref()
            .and_then(|m| m.usage)
            .unwrap_or_default(),
    }
}

/// The instance whose container an event says has exited.
pub(super) fn exited(event: EventMessage) -> Option<InstanceId> {
    if event.action.as_deref() != Some("die") {
        return None;
    }
    event.actor?.attributes?.get(label::INSTANCE)?.parse().ok()
}
