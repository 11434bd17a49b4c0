//! Image, volumes, environment, contacts and the encrypted part.

use std::collections::BTreeSet;

use super::{Findings, Part};
use crate::{
    image::ImageRef,
    json::{Object, Value},
    legacy::LegacyVersion,
    volumes::Volumes,
};

pub(super) fn check_app(findings: &mut Findings, spec: &Object, version: LegacyVersion) {
    let contacts = spec
        .get("contacts")
        .and_then(Value::as_array)
        .unwrap_or_default();
    for (place, contact) in contacts.iter().enumerate() {
        let Some(text) = contact.as_str() else {
            continue;
        };
        let is_contact = text
            .strip_prefix("F_S_CONTACTS=")
            .map_or_else(|| is_mail_address(text), is_web_address);
        if !is_contact {
            let rule = "a contact is an e-mail address or F_S_CONTACTS=<https address>";
            let path = format!("contacts[{place}]");
            findings.add_text(
                path,
                text,
                "contact",
                rule,
                "write an address that you read",
            );
        }
    }
    if version == LegacyVersion::V8 {
        check_enterprise(findings, spec);
    }
}

/// An encrypted part without pinned nodes is never placed.
fn check_enterprise(findings: &mut Findings, spec: &Object) {
    /// An RSA-encrypted key of 2048 bits, a nonce and a tag around at least one byte.
    const MIN_SEALED_BYTES: usize = 256 + 12 + 16 + 1;
    let blob = spec
        .get("enterprise")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if blob.is_empty() {
        return;
    }
    if base64_length(blob).is_none_or(|length| length < MIN_SEALED_BYTES) {
        let rule = "the encrypted part is base64 of key, nonce, text and tag";
        findings.add_text(
            "enterprise",
            blob,
            "enterprise",
            rule,
            "encrypt it with the key of the network, or write \"\"",
        );
    }
    let nodes = spec
        .get("nodes")
        .and_then(Value::as_array)
        .unwrap_or_default();
    if nodes.is_empty() {
        let rule = "an application with an encrypted part is placed on pinned nodes only";
        findings.add(
            "nodes",
            &Value::Array(Vec::new()),
            "enterprise",
            rule,
            "name the nodes",
        );
    }
}

pub(super) fn check_part(findings: &mut Findings, part: &Part<'_>, place: usize) {
    if let Some(text) = part.get("repotag").and_then(Value::as_str)
        && let Err(error) = ImageRef::parse(text)
    {
        findings.add_error(part.path("repotag"), text, "image", &error);
    }
    if let Some(text) = part.get("containerData").and_then(Value::as_str) {
        let volumes = Volumes::parse(text);
        if let Err(error) = volumes.and_then(|volumes| volumes.check_references(place)) {
            findings.add_error(part.path("containerData"), text, "volumes", &error);
        }
    }
    // The name has a typo up to v3.
    check_environment(findings, part, "enviromentParameters");
    check_environment(findings, part, "environmentParameters");
    for (path, text) in part.texts("commands") {
        if text
            .strip_prefix("F_S_CMD=")
            .is_some_and(|url| !is_web_address(url))
        {
            let rule = "F_S_CMD names the address from which the node fetches the commands";
            findings.add_text(path, text, "command", rule, "write F_S_CMD=https://…");
        }
    }
}

fn check_environment(findings: &mut Findings, part: &Part<'_>, field: &str) {
    let mut names = BTreeSet::new();
    for (path, text) in part.texts(field) {
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| is_variable(name)) else {
            let rule = "an entry is NAME=value with a name of letters, digits, `_`, `.` and `-`";
            findings.add_text(path, text, "environment", rule, "write it as NAME=value");
            continue;
        };
        if !names.insert(name) {
            let rule = format!("{name} is set twice; only the last counts");
            findings.add_text(&path, text, "environment", &rule, "remove one of the two");
        }
        if name == "F_S_ENV" && !is_web_address(value) {
            let rule = "F_S_ENV names the address from which the node fetches the environment";
            findings.add_text(&path, text, "environment", rule, "write F_S_ENV=https://…");
        }
    }
}

fn is_variable(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(is_part)
}

pub(crate) fn is_mail_address(text: &str) -> bool {
    let is_blank = |c: char| c.is_whitespace() || c.is_control();
    text.rsplit_once('@').is_some_and(|(user, host)| {
        let labels_fit = host.split('.').all(|label| !label.is_empty());
        !user.is_empty()
            && !user.contains('@')
            && host.contains('.')
            && labels_fit
            && !text.contains(is_blank)
    })
}

fn is_web_address(text: &str) -> bool {
    let host = ["https://", "http://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    host.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !text.contains(char::is_whitespace)
    })
}

/// How many bytes a padded base64 text holds; `None` when it is none.
fn base64_length(text: &str) -> Option<usize> {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let fits = text.len().is_multiple_of(4) && padding <= 2 && body.bytes().all(is_digit);
    fits.then(|| text.len() / 4 * 3 - padding)
}
