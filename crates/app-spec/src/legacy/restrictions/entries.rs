//! Rules for single values, shared by all versions.

use crate::{
    json::JsString,
    legacy::{heights::HeightRules, ports, spec::LegacyVersion},
};

const MAX_NAME: usize = 32;
/// A label of a domain name (RFC 1035).
const MAX_NAME_V8: usize = 63;
const MAX_CONTAINER_DATA: usize = 200;
const MAX_REPOTAG: usize = 200;
const MAX_ENTRIES: usize = 20;
const MAX_ENTRY: usize = 400;
const MAX_CONTAINER_PORT: f64 = 65_535.0;

pub(super) fn max_name(version: LegacyVersion) -> usize {
    if version >= LegacyVersion::V8 {
        MAX_NAME_V8
    } else {
        MAX_NAME
    }
}

/// `^[a-zA-Z0-9]+$`.
pub(super) fn is_alphanumeric(name: &JsString) -> bool {
    name.as_str().is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Who an over-long entry belongs to, as the texts name it.
pub(super) enum Owner<'a> {
    App(&'a JsString),
    Component(&'a JsString),
}

impl std::fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::App(name) => write!(f, "App {name}"),
            Self::Component(name) => write!(f, "App component {name}"),
        }
    }
}

pub(super) fn check_entries(
    environment: &[JsString],
    commands: &[JsString],
    owner: &Owner<'_>,
) -> Result<(), String> {
    if environment.len() > MAX_ENTRIES {
        return Err(format!(
            "{owner} environment invalid. Maximum of 20 environment variables allowed."
        ));
    }
    check_each(environment, MAX_ENTRY, "environment", "400", owner)?;
    if commands.len() > MAX_ENTRIES {
        return Err(format!(
            "{owner} commands invalid. Maximum of 20 commands allowed."
        ));
    }
    check_each(commands, MAX_ENTRY, "command", "400", owner)
}

pub(super) fn check_each(
    texts: &[JsString],
    limit: usize,
    noun: &str,
    limit_text: &str,
    owner: &Owner<'_>,
) -> Result<(), String> {
    match texts.iter().find(|text| text.longer_than(limit)) {
        None => Ok(()),
        Some(text) => Err(format!(
            "{owner} {noun} {text} is too long. Maximum of {limit_text} characters is allowed"
        )),
    }
}

pub(super) fn check_container_data(text: &JsString) -> Result<(), String> {
    if text.longer_than(MAX_CONTAINER_DATA) {
        return Err(
            "Flux App Container Data is too long. Maximum of 200 characters is allowed".to_owned(),
        );
    }
    Ok(())
}

pub(super) fn check_repotag(text: &JsString) -> Result<(), String> {
    if text.longer_than(MAX_REPOTAG) {
        return Err(
            "Flux App Repository is too long. Maximum of 200 characters is allowed.".to_owned(),
        );
    }
    Ok(())
}

/// A published port; `text` is how it was submitted.
pub(super) fn check_port(
    port: f64,
    text: impl Fn() -> String,
    rules: &HeightRules,
) -> Result<(), String> {
    let (low, high) = (*rules.ports.start(), *rules.ports.end());
    if port < f64::from(low) || port > f64::from(high) {
        return Err(format!(
            "Assigned port {} is not within Flux Apps range {low}-{high}",
            text()
        ));
    }
    if ports::banned(port) {
        return Err(format!(
            "Assigned port {} is not allowed for Flux Apps",
            text()
        ));
    }
    Ok(())
}

pub(super) fn is_beyond_container_ports(port: f64) -> bool {
    !(0.0..=MAX_CONTAINER_PORT).contains(&port)
}
