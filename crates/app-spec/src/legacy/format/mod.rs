//! `specificationFormatter` of `ZelBack/src/services/utils/appUtilities.js`: rebuilds what was submitted from the
//! fields that the version knows, coercing as it goes. Unknown fields vanish here.

mod component;
mod fields;

use self::{component::compose, fields::Fields};
use super::{
    coerce::{Thrown, ensure_boolean, ensure_text, truthy},
    error::{LegacyError, Stage},
    spec::{Body, Enterprise, LegacySpec, Ports, Single},
};
use crate::json::{Object, Value};

const MISSING_VERSION: &str = "Missing Flux App specification parameter version";
const MISSING_COMMON: &str =
    "Missing Flux App specification parameter name and/or description and/or owner";
const MISSING_V1: &str = "Missing Flux App specification parameter repotag and/or port and/or enviromentParameters and/or commands and/or containerData and/or cpu and/or ram and/or hdd";
const MISSING_V2: &str = "Missing Flux App specification parameter repotag and/or port and/or domains and/or enviromentParameters and/or commands and/or containerData and/or cpu and/or ram and/or hdd";
const BAD_TIERED: &str = "Invalid tiered value obtained. Only boolean as true or false allowed.";
const MISSING_TIERS: &str = "Flux App was requested as tiered setup but specifications are missing";

/// The fields that must be there (JavaScript: truthy) in v1.
const REQUIRED_V1: [&str; 9] = [
    "repotag",
    "port",
    "enviromentParameters",
    "commands",
    "containerPort",
    "containerData",
    "cpu",
    "ram",
    "hdd",
];

/// The fields that must be there in v2 and v3.
const REQUIRED_V2: [&str; 10] = [
    "repotag",
    "ports",
    "domains",
    "enviromentParameters",
    "commands",
    "containerPorts",
    "containerData",
    "cpu",
    "ram",
    "hdd",
];

impl LegacySpec {
    /// Coerces a submitted specification.
    ///
    /// # Errors
    /// With FluxOS' text, including those of the exceptions that JavaScript itself throws on odd input.
    pub fn from_value(submitted: Value) -> Result<Self, LegacyError> {
        format(submitted).map_err(|text| LegacyError::new(Stage::Format, text))
    }
}

#[expect(clippy::float_cmp, reason = "JavaScript compares versions with ===")]
fn format(submitted: Value) -> Result<LegacySpec, Thrown> {
    let mut fields = match submitted {
        Value::Object(object) => Fields(object),
        Value::Null => {
            return Err(
                "Cannot destructure property 'version' of 'appSpecification' as it is null."
                    .to_owned(),
            );
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Fields(Object::default())
        }
    };
    if !truthy(fields.get("version")) {
        return Err(MISSING_VERSION.to_owned());
    }
    let version = fields.number("version")?;
    if !fields.all_truthy(&["name", "description", "owner"]) {
        return Err(MISSING_COMMON.to_owned());
    }
    let mut common = |key| fields.text(key).unwrap_or_else(|| "".into());
    let (name, description, owner) = (common("name"), common("description"), common("owner"));
    let body = if version == 1.0 {
        Body::Single(Box::new(version_1(&mut fields)?))
    } else if version <= 3.0 {
        Body::Single(Box::new(versions_2_and_3(&mut fields)?))
    } else {
        Body::Compose(compose(&mut fields, version)?)
    };
    let mut spec = LegacySpec {
        version,
        name,
        description,
        owner,
        body,
        instances: None,
        contacts: None,
        geolocation: None,
        expire: None,
        nodes: None,
        staticip: None,
        datacenter: None,
        enterprise: Enterprise::Absent,
    };
    later_fields(&mut spec, &mut fields)?;
    Ok(spec)
}

fn version_1(fields: &mut Fields) -> Result<Single, Thrown> {
    if !fields.all_truthy(&REQUIRED_V1) {
        return Err(MISSING_V1.to_owned());
    }
    let ports = Ports::One {
        port: fields.number("port")?,
        container_port: fields.number("containerPort")?,
    };
    single(fields, |_| Ok(ports))
}

fn versions_2_and_3(fields: &mut Fields) -> Result<Single, Thrown> {
    if !fields.all_truthy(&REQUIRED_V2) {
        return Err(MISSING_V2.to_owned());
    }
    let ports = fields.texts("ports", || "Ports for Flux App are invalid".to_owned())?;
    let domains = fields.texts("domains", || "Domains for Flux App are invalid".to_owned())?;
    single(fields, |fields| {
        let container_ports = fields.texts("containerPorts", || {
            "Container Ports for Flux App are invalid".to_owned()
        })?;
        Ok(Ports::Many {
            ports,
            domains,
            container_ports,
        })
    })
}

/// What v1..v3 share; `ports` is read after the commands, where v2 and v3 read the container ports.
fn single(
    fields: &mut Fields,
    ports: impl FnOnce(&mut Fields) -> Result<Ports, Thrown>,
) -> Result<Single, Thrown> {
    let repotag = fields.text("repotag").unwrap_or_else(|| "".into());
    let environment = fields.texts("enviromentParameters", || {
        "Environmental parameters for Flux App are invalid".to_owned()
    })?;
    let commands = fields.texts("commands", || "Flux App commands are invalid".to_owned())?;
    let ports = ports(fields)?;
    let container_data = fields.text("containerData").unwrap_or_else(|| "".into());
    let hardware = fields.hardware()?;
    let tiered = ensure_boolean(fields.get("tiered")).ok_or_else(|| BAD_TIERED.to_owned())?;
    let tiers = if tiered {
        Some(fields.tiers(|| MISSING_TIERS.to_owned())?)
    } else {
        None
    };
    Ok(Single {
        repotag,
        ports,
        environment,
        commands,
        container_data,
        hardware,
        tiered,
        tiers,
    })
}

/// The fields that came with v3 and later, in the order in which FluxOS reads them.
fn later_fields(spec: &mut LegacySpec, fields: &mut Fields) -> Result<(), Thrown> {
    let version = spec.version;
    if version >= 3.0 {
        spec.instances = Some(instances(fields, version)?);
    }
    if version >= 5.0 {
        if !fields.all_truthy(&["contacts", "geolocation"]) {
            return Err(
                "Missing Flux App specification parameter contacts and/or geolocation".to_owned(),
            );
        }
        let mut texts = |key, refusal: &str| fields.texts(key, || refusal.to_owned());
        spec.contacts = Some(texts("contacts", "Contacts for Flux App are invalid")?);
        spec.geolocation = Some(texts("geolocation", "Geolocation for Flux App is invalid")?);
    }
    if version >= 6.0 {
        if !truthy(fields.get("expire")) {
            return Err("Missing Flux App specification parameter expire".to_owned());
        }
        let expire = fields.number("expire")?;
        if !is_integer(expire) {
            // FluxOS says "instances" here; clients match on it.
            return Err("Invalid instances specified".to_owned());
        }
        spec.expire = Some(expire);
    }
    if version >= 7.0 {
        if !truthy(fields.get("nodes")) {
            return Err("Missing Flux App specification parameter nodes".to_owned());
        }
        spec.nodes = Some(fields.texts("nodes", || "Nodes for Flux App are invalid".to_owned())?);
        spec.staticip = Some(ensure_boolean(fields.get("staticip")).ok_or_else(|| {
            "Invalid staticip specification. Only boolean as true or false allowed.".to_owned()
        })?);
    }
    if version >= 8.0 {
        spec.datacenter = ensure_boolean(fields.get("datacenter"));
        let is_sealed = truthy(fields.get("enterprise"));
        spec.enterprise = match fields.take("enterprise") {
            None => Enterprise::Absent,
            Some(value) if is_sealed => Enterprise::Sealed(ensure_text(value)),
            Some(value) => Enterprise::Falsy(value),
        };
    }
    Ok(())
}

fn instances(fields: &Fields, version: f64) -> Result<f64, Thrown> {
    /// `config.fluxapps.maximumInstances`.
    const MAXIMUM: f64 = 100.0;
    if !truthy(fields.get("instances")) {
        return Err("Missing Flux App specification parameter instances".to_owned());
    }
    let instances = fields.number("instances")?;
    if !is_integer(instances) {
        return Err("Invalid instances specified".to_owned());
    }
    // `minimumInstancesV8` and `minimumInstances`; the height decides only in a later stage.
    let (minimum, text) = if version >= 8.0 {
        (1.0, "1")
    } else {
        (3.0, "3")
    };
    if instances < minimum {
        return Err(format!("Minimum number of instances is {text}"));
    }
    if instances > MAXIMUM {
        return Err("Maximum number of instances is 100".to_owned());
    }
    Ok(instances)
}

/// `Number.isInteger`.
pub(super) fn is_integer(number: f64) -> bool {
    number.is_finite() && number.fract() == 0.0
}
