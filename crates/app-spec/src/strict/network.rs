//! Ports, domains and pinned nodes.

use std::net::{IpAddr, SocketAddr};

use super::{Findings, Part};
use crate::{
    json::{Object, Value},
    legacy::LegacyVersion,
};

pub(super) fn check_ports(findings: &mut Findings, part: &Part<'_>) {
    if part.version == LegacyVersion::V1 {
        for field in ["port", "containerPort"] {
            if let Some(value) = part.get(field) {
                check_port(findings, part.path(field), value);
            }
        }
        return;
    }
    for field in ["ports", "containerPorts"] {
        for (path, item) in part.items(field) {
            check_port(findings, path, item);
        }
    }
}

/// A port as a number, or as the decimal text that v2 and v3 use. Other types are reported as such.
fn check_port(findings: &mut Findings, path: String, value: &Value) {
    let rule = "a port is a whole number from 1 to 65535";
    let is_port = match value {
        Value::Number(_) => value
            .as_u64()
            .is_some_and(|port| (1..=u64::from(u16::MAX)).contains(&port)),
        Value::String(_) => value.as_str().is_some_and(|text| {
            // The canonical text only: FluxOS compares v2 ports as texts.
            text.parse::<u16>()
                .is_ok_and(|port| port > 0 && port.to_string() == text)
        }),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => true,
    };
    if !is_port {
        findings.add(
            path,
            value,
            "port",
            rule,
            "write the port that the container listens on, or a free host port",
        );
    }
}

pub(super) fn check_domains(findings: &mut Findings, part: &Part<'_>) {
    for (path, entry) in part.texts("domains") {
        if entry.is_empty() {
            continue;
        }
        for name in entry.split(',') {
            if let Some((rule, remedy)) = domain_error(name) {
                findings.add_text(
                    path.clone(),
                    entry,
                    "domain",
                    &format!("`{name}` {rule}"),
                    remedy,
                );
            }
        }
    }
}

/// What is wrong with a domain name, and what to do.
pub(crate) fn domain_error(name: &str) -> Option<(&'static str, &'static str)> {
    const MAX_NAME: usize = 253;
    const MAX_LABEL: usize = 63;
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.contains(char::is_whitespace) {
        return Some(("contains a blank", "separate names by a comma only"));
    }
    if name.is_empty() {
        return Some(("is empty", "remove the extra comma"));
    }
    if name.contains("//") || name.contains('/') || name.contains(':') {
        return Some((
            "is an address, not a domain name",
            "leave out scheme, port and path",
        ));
    }
    if !name.is_ascii() {
        return Some((
            "is not in ASCII",
            "write international names in their xn-- form",
        ));
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    if name.len() > MAX_NAME || !name.split('.').all(is_label) {
        return Some((
            "is no domain name",
            "use labels of letters, digits and inner hyphens",
        ));
    }
    if !name.contains('.') {
        return Some((
            "has only one label",
            "write the full name, such as app.example.org",
        ));
    }
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(("ends in a number", "write a domain name, not an IP address"));
    }
    None
}

pub(super) fn check_nodes(findings: &mut Findings, spec: &Object) {
    let nodes = spec
        .get("nodes")
        .and_then(Value::as_array)
        .unwrap_or_default();
    for (place, node) in nodes.iter().enumerate() {
        let Some(text) = node.as_str() else { continue };
        if !is_node(text) {
            let rule = "a node is an IP address, ip:port, or txid:index of its collateral";
            let path = format!("nodes[{place}]");
            findings.add_text(
                path,
                text,
                "node",
                rule,
                "copy the address from the list of nodes",
            );
        }
    }
}

pub(crate) fn is_node(text: &str) -> bool {
    /// Hexadecimal digits of a transaction id.
    const TXID_DIGITS: usize = 64;
    let is_outpoint = text.split_once(':').is_some_and(|(txid, index)| {
        txid.len() == TXID_DIGITS
            && txid.bytes().all(|byte| byte.is_ascii_hexdigit())
            && index
                .parse::<u32>()
                .is_ok_and(|number| number.to_string() == index)
    });
    is_outpoint || text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok()
}
