//! `verifyTypeCorrectnessOfApp` of `appValidator.js`.
//!
//! Most of it can't fail after the formatter; what can is here, in FluxOS' order: numbers that are NaN or
//! have too many decimals, and component fields that the formatter leaves absent.

use super::{
    error::{LegacyError, Stage},
    format::is_integer,
    spec::{Body, Component, Enterprise, Hardware, LegacySpec, Ports, Single, Tiers},
    verdict::Context,
};
use crate::json::{JsString, Value, number_from_text, number_text};

/// Decimals a number may have: those of a sat.
const DECIMALS: usize = 8;

const BAD_HARDWARE: &str = "Invalid HW specifications decimal limits";
const BAD_TIERS: &str = "Invalid tiered HW specifications";
const BAD_INSTANCES: &str = "Invalid instances specified";
const MISSING_SINGLE: &str = "Missing Flux App specification parameter repotag and/or enviromentParameters and/or commands and/or containerData and/or cpu and/or ram and/or hdd";

pub(super) fn check(spec: &LegacySpec, context: &Context) -> Result<(), LegacyError> {
    stage(spec, context).map_err(|text| LegacyError::new(Stage::Types, text))
}

fn stage(spec: &LegacySpec, context: &Context) -> Result<(), String> {
    if !truthy(spec.version) {
        return Err("Missing Flux App specification parameter version".to_owned());
    }
    if !within_decimals(spec.version, DECIMALS) {
        return Err("Invalid Flux App version decimals".to_owned());
    }
    match &spec.body {
        Body::Single(single) => check_single(single)?,
        Body::Compose(components) => {
            // Below, `version <= 7` is false for every other number, as in JavaScript.
            let has_enterprise = spec.version > 7.0;
            if has_enterprise {
                check_enterprise(spec)?;
            }
            for component in components {
                check_component(component, spec.version)?;
            }
        }
    }
    check_later_fields(spec, context)
}

fn check_single(single: &Single) -> Result<(), String> {
    if let Ports::One {
        port,
        container_port,
    } = single.ports
        && !(truthy(port) && truthy(container_port))
    {
        return Err(
            "Missing Flux App specification parameter port and/or containerPort".to_owned(),
        );
    }
    let Hardware { cpu, ram, hdd } = single.hardware;
    let is_complete = !single.repotag.is_empty()
        && !single.container_data.is_empty()
        && [cpu, ram, hdd].into_iter().all(truthy);
    if !is_complete {
        return Err(MISSING_SINGLE.to_owned());
    }
    match &single.ports {
        Ports::One {
            port,
            container_port,
        } => {
            if ![*port, *container_port].into_iter().all(is_whole) {
                return Err("Ports for Flux App are invalid decimals".to_owned());
            }
        }
        Ports::Many {
            ports,
            container_ports,
            ..
        } => {
            if !ports.iter().all(is_whole_text) {
                return Err("Ports for Flux App are invalid decimals".to_owned());
            }
            if !container_ports.iter().all(is_whole_text) {
                return Err("Container Ports for Flux App are invalid decimals".to_owned());
            }
        }
    }
    check_hardware(single.hardware, single.tiers.as_ref())
}

fn check_enterprise(spec: &LegacySpec) -> Result<(), String> {
    match &spec.enterprise {
        Enterprise::Absent | Enterprise::Falsy(Value::Null) => {
            Err("Missing enterprise property".to_owned())
        }
        Enterprise::Falsy(_) if !spec.nodes().is_empty() => {
            Err("Nodes can only be used in enterprise apps".to_owned())
        }
        Enterprise::Falsy(_) | Enterprise::Sealed(_) => Ok(()),
    }
}

#[expect(clippy::float_cmp, reason = "JavaScript compares versions with ===")]
fn check_component(component: &Component, version: f64) -> Result<(), String> {
    let name = component
        .name
        .as_ref()
        .ok_or_else(|| "Invalid Flux App component name".to_owned())?;
    if component.description.is_none() {
        return Err(format!("Invalid Flux App component {name} description"));
    }
    if !component.ports.iter().copied().all(is_whole) {
        return Err(format!(
            "Ports for Flux App component {name} are invalid decimals"
        ));
    }
    for port in &component.container_ports {
        let Value::Number(port) = port else {
            return Err(format!(
                "Container Ports for Flux App component {name} are invalid"
            ));
        };
        if !is_whole(*port) {
            return Err(format!(
                "Container Ports for Flux App component {name} are invalid decimals"
            ));
        }
    }
    check_hardware(component.hardware, component.tiers.as_ref())?;
    if version == 7.0 && component.secrets.is_none() {
        return Err(format!("Secrets for Flux App component {name} are invalid"));
    }
    if version >= 7.0 && component.repoauth.is_none() {
        return Err(format!(
            "Repository Authentication for Flux App component {name} are invalid"
        ));
    }
    Ok(())
}

fn check_hardware(hardware: Hardware, tiers: Option<&Tiers>) -> Result<(), String> {
    let fits = |hardware: &Hardware| {
        let Hardware { cpu, ram, hdd } = *hardware;
        [cpu, ram, hdd]
            .into_iter()
            .all(|number| within_decimals(number, DECIMALS))
    };
    if !fits(&hardware) {
        return Err(BAD_HARDWARE.to_owned());
    }
    let tiers = tiers.map(|tiers| [tiers.cumulus, tiers.nimbus, tiers.stratus]);
    if tiers.is_some_and(|tiers| !tiers.iter().all(fits)) {
        return Err(BAD_TIERS.to_owned());
    }
    Ok(())
}

fn check_later_fields(spec: &LegacySpec, context: &Context) -> Result<(), String> {
    let whole = |number: f64| is_integer(number) && is_whole(number);
    if spec.instances.is_some_and(|instances| !whole(instances)) {
        return Err(BAD_INSTANCES.to_owned());
    }
    if let Some(expire) = spec.expire {
        if !truthy(expire) {
            return Err("Missing Flux App specification parameter expire".to_owned());
        }
        if !whole(expire) {
            return Err("Invalid expire specified".to_owned());
        }
    }
    if spec.datacenter == Some(true) && !context.is_enterprise_owner(&spec.owner) {
        return Err(
            "Datacenter requirement is only available for enterprise app owners.".to_owned(),
        );
    }
    Ok(())
}

fn truthy(number: f64) -> bool {
    number != 0.0 && !number.is_nan()
}

/// `isDecimalLimit(number, 0)`.
fn is_whole(number: f64) -> bool {
    within_decimals(number, 0)
}

/// `isDecimalLimit(text, 0)` of a text.
fn is_whole_text(text: &JsString) -> bool {
    !number_from_text(text).is_nan() && text.as_str().is_some_and(|text| decimals(text) == 0)
}

/// `isDecimalLimit`: how many characters follow the point in the number's own text. `1.5e-7` counts the
/// exponent in; an infinite number is written as `null` and so has none.
fn within_decimals(number: f64, limit: usize) -> bool {
    /// Below this a whole number is printed without exponent.
    const PLAIN_BELOW: f64 = 1e21;
    if number.is_nan() {
        return false;
    }
    if number.is_infinite() || (number.fract() == 0.0 && number.abs() < PLAIN_BELOW) {
        return true;
    }
    decimals(&number_text(number)) <= limit
}

/// The length of `text.split('.')[1]`, in a text of ASCII.
fn decimals(text: &str) -> usize {
    text.split('.').nth(1).map_or(0, str::len)
}
