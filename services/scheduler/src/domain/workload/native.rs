//! From a specification `fluxplane/v1`.

use std::{collections::BTreeSet, ops::RangeInclusive};

use fluxplane_app_spec::{
    geolocation::{Area, Rule, Rules},
    native::{self as spec, NativeSpec, VolumeKind, unserved},
    strict::Finding,
};
use fluxplane_core::error::Violation;
use fluxplane_placement::Pin;
use sha2::{Digest as _, Sha256};

use super::{
    Component, Mount, Port, Probe, Probes, Protocol, Restart, Stop, Workload, needed, pin,
    violation,
};
use crate::domain::geo;

/// The ports of a node from which the plane chooses where a specification names none. None of them costs extra, belongs to
/// FluxOS (16100 to 16299 and 26100 to 26299, `portManager.js`), or is one from which Linux takes its own connections
/// (`net.ipv4.ip_local_port_range`, from 32768 on).
pub const CHOSEN_PORTS: RangeInclusive<u16> = 20_000..=25_999;

impl Workload {
    /// Reads the workload of a specification that keeps all rules. Violations name fields below `spec.`.
    pub fn of_native(spec: &NativeSpec) -> Result<Self, Vec<Violation>> {
        let unserved = unserved(spec);
        if !unserved.is_empty() {
            return Err(unserved.into_iter().map(of_finding).collect());
        }
        let mut hosts = Hosts::of(spec);
        let components: Vec<Component> = spec
            .components
            .iter()
            .map(|(name, component)| component_of(spec, name, component, &mut hosts))
            .collect();
        let mut ports: Vec<u16> = Vec::new();
        for port in components.iter().flat_map(|component| &component.ports) {
            // One number may be published twice, on TCP and on UDP.
            if !ports.contains(&port.host) {
                ports.push(port.host);
            }
        }
        let resources = needed(&components).ok_or_else(|| {
            let rule = "the components together need more than any machine has";
            let count = spec.components.len();
            vec![violation("components", count, rule, "ask for less")]
        })?;
        Ok(Self {
            instances: spec.instances.unwrap_or(1),
            resources,
            ports,
            geo: geo::of_rules(&rules_of(spec)?),
            static_ip: spec.placement.static_ip,
            pinned: pins_of(spec)?,
            components,
        })
    }

    /// Whether copies of `other` are other containers, or stand elsewhere.
    pub fn differs_in_copies(&self, other: &Self) -> bool {
        let counted = Self {
            instances: other.instances,
            ..self.clone()
        };
        counted != *other
    }
}

/// A finding as a violation of the request, whose field `spec` is the specification.
pub(in crate::domain) fn of_finding(finding: Finding) -> Violation {
    let field = if finding.path.is_empty() {
        "spec".to_owned()
    } else {
        format!("spec.{}", finding.path)
    };
    Violation::new(field, finding.value, finding.rule, finding.remedy)
}

fn component_of(
    app: &NativeSpec,
    name: &str,
    component: &spec::Component,
    hosts: &mut Hosts<'_>,
) -> Component {
    let seconds = |time: u64| u32::try_from(time).unwrap_or(u32::MAX);
    let ports = component.ports.iter();
    let volumes = component.volumes.iter();
    let variables = component.env.iter();
    Component {
        name: name.to_owned(),
        image: component.image.clone(),
        ports: ports
            .map(|(port_name, port)| Port {
                host: port.host.unwrap_or_else(|| hosts.choose(name, port_name)),
                container: port.container,
                protocol: protocol(port.protocol),
            })
            .collect(),
        environment: variables
            .map(|(variable, value)| format!("{variable}={value}"))
            .collect(),
        environment_sealed: false,
        entrypoint: component.command.clone(),
        command: component.args.clone(),
        resources: component.resources(),
        tiers: None,
        mounts: volumes
            .map(|(volume_name, volume)| mount(app, volume_name, volume))
            .collect(),
        secrets: component.secrets.clone(),
        registry_credentials: component.registry_credentials.clone(),
        restart: Some(Restart {
            first_s: seconds(component.restart.backoff),
            longest_s: seconds(component.restart.max_backoff),
        }),
        stop: Some(Stop {
            signal: component.stop.signal.clone(),
            grace_s: seconds(component.stop.grace),
        }),
        probes: probes_of(&component.probes),
    }
}

fn probes_of(probes: &spec::Probes) -> Option<Probes> {
    let seconds = |time: u64| u32::try_from(time).unwrap_or(u32::MAX);
    let probe = |probe: &spec::Probe| {
        let (port, http_path) = match (&probe.http, &probe.tcp) {
            (Some(http), _) => (http.port, Some(http.path.clone())),
            (None, Some(tcp)) => (tcp.port, None),
            // Others are not served.
            (None, None) => return None,
        };
        Some(Probe {
            port,
            http_path,
            interval_s: seconds(probe.interval),
            timeout_s: seconds(probe.timeout),
            delay_s: seconds(probe.delay),
            failures: probe.failures,
            successes: probe.successes,
        })
    };
    let probes = Probes {
        startup: probes.startup.as_ref().and_then(probe),
        readiness: probes.readiness.as_ref().and_then(probe),
        health: probes.health.as_ref().and_then(probe),
    };
    (probes != Probes::default()).then_some(probes)
}

const fn protocol(protocol: spec::Protocol) -> Protocol {
    match protocol {
        spec::Protocol::TcpUdp => Protocol::Both,
        spec::Protocol::Udp => Protocol::Udp,
        spec::Protocol::Tcp | spec::Protocol::Http => Protocol::Tcp,
    }
}

fn mount(app: &NativeSpec, name: &str, volume: &spec::Volume) -> Mount {
    debug_assert_eq!(volume.kind, VolumeKind::Local, "others are not served");
    let owner = volume.source.as_ref().map_or(("", name), |source| {
        (source.component.as_str(), source.volume.as_str())
    });
    let (component, source) = owner;
    let shared = volume.source.as_ref().and_then(|source| {
        let owner = app.components.get(&source.component)?;
        owner.volumes.get(&source.volume)
    });
    Mount {
        path: volume.path.clone(),
        source: source.to_owned(),
        file: shared.unwrap_or(volume).file,
        component: component.to_owned(),
        read_only: volume.read_only,
    }
}

fn rules_of(spec: &NativeSpec) -> Result<Rules, Vec<Violation>> {
    let placement = &spec.placement;
    let allowed = areas("placement.allow", &placement.allow)?;
    let forbidden = areas("placement.forbid", &placement.forbid)?;
    let allowed = allowed.into_iter().map(Rule::Allow);
    let forbidden = forbidden.into_iter().map(Rule::Forbid);
    Ok(Rules::new(allowed.chain(forbidden).collect()))
}

fn areas(field: &str, texts: &[String]) -> Result<Vec<Area>, Vec<Violation>> {
    let texts = texts.iter().enumerate();
    texts
        .map(|(place, text)| {
            text.parse::<Area>().map_err(|err| {
                let field = format!("{field}[{place}]");
                vec![violation(&field, text, err.to_string(), "correct it")]
            })
        })
        .collect()
}

fn pins_of(spec: &NativeSpec) -> Result<Vec<Pin>, Vec<Violation>> {
    let nodes = spec.placement.nodes.iter().enumerate();
    nodes
        .map(|(place, text)| {
            pin(text).ok_or_else(|| {
                let field = format!("placement.nodes[{place}]");
                let rule = "a node is an IP address, ip:port, or txid:index of its collateral";
                vec![violation(
                    &field,
                    text,
                    rule,
                    "copy it from the list of nodes",
                )]
            })
        })
        .collect()
}

/// Chooses ports of the node. The same application, component and port get the same one every time, on every machine, so an
/// update moves nothing that its owner did not touch.
struct Hosts<'a> {
    app: &'a str,
    taken: BTreeSet<u16>,
}

impl<'a> Hosts<'a> {
    fn of(spec: &'a NativeSpec) -> Self {
        let ports = spec
            .components
            .values()
            .flat_map(|component| component.ports.values());
        Self {
            app: &spec.name,
            taken: ports.filter_map(|port| port.host).collect(),
        }
    }

    /// The port that the names' digest points to, or the next that the application does not use.
    fn choose(&mut self, component: &str, port: &str) -> u16 {
        let digest = Sha256::digest(format!(
            "fluxplane-port/v1\n{}\n{component}\n{port}",
            self.app
        ));
        let (first, last) = (
            u64::from(*CHOSEN_PORTS.start()),
            u64::from(*CHOSEN_PORTS.end()),
        );
        let count = last - first + 1;
        let mut number = [0; 8];
        number.copy_from_slice(&digest[..8]);
        let start = u64::from_be_bytes(number) % count;
        let free = (0..count)
            .filter_map(|step| u16::try_from(first + (start + step) % count).ok())
            .find(|host| self.taken.insert(*host));
        free.expect("an application has at most 2048 ports, and the range is larger")
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_app_spec::native::parse;

    use super::*;

    const SPEC: &str = "
schema: fluxplane/v1
name: shop
owner: 1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC
components:
  web:
    image: nginx:1.27
    command: [/bin/nginx]
    args: [-g, daemon off;]
    env: { MODE: prod }
    secrets: { TOKEN: shop/token }
    registryCredentials: registry
    cpu: 500m
    memory: 512Mi
    disk: 1500Mi
    ports:
      http: { container: 80 }
      dns: { container: 53, host: 31053, protocol: udp }
      dns-tcp: { container: 53, host: 31053 }
    volumes:
      data: { path: /data }
    stop: { signal: SIGINT, grace: 5s }
    probes:
      startup: { tcp: { port: 80 }, failures: 30, interval: 1s, timeout: 1s }
      readiness: { http: { port: 80, path: /ready }, delay: 3s, successes: 2 }
  cache:
    image: redis:7
    cpu: 250m
    memory: 256Mi
    disk: 1Gi
    volumes:
      shared: { path: /web, readOnly: true, source: { component: web, volume: data } }
instances: 2
placement: { allow: [EU], forbid: [EU_DE], staticIp: true, nodes: [203.0.113.9] }
";

    fn workload(text: &str) -> Result<Workload, Vec<Violation>> {
        Workload::of_native(&parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_specification_becomes_a_workload() {
        let workload = workload(SPEC).unwrap();
        assert_eq!((workload.instances, workload.static_ip), (2, true));
        assert_eq!(workload.resources.disk_gib, 3);
        assert_eq!(
            (workload.geo.allow.len(), workload.geo.forbid.len()),
            (1, 1)
        );
        assert_eq!(workload.pinned.len(), 1);
        let [cache, web] = workload.components.as_slice() else {
            panic!("{workload:?}")
        };
        assert_eq!(web.entrypoint, ["/bin/nginx"]);
        assert_eq!(web.command, ["-g", "daemon off;"]);
        assert_eq!(web.environment, ["MODE=prod"]);
        assert_eq!(web.secrets["TOKEN"], "shop/token");
        assert_eq!(web.registry_credentials.as_deref(), Some("registry"));
        let stop = Stop {
            signal: "SIGINT".to_owned(),
            grace_s: 5,
        };
        assert_eq!(web.stop, Some(stop));
        let probes = web.probes.clone().unwrap();
        let startup = probes.startup.unwrap();
        assert_eq!(
            (startup.port, startup.http_path, startup.failures),
            (80, None, 30)
        );
        let readiness = probes.readiness.unwrap();
        assert_eq!(readiness.http_path.as_deref(), Some("/ready"));
        assert_eq!((readiness.delay_s, readiness.successes), (3, 2));
        assert!(probes.health.is_none() && cache.probes.is_none());
        let mount = cache.mounts.first().unwrap();
        assert_eq!(
            (mount.component.as_str(), mount.source.as_str()),
            ("web", "data")
        );
        assert!(mount.read_only);
    }

    #[test]
    fn the_plane_chooses_ports_that_stay() {
        let first = workload(SPEC).unwrap();
        let hosts = |workload: &Workload| workload.ports.clone();
        let [udp, chosen] = hosts(&first)[..] else {
            panic!("{first:?}")
        };
        assert_eq!(udp, 31_053, "one number on two protocols counts once");
        assert!(CHOSEN_PORTS.contains(&chosen));
        let more = SPEC.replace(
            "http: { container: 80 }",
            "http: { container: 80 }\n      admin: { container: 81 }",
        );
        let more = workload(&more).unwrap();
        assert!(hosts(&more).contains(&chosen) && more.ports.len() == 3);
        let other = workload(&SPEC.replace("name: shop", "name: other")).unwrap();
        assert_ne!(hosts(&other)[1], chosen);
    }

    #[test]
    fn no_two_ports_of_an_application_are_the_same() {
        let mut text = SPEC.to_owned();
        for number in 1..60 {
            let port = format!(
                "http: {{ container: 80 }}\n      p{number}: {{ container: {} }}",
                1_000 + number
            );
            text = text.replacen("http: { container: 80 }", &port, 1);
        }
        let workload = workload(&text).unwrap();
        let different: BTreeSet<u16> = workload.ports.iter().copied().collect();
        assert_eq!((workload.ports.len(), different.len()), (61, 61));
    }

    #[test]
    fn what_the_plane_cannot_do_is_refused_by_name() {
        for (from, to, field) in [
            (
                "instances: 2",
                "autoscale: { min: 1, max: 3, cpuPercent: 70 }",
                "spec.autoscale",
            ),
            ("instances: 2", "instances: 101", "spec.instances"),
            (
                "http: { container: 80 }",
                "http: { container: 80, protocol: http }",
                "spec.components.web.ports.http.protocol",
            ),
            (
                "data: { path: /data }",
                "data: { path: /data, kind: synced }",
                "spec.components.web.volumes.data.kind",
            ),
            ("grace: 5s", "grace: 5m", "spec.components.web.stop.grace"),
            (
                "instances: 2",
                "instances: 2\nupdate: { strategy: blueGreen }",
                "spec.update.strategy",
            ),
            ("staticIp: true", "tiers: [nimbus]", "spec.placement.tiers"),
            (
                "instances: 2",
                "instances: 2\nnotifications: [{ email: a@example.org }]",
                "spec.notifications[0]",
            ),
        ] {
            assert_eq!(SPEC.matches(from).count(), 1, "{from}");
            let violations = workload(&SPEC.replace(from, to)).unwrap_err();
            let fields: Vec<&str> = violations.iter().map(|one| one.field.as_str()).collect();
            assert_eq!(fields, [field]);
            assert!(
                violations
                    .iter()
                    .all(|one| !one.rule.is_empty() && !one.remedy.is_empty())
            );
        }
    }

    #[test]
    fn only_the_number_of_copies_leaves_them_as_they_are() {
        let before = workload(SPEC).unwrap();
        let differs = |from: &str, to: &str| {
            before.differs_in_copies(&workload(&SPEC.replace(from, to)).unwrap())
        };
        assert!(!differs("instances: 2", "instances: 5"));
        assert!(!differs("instances: 2", "instances: 2\ndescription: other"));
        assert!(differs("MODE: prod", "MODE: test"));
        assert!(differs("forbid: [EU_DE]", "forbid: [EU_FR]"));
        assert!(differs("shop/token", "shop/other"));
    }
}
