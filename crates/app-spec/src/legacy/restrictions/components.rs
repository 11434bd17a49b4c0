//! Components of v4 and later.

use super::{
    MAX_DESCRIPTION, MAX_DOMAIN, MAX_PORTS, MIN_CONTAINER_DATA,
    entries::{
        Owner, check_container_data, check_each, check_entries, check_port, check_repotag,
        is_alphanumeric, is_beyond_container_ports, max_name,
    },
};
use crate::{
    json::{JsString, Value, number_text},
    legacy::{
        heights::HeightRules,
        spec::{Component, LegacySpec, LegacyVersion},
    },
};

const MAX_SECRET: usize = 15_000;

pub(super) fn check_components(
    spec: &LegacySpec,
    components: &[Component],
    version: LegacyVersion,
    rules: &HeightRules,
) -> Result<(), String> {
    if components.is_empty() {
        return Err("Flux App does not contain any composition".to_owned());
    }
    if components.len() > rules.max_components {
        return Err("Flux App has too many components".to_owned());
    }
    for (place, component) in components.iter().enumerate() {
        // The type stage has refused components without these two.
        let name = component.name.as_ref().ok_or_else(missing_length)?;
        let description = component.description.as_ref().ok_or_else(missing_length)?;
        check_component_name(name, version)?;
        if components[..place]
            .iter()
            .any(|earlier| earlier.name.as_ref() == Some(name))
        {
            return Err(format!(
                "Flux App component {name} already assigned. Use different name."
            ));
        }
        if description.longer_than(MAX_DESCRIPTION) {
            return Err(
                "Description is too long. Maximum of 256 characters is allowed.".to_owned(),
            );
        }
        check_component(name, component, rules)?;
        check_private_parts(spec, component, version)?;
    }
    Ok(())
}

fn check_component_name(name: &JsString, version: LegacyVersion) -> Result<(), String> {
    let limit = max_name(version);
    if name.is_empty() {
        return Err("Please provide a valid Flux App Component name".to_owned());
    }
    if name.longer_than(limit) {
        return Err(format!(
            "Flux App component name is too long. Maximum {limit} characters allowed"
        ));
    }
    if name.starts_with("zel") {
        return Err("Flux App Component name can not start with zel".to_owned());
    }
    if name.starts_with("flux") {
        return Err("Flux App Component name can not start with flux".to_owned());
    }
    if !is_alphanumeric(name) {
        return Err("Flux App component name contains special characters. Only a-z, A-Z and 0-9 are allowed".to_owned());
    }
    Ok(())
}

fn check_component(
    name: &JsString,
    component: &Component,
    rules: &HeightRules,
) -> Result<(), String> {
    for port in &component.ports {
        check_port(*port, || number_text(*port), rules)?;
    }
    check_repotag(component.repotag.as_ref().ok_or_else(missing_length)?)?;
    let container_data = component
        .container_data
        .as_ref()
        .ok_or_else(missing_length)?;
    check_container_data(container_data)?;
    let owner = Owner::Component(name);
    check_entries(&component.environment, &component.commands, &owner)?;
    check_each(&component.domains, MAX_DOMAIN, "domain", "253", &owner)?;
    for port in component
        .container_ports
        .iter()
        .filter_map(Value::as_number)
    {
        if is_beyond_container_ports(port) {
            let port = number_text(port);
            return Err(format!(
                "Container Port {port} in in {name} is not within system limits 0-65535"
            ));
        }
    }
    if component.container_ports.len() != component.ports.len() {
        return Err(format!("Ports specifications in {name} do not match"));
    }
    if component.domains.len() != component.ports.len() {
        return Err(format!(
            "Domains specifications in {name} do not match available ports"
        ));
    }
    if component.ports.len() > MAX_PORTS {
        return Err(format!(
            "Too many ports defined in {name}. Maximum of 5 allowed."
        ));
    }
    if !container_data.longer_than(MIN_CONTAINER_DATA - 1) {
        return Err(format!(
            "Flux App container data folder not specified in in {name}. If no data folder is whished, use /tmp"
        ));
    }
    Ok(())
}

/// Secrets and registry credentials: v7 needs pinned nodes, v8 needs an encrypted part.
fn check_private_parts(
    spec: &LegacySpec,
    component: &Component,
    version: LegacyVersion,
) -> Result<(), String> {
    const NO_SECRETS: &str = "Secrets can not be defined for non Enterprise Applications";
    const LONG_SECRETS: &str = "Maximum length of secrets is 15000. Consider uploading to Flux Storage for bigger payload.";
    const NO_REPOAUTH: &str = "Private repositories are only allowed for Enterprise Applications";
    const LONG_REPOAUTH: &str = "Maximum length of repoauth is 15000.";
    let is_private = match version {
        LegacyVersion::V7 => !spec.nodes().is_empty(),
        LegacyVersion::V8 => spec.is_sealed(),
        LegacyVersion::V1
        | LegacyVersion::V2
        | LegacyVersion::V3
        | LegacyVersion::V4
        | LegacyVersion::V5
        | LegacyVersion::V6 => return Ok(()),
    };
    let limit = if is_private { MAX_SECRET } else { 0 };
    let too_long =
        |text: &Option<JsString>| text.as_ref().is_some_and(|text| text.longer_than(limit));
    if too_long(&component.secrets) {
        return Err(if is_private { LONG_SECRETS } else { NO_SECRETS }.to_owned());
    }
    if too_long(&component.repoauth) {
        return Err(if is_private {
            LONG_REPOAUTH
        } else {
            NO_REPOAUTH
        }
        .to_owned());
    }
    Ok(())
}

/// What JavaScript throws when a component lacks a text: FluxOS asks for its length without looking.
fn missing_length() -> String {
    "Cannot read properties of undefined (reading 'length')".to_owned()
}
