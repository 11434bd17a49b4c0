//! From a specification of FluxOS.

use std::collections::BTreeMap;

use fluxplane_app_spec::{
    geolocation::Rules,
    legacy::{AppView, ComponentView},
    volumes::{Mount as Volume, Source, Volumes},
};
use fluxplane_core::error::Violation;
use fluxplane_placement::{Geo, Pin};

use super::{Component, Mount, Port, Protocol, Workload, needed, pin, violation};
use crate::domain::geo;

/// FluxOS' name for the folder behind a component's primary mount (`mountParser.js`).
const PRIMARY_FOLDER: &str = "appdata";

impl Workload {
    /// Reads the workload of a judged specification. Violations name fields below `spec.`.
    pub fn of(view: &AppView<'_>) -> Result<Self, Vec<Violation>> {
        let unsupported = unsupported(view);
        if !unsupported.is_empty() {
            return Err(unsupported);
        }
        let components = view
            .components
            .iter()
            .enumerate()
            .map(|(place, component)| component_of(view, place, component))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|violation| vec![violation])?;
        let ports = components
            .iter()
            .flat_map(|component| component.ports.iter().map(|port| port.host))
            .collect();
        Ok(Self {
            instances: view.instances,
            resources: needed(&components).ok_or_else(|| {
                let rule = "the components together need more than any machine has";
                vec![violation(
                    "compose",
                    view.components.len(),
                    rule,
                    "ask for less",
                )]
            })?,
            ports,
            geo: rules_of(view).map_err(|violation| vec![violation])?,
            static_ip: view.static_ip,
            pinned: pins_of(view).map_err(|violation| vec![violation])?,
            components,
        })
    }
}

/// What a specification asks for that the plane cannot give.
fn unsupported(view: &AppView<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    violations.extend(view.enterprise.map(sealed));
    if view.data_center {
        violations.push(violation(
            "datacenter",
            true,
            "the plane does not know which nodes stand in a data centre",
            "leave it out, or choose nodes by geolocation",
        ));
    }
    for (place, component) in view.components.iter().enumerate() {
        let sealed = [
            ("repoauth", component.repoauth),
            ("secrets", component.secrets),
        ];
        for (field, text) in sealed {
            if let Some(text) = text {
                violations.push(violation(
                    &format!("compose[{place}].{field}"),
                    format!("{} characters", text.len()),
                    "it is encrypted for FluxOS nodes, and the plane's nodes cannot read it",
                    "use a public image and plain environment variables, and leave the field empty",
                ));
            }
        }
    }
    violations
}

/// What is wrong with an encrypted part.
pub(in crate::domain) fn sealed(blob: &str) -> Violation {
    violation(
        "enterprise",
        format!("{} characters", blob.len()),
        "the encrypted part is for keys of FluxOS nodes, which the plane does not have; it cannot know what to run",
        "submit the components in the clear, with \"enterprise\": \"\"",
    )
}

fn component_of(
    view: &AppView<'_>,
    place: usize,
    component: &ComponentView<'_>,
) -> Result<Component, Violation> {
    let volumes = Volumes::parse(component.container_data).map_err(|err| {
        violation(
            &format!("compose[{place}].containerData"),
            component.container_data,
            err.to_string(),
            "correct it",
        )
    })?;
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Ok(Component {
        name: component.name.to_owned(),
        image: component.image.to_owned(),
        ports: component
            .ports
            .iter()
            .map(|port| Port {
                host: port.host,
                container: port.container,
                protocol: Protocol::Both,
            })
            .collect(),
        environment: owned(&component.environment),
        environment_sealed: false,
        command: owned(&component.commands),
        resources: component.resources,
        tiers: component.tiers,
        mounts: volumes
            .mounts
            .iter()
            .map(|mount| mount_of(view, place, mount))
            .collect::<Result<_, _>>()?,
        secrets: BTreeMap::new(),
        registry_credentials: None,
        entrypoint: Vec::new(),
        restart: None,
        stop: None,
        probes: None,
    })
}

fn mount_of(view: &AppView<'_>, place: usize, mount: &Volume) -> Result<Mount, Violation> {
    let (source, file, owner) = match &mount.source {
        Source::Primary => (PRIMARY_FOLDER, false, None),
        Source::Directory(name) => (name.as_str(), false, None),
        Source::File(name) => (name.as_str(), true, None),
        Source::ComponentPrimary(number) => (PRIMARY_FOLDER, false, Some(*number)),
        Source::ComponentDirectory(number, name) => (name.as_str(), false, Some(*number)),
        Source::ComponentFile(number, name) => (name.as_str(), true, Some(*number)),
    };
    let component = match owner {
        None => "",
        Some(number) => view
            .components
            .get(number)
            .filter(|_| number < place)
            .map(|component| component.name)
            .ok_or_else(|| {
                let field = format!("compose[{place}].containerData");
                let rule = "a component uses volumes of itself and of earlier components";
                violation(&field, number, rule, "count components from 0")
            })?,
    };
    Ok(Mount {
        path: mount.path.clone(),
        source: source.to_owned(),
        file,
        component: component.to_owned(),
        read_only: false,
    })
}

fn rules_of(view: &AppView<'_>) -> Result<Geo, Violation> {
    let rules = Rules::parse(view.geolocation.iter().copied());
    let rules = rules.map_err(|(place, err)| {
        let text = view.geolocation.get(place).copied().unwrap_or_default();
        violation(
            &format!("geolocation[{place}]"),
            text,
            err.to_string(),
            "correct it",
        )
    })?;
    Ok(geo::of_rules(&rules))
}

fn pins_of(view: &AppView<'_>) -> Result<Vec<Pin>, Violation> {
    view.nodes
        .iter()
        .enumerate()
        .map(|(place, text)| {
            pin(text).ok_or_else(|| {
                let rule = "a node is an IP address, ip:port, or txid:index of its collateral";
                violation(
                    &format!("nodes[{place}]"),
                    text,
                    rule,
                    "copy it from the list of nodes",
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use fluxplane_app_spec::{
        json::{Limits, parse},
        legacy::LegacySpec,
    };

    use fluxplane_core::{Resources, Tier};

    use super::*;

    fn workload(spec: &str) -> Result<Workload, Vec<Violation>> {
        let value = parse(spec.as_bytes(), Limits::default()).unwrap().value;
        let spec = LegacySpec::from_value(value).unwrap();
        Workload::of(&spec.view().unwrap())
    }

    const SPEC: &str = r#"{"version":8,"name":"shop","description":"x","owner":"1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC","compose":[
        {"name":"web","description":"x","repotag":"nginx:1.27","ports":[31000,31001],"domains":["",""],"environmentParameters":["A=1"],"commands":["-v"],"containerPorts":[80,443],"containerData":"/data|m:logs:/logs|f:app.yaml:/etc/app.yaml","cpu":0.5,"ram":500,"hdd":5,"repoauth":""},
        {"name":"db","description":"x","repotag":"ghcr.io/org/db:2","ports":[],"domains":[],"environmentParameters":[],"commands":[],"containerPorts":[],"containerData":"r:/var/lib/db|0:/web","cpu":1,"ram":1000,"hdd":10,"repoauth":""}
        ],"instances":3,"contacts":[],"geolocation":["acEU","a!cEU_RU"],"expire":88000,"nodes":[],"staticip":true,"enterprise":""}"#;

    #[test]
    fn a_specification_becomes_a_workload() {
        let workload = workload(SPEC).unwrap();
        let sum = Resources {
            cpu_milli: 1_500,
            ram_mib: 1_500,
            disk_gib: 15,
        };
        assert_eq!((workload.instances, workload.resources), (3, sum));
        assert_eq!(workload.ports, [31_000, 31_001]);
        assert!(workload.static_ip && workload.pinned.is_empty());
        let [web, db] = workload.components.as_slice() else {
            panic!("{workload:?}")
        };
        let port = |host, container| Port {
            host,
            container,
            protocol: Protocol::Both,
        };
        assert_eq!(web.ports, [port(31_000, 80), port(31_001, 443)]);
        let mount = |path: &str, source: &str, file, component: &str| Mount {
            path: path.to_owned(),
            source: source.to_owned(),
            file,
            component: component.to_owned(),
            read_only: false,
        };
        assert_eq!(
            web.mounts,
            [
                mount("/data", "appdata", false, ""),
                mount("/logs", "logs", false, ""),
                mount("/etc/app.yaml", "app.yaml", true, ""),
            ]
        );
        assert_eq!(
            db.mounts,
            [
                mount("/var/lib/db", "appdata", false, ""),
                mount("/web", "appdata", false, "web"),
            ]
        );
    }

    #[test]
    fn the_largest_tier_decides_where_tiers_differ() {
        let tiered = r#"{"version":3,"name":"old","description":"x","owner":"1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC","repotag":"nginx:1.27","ports":["31000"],"domains":[""],"enviromentParameters":[],"commands":[],"containerPorts":["80"],"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"tiered":true,"cpubasic":0.5,"cpusuper":1,"cpubamf":2,"rambasic":600,"ramsuper":500,"rambamf":500,"hddbasic":5,"hddsuper":5,"hddbamf":9,"instances":3}"#;
        let workload = workload(tiered).unwrap();
        let most = Resources {
            cpu_milli: 2_000,
            ram_mib: 600,
            disk_gib: 9,
        };
        assert_eq!(workload.resources, most);
        let [container] = workload.components.as_slice() else {
            panic!("{workload:?}")
        };
        assert_eq!(container.name, "old");
        assert_eq!(container.resources_on(Tier::Nimbus).cpu_milli, 1_000);
    }

    #[test]
    fn what_the_plane_cannot_do_is_refused_by_name() {
        let sealed = SPEC.replace("\"enterprise\":\"\"", "\"enterprise\":\"AAAA\"");
        let fields = |spec: &str| {
            let violations = workload(spec).unwrap_err();
            violations
                .into_iter()
                .map(|violation| violation.field)
                .collect::<Vec<_>>()
        };
        assert_eq!(fields(&sealed), ["spec.enterprise"]);
        let private = SPEC.replacen("\"repoauth\":\"\"", "\"repoauth\":\"pgp\"", 1);
        assert_eq!(fields(&private), ["spec.compose[0].repoauth"]);
    }
}
