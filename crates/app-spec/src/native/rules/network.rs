//! Ports and domains.

use std::collections::BTreeMap;

use crate::{
    json::Value,
    legacy::banned,
    native::{
        findings::{Findings, item, member},
        model::{NativeSpec, Port, Protocol},
    },
};

pub(super) fn check(findings: &mut Findings, spec: &NativeSpec) {
    let ports: Vec<(String, &str, &Port)> = spec
        .components
        .iter()
        .flat_map(|(name, component)| {
            let path = member(&member("components", name), "ports");
            let ports = component.ports.iter();
            ports.map(move |(port, own)| (member(&path, port), name.as_str(), own))
        })
        .collect();
    let mut hosts: BTreeMap<u16, Vec<Protocol>> = BTreeMap::new();
    let mut containers: BTreeMap<(&str, u16), Vec<Protocol>> = BTreeMap::new();
    let mut domains: BTreeMap<String, &str> = BTreeMap::new();
    for (path, component, port) in &ports {
        check_port(findings, path, port);
        if let Some(host) = port.host
            && clashes(hosts.entry(host).or_default(), port.protocol)
        {
            let rule = "another port of the application has this host port";
            let value = Value::from(f64::from(host));
            findings.add(
                &member(path, "host"),
                &value,
                "duplicate",
                rule,
                "choose another one, or leave it out",
            );
        }
        if clashes(
            containers.entry((component, port.container)).or_default(),
            port.protocol,
        ) {
            let rule = "another port of the component publishes this one";
            let value = Value::from(f64::from(port.container));
            findings.add(
                &member(path, "container"),
                &value,
                "duplicate",
                rule,
                "publish it once",
            );
        }
        // Other protocols are told apart by their port and may share a name.
        let names = port.domains.iter().enumerate();
        for (place, domain) in names.filter(|_| port.protocol == Protocol::Http) {
            // Host names do not distinguish case.
            if domains
                .insert(domain.to_ascii_lowercase(), component)
                .is_some()
            {
                let path = item(&member(path, "domains"), place);
                let rule = "this domain leads to another port already";
                findings.add(
                    &path,
                    &Value::from(domain.as_str()),
                    "duplicate",
                    rule,
                    "name it once",
                );
            }
        }
    }
}

/// Notes a protocol and says whether one that is there already has the same number.
fn clashes(taken: &mut Vec<Protocol>, protocol: Protocol) -> bool {
    let clashes = taken.iter().any(|other| other.clashes(protocol));
    taken.push(protocol);
    clashes
}

fn check_port(findings: &mut Findings, path: &str, port: &Port) {
    if let Some(host) = port.host.filter(|host| banned(f64::from(*host))) {
        let rule = "this port belongs to the node, to mail, databases or remote desktops";
        let value = Value::from(f64::from(host));
        findings.add(
            &member(path, "host"),
            &value,
            "banned-port",
            rule,
            "choose another one, or leave it out",
        );
    }
    if port.protocol == Protocol::Udp && !port.domains.is_empty() {
        let rule = "udp has no host names to route by";
        findings.note(&member(path, "domains"), "meaningless", rule, "remove them");
    }
    if port.load_balancing.sticky_sessions && port.protocol != Protocol::Http {
        let rule = "only http has cookies";
        let path = member(&member(path, "loadBalancing"), "stickySessions");
        findings.note(
            &path,
            "meaningless",
            rule,
            "write strategy: sourceAddress instead",
        );
    }
}
