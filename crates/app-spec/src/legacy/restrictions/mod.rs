//! `verifyRestrictionCorrectnessOfApp` of `appValidator.js`: names, lengths, counts, ports and terms.

mod components;
mod entries;

use self::{
    components::check_components,
    entries::{
        Owner, check_container_data, check_each, check_entries, check_port, check_repotag,
        is_alphanumeric, is_beyond_container_ports, max_name,
    },
};
use super::{
    error::{LegacyError, Stage},
    heights::HeightRules,
    spec::{Body, LegacySpec, LegacyVersion, Ports, Single},
};
use crate::json::{JsString, number_from_text, number_text};

const MAX_DESCRIPTION: usize = 256;
const MAX_PORTS: usize = 5;
const MAX_DOMAIN: usize = 253;
const MIN_CONTAINER_DATA: usize = 2;
const MIN_INSTANCES: f64 = 3.0;
const MAX_INSTANCES: f64 = 100.0;
const MAX_CONTACTS: usize = 5;
const MAX_CONTACT: usize = 75;
const MAX_GEOLOCATIONS: usize = 10;
const MAX_GEOLOCATION: usize = 50;
const MAX_NODES: usize = 120;
/// A transaction id, a colon and an output index.
const MAX_NODE: usize = 70;

/// Checks `spec`, whose version this stage is the first to look up.
pub(super) fn check(spec: &LegacySpec, rules: &HeightRules) -> Result<LegacyVersion, LegacyError> {
    stage(spec, rules).map_err(|text| LegacyError::new(Stage::Restrictions, text))
}

fn stage(spec: &LegacySpec, rules: &HeightRules) -> Result<LegacyVersion, String> {
    let version = spec
        .known_version()
        .ok_or("Flux App message version specification is invalid")?;
    check_app_name(&spec.name, version)?;
    if spec.description.longer_than(MAX_DESCRIPTION) {
        return Err("Description is too long. Maximum of 256 characters is allowed".to_owned());
    }
    match &spec.body {
        Body::Single(single) => check_single(spec, single, rules)?,
        Body::Compose(components) => check_components(spec, components, version, rules)?,
    }
    check_instances(spec, version, rules)?;
    check_people_and_places(spec)?;
    check_term(spec, rules)?;
    check_nodes(spec)?;
    Ok(version)
}

fn check_app_name(name: &JsString, version: LegacyVersion) -> Result<(), String> {
    let is_v8 = version >= LegacyVersion::V8;
    let limit = max_name(version);
    if name.longer_than(limit) {
        return Err(format!(
            "Flux App name is too long. Maximum {limit} characters allowed"
        ));
    }
    if name.is_empty() {
        return Err("Please provide a valid Flux App name".to_owned());
    }
    if is_v8 && !is_hyphenated(name) {
        return Err("Flux App name contains special characters. Only a-z, A-Z, 0-9 and hyphens are allowed (hyphens cannot be first or last character)".to_owned());
    }
    if !is_v8 && !is_alphanumeric(name) {
        return Err(
            "Flux App name contains special characters. Only a-z, A-Z and 0-9 are allowed"
                .to_owned(),
        );
    }
    if name.starts_with("zel") {
        return Err("Flux App name can not start with zel".to_owned());
    }
    if name
        .as_str()
        .is_some_and(|name| name.eq_ignore_ascii_case("watchtower"))
    {
        return Err("Flux App name is conflicting with another application".to_owned());
    }
    if name.starts_with("flux") {
        return Err("Flux App name can not start with flux".to_owned());
    }
    Ok(())
}

/// `^[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$`.
fn is_hyphenated(name: &JsString) -> bool {
    name.as_str().is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-')
    })
}

fn check_single(spec: &LegacySpec, single: &Single, rules: &HeightRules) -> Result<(), String> {
    let container_port_error =
        |port: &str| format!("Container Port {port} is not within system limits 0-65535");
    match &single.ports {
        Ports::One {
            port,
            container_port,
        } => {
            check_port(*port, || number_text(*port), rules)?;
            if is_beyond_container_ports(*container_port) {
                return Err(container_port_error(&number_text(*container_port)));
            }
        }
        Ports::Many {
            ports,
            domains,
            container_ports,
        } => {
            for port in ports {
                check_port(number_from_text(port), || port.to_string(), rules)?;
            }
            for port in container_ports {
                if is_beyond_container_ports(number_from_text(port)) {
                    return Err(container_port_error(&port.to_text()));
                }
            }
            if container_ports.len() != ports.len() {
                return Err("Ports specifications do not match".to_owned());
            }
            if domains.len() != ports.len() {
                return Err("Domains specifications do not match available ports".to_owned());
            }
            if ports.len() > MAX_PORTS {
                return Err("Too many ports defined. Maximum of 5 allowed.".to_owned());
            }
            check_each(
                domains,
                MAX_DOMAIN,
                "domain",
                "253",
                &Owner::App(&spec.name),
            )?;
        }
    }
    if !single.container_data.longer_than(MIN_CONTAINER_DATA - 1) {
        return Err(
            "Flux App container data folder not specified. If no data folder is whished, use /tmp"
                .to_owned(),
        );
    }
    check_container_data(&single.container_data)?;
    check_repotag(&single.repotag)?;
    let owner = Owner::App(&spec.name);
    check_entries(&single.environment, &single.commands, &owner)
}

fn check_instances(
    spec: &LegacySpec,
    version: LegacyVersion,
    rules: &HeightRules,
) -> Result<(), String> {
    let Some(instances) = spec.instances else {
        return Ok(());
    };
    let minimum = match version {
        LegacyVersion::V8 => f64::from(rules.min_instances_v8),
        LegacyVersion::V1
        | LegacyVersion::V2
        | LegacyVersion::V3
        | LegacyVersion::V4
        | LegacyVersion::V5
        | LegacyVersion::V6
        | LegacyVersion::V7 => MIN_INSTANCES,
    };
    if instances < minimum {
        return Err(format!("Minimum number of instances is {minimum}"));
    }
    if instances > MAX_INSTANCES {
        return Err("Maximum number of instances is 100".to_owned());
    }
    Ok(())
}

fn check_people_and_places(spec: &LegacySpec) -> Result<(), String> {
    let contacts = spec.contacts.as_deref().unwrap_or_default();
    if contacts.len() > MAX_CONTACTS {
        return Err("Too many contacts defined. Maximum of 5 allowed.".to_owned());
    }
    if let Some(contact) = contacts.iter().find(|text| text.longer_than(MAX_CONTACT)) {
        return Err(format!(
            "Contact {contact} is too long. Maximum of 75 characters is allowed."
        ));
    }
    let places = spec.geolocation.as_deref().unwrap_or_default();
    if places.len() > MAX_GEOLOCATIONS {
        return Err("Invalid geolocation submited.".to_owned());
    }
    if let Some(place) = places.iter().find(|text| text.longer_than(MAX_GEOLOCATION)) {
        return Err(format!("Geolocation {place} is not valid."));
    }
    Ok(())
}

fn check_term(spec: &LegacySpec, rules: &HeightRules) -> Result<(), String> {
    let Some(expire) = spec.expire else {
        return Ok(());
    };
    let minimum = rules.min_term;
    if expire < f64::from(minimum.blocks) {
        return Err(format!(
            "Minimum expiration of application is {} blocks{}",
            minimum.blocks, minimum.note
        ));
    }
    if expire > f64::from(rules.max_term) {
        return Err(format!(
            "Maximum expiration of application is {} blocks ~ 1 year",
            rules.max_term
        ));
    }
    if let Some(step) = rules.term_step
        && expire % f64::from(step) != 0.0
    {
        return Err(format!(
            "Expiration of application has to be a multiple of {step} blocks ~ 1 day"
        ));
    }
    Ok(())
}

fn check_nodes(spec: &LegacySpec) -> Result<(), String> {
    if spec.nodes().len() > MAX_NODES {
        return Err("Maximum number of selecteed nodes is 120".to_owned());
    }
    if spec.nodes().iter().any(|node| node.longer_than(MAX_NODE)) {
        return Err("Invalid node length".to_owned());
    }
    Ok(())
}
