//! The clean view of a specification for everybody but the judge: one shape for all versions, integers,
//! well-formed text.

use fluxplane_core::Resources;

use super::spec::{
    Body, Component, Enterprise, Hardware, LegacySpec, LegacyVersion, Ports, Single, Tiers,
};
use crate::{
    json::{JsString, Value, number_from_text, number_text, stringify},
    volumes::SyncFlags,
};

/// An application as the scheduler sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct AppView<'a> {
    pub version: LegacyVersion,
    pub name: &'a str,
    pub description: &'a str,
    pub owner: &'a str,
    /// v1 and v2 have no such field and run 3 instances.
    pub instances: u32,
    pub contacts: Vec<&'a str>,
    pub geolocation: Vec<&'a str>,
    /// Term in blocks; `None` means the default of the height (see [`super::default_term`]).
    pub expire: Option<u64>,
    pub nodes: Vec<&'a str>,
    pub static_ip: bool,
    pub data_center: bool,
    /// The encrypted contacts and components, opaque.
    pub enterprise: Option<&'a str>,
    /// v1..v3 have one component, named like the application.
    pub components: Vec<ComponentView<'a>>,
}

/// A component, whatever the version.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentView<'a> {
    pub name: &'a str,
    pub description: &'a str,
    /// The image reference; see [`crate::image`].
    pub image: &'a str,
    pub ports: Vec<PortView<'a>>,
    pub environment: Vec<&'a str>,
    pub commands: Vec<&'a str>,
    /// The volumes; see [`crate::volumes`].
    pub container_data: &'a str,
    pub flags: SyncFlags,
    /// What one instance needs, rounded up to the units of the scheduler.
    pub resources: Resources,
    /// What it needs on Cumulus, Nimbus and Stratus, when the tiers differ.
    pub tiers: Option<[Resources; 3]>,
    /// Registry credentials, opaque; empty is `None`.
    pub repoauth: Option<&'a str>,
    /// Encrypted environment of v7, opaque; empty is `None`.
    pub secrets: Option<&'a str>,
}

/// A published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortView<'a> {
    pub host: u16,
    pub container: u16,
    /// Custom domains, separated by commas; often empty.
    pub domains: &'a str,
}

/// A value that FluxOS accepts and that no machine can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} is {value}: {rule}")]
pub struct ViewError {
    /// The field: `compose[0].cpu`.
    pub path: String,
    /// The value as JSON.
    pub value: String,
    pub rule: &'static str,
}

impl LegacySpec {
    /// The clean view.
    ///
    /// # Errors
    /// On a value that cannot be scheduled, such as a negative amount of memory. Submissions that passed
    /// [`crate::strict`] never fail here.
    pub fn view(&self) -> Result<AppView<'_>, ViewError> {
        let version = self.known_version().ok_or_else(|| {
            let rule = "a version is one of 1..8";
            fail("version", number_text(self.version), rule)
        })?;
        let name = text("name", &self.name)?;
        let components = match &self.body {
            Body::Single(container) => vec![single(container, name)?],
            Body::Compose(components) => components
                .iter()
                .enumerate()
                .map(|(place, item)| component(item, &format!("compose[{place}].")))
                .collect::<Result<_, _>>()?,
        };
        Ok(AppView {
            version,
            name,
            description: text("description", &self.description)?,
            owner: text("owner", &self.owner)?,
            instances: self.instances.map_or(Ok(3), |instances| {
                whole("instances", instances).and_then(|whole| {
                    let rule = "an application has at most 100 instances";
                    u32::try_from(whole).map_err(|_| fail("instances", whole.to_string(), rule))
                })
            })?,
            contacts: texts("contacts", self.contacts.as_deref())?,
            geolocation: texts("geolocation", self.geolocation.as_deref())?,
            expire: self
                .expire
                .map(|blocks| whole("expire", blocks))
                .transpose()?,
            nodes: texts("nodes", self.nodes.as_deref())?,
            static_ip: self.staticip.unwrap_or_default(),
            data_center: self.datacenter.unwrap_or_default(),
            enterprise: match &self.enterprise {
                Enterprise::Sealed(blob) => Some(text("enterprise", blob)?),
                Enterprise::Absent | Enterprise::Falsy(_) => None,
            },
            components,
        })
    }
}

fn single<'a>(single: &'a Single, name: &'a str) -> Result<ComponentView<'a>, ViewError> {
    let ports = match &single.ports {
        Ports::One {
            port,
            container_port,
        } => vec![PortView {
            host: port_number("port", *port)?,
            container: port_number("containerPort", *container_port)?,
            domains: "",
        }],
        Ports::Many {
            ports,
            domains,
            container_ports,
        } => {
            let numbers =
                |texts: &[JsString]| texts.iter().map(number_from_text).collect::<Vec<_>>();
            port_views("", &numbers(ports), &numbers(container_ports), domains)?
        }
    };
    let container_data = text("containerData", &single.container_data)?;
    Ok(ComponentView {
        name,
        description: "",
        image: text("repotag", &single.repotag)?,
        ports,
        environment: texts("enviromentParameters", Some(&single.environment))?,
        commands: texts("commands", Some(&single.commands))?,
        container_data,
        flags: SyncFlags::of(container_data),
        resources: resources("", single.hardware)?,
        tiers: tiers("", single.tiers.as_ref())?,
        repoauth: None,
        secrets: None,
    })
}

fn component<'a>(component: &'a Component, path: &str) -> Result<ComponentView<'a>, ViewError> {
    let own = |field: &str| format!("{path}{field}");
    let given = |field: &str, value: &'a Option<JsString>| match value {
        Some(value) => text(&own(field), value),
        None => Err(fail(
            &own(field),
            "undefined".to_owned(),
            "it must be a string",
        )),
    };
    let opaque = |field: &str, value: &'a Option<JsString>| match value {
        Some(value) if !value.is_empty() => text(&own(field), value).map(Some),
        Some(_) | None => Ok(None),
    };
    let container_ports = component
        .container_ports
        .iter()
        .map(|port| {
            let rule = "a port is a number";
            let error = || fail(&own("containerPorts"), stringify(port), rule);
            port.as_number().ok_or_else(error)
        })
        .collect::<Result<Vec<f64>, _>>()?;
    let container_data = given("containerData", &component.container_data)?;
    Ok(ComponentView {
        name: given("name", &component.name)?,
        description: given("description", &component.description)?,
        image: given("repotag", &component.repotag)?,
        ports: port_views(path, &component.ports, &container_ports, &component.domains)?,
        environment: texts(&own("environmentParameters"), Some(&component.environment))?,
        commands: texts(&own("commands"), Some(&component.commands))?,
        container_data,
        flags: SyncFlags::of(container_data),
        resources: resources(path, component.hardware)?,
        tiers: tiers(path, component.tiers.as_ref())?,
        repoauth: opaque("repoauth", &component.repoauth)?,
        secrets: opaque("secrets", &component.secrets)?,
    })
}

fn port_views<'a>(
    path: &str,
    ports: &[f64],
    container_ports: &[f64],
    domains: &'a [JsString],
) -> Result<Vec<PortView<'a>>, ViewError> {
    let rule = "ports, containerPorts and domains must have the same length";
    if ports.len() != container_ports.len() || ports.len() != domains.len() {
        return Err(fail(&format!("{path}ports"), ports.len().to_string(), rule));
    }
    let pairs = ports.iter().zip(container_ports).zip(domains).enumerate();
    pairs
        .map(|(place, ((host, container), domain))| {
            Ok(PortView {
                host: port_number(&format!("{path}ports[{place}]"), *host)?,
                container: port_number(&format!("{path}containerPorts[{place}]"), *container)?,
                domains: text(&format!("{path}domains[{place}]"), domain)?,
            })
        })
        .collect()
}

fn tiers(path: &str, tiers: Option<&Tiers>) -> Result<Option<[Resources; 3]>, ViewError> {
    let Some(tiers) = tiers else {
        return Ok(None);
    };
    Ok(Some([
        resources(path, tiers.cumulus)?,
        resources(path, tiers.nimbus)?,
        resources(path, tiers.stratus)?,
    ]))
}

fn resources(path: &str, hardware: Hardware) -> Result<Resources, ViewError> {
    let amount = |field, value, decimals| {
        ceil_scaled(value, decimals).ok_or_else(|| {
            let path = format!("{path}{field}");
            fail(
                &path,
                number_text(value),
                "an amount is a number of at least zero",
            )
        })
    };
    Ok(Resources {
        cpu_milli: amount("cpu", hardware.cpu, 3)?,
        ram_mib: amount("ram", hardware.ram, 0)?,
        disk_gib: amount("hdd", hardware.hdd, 0)?,
    })
}

/// `ceil(number * 10^decimals)`, computed on the number's decimal text: the double nearest to 1.1 is a little more than
/// 1.1 and must still count as 1100 thousandths.
fn ceil_scaled(number: f64, decimals: usize) -> Option<u64> {
    if !(0.0..1e15).contains(&number) {
        return None;
    }
    let text = format!("{number}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let kept = fraction.get(..decimals).unwrap_or(fraction);
    let rest = fraction.get(decimals..).unwrap_or("");
    let scaled: u64 = format!("{whole}{kept:0<decimals$}").parse().ok()?;
    Some(scaled + u64::from(rest.bytes().any(|digit| digit != b'0')))
}

fn port_number(path: &str, port: f64) -> Result<u16, ViewError> {
    let number = Value::Number(port)
        .as_u64()
        .and_then(|port| u16::try_from(port).ok());
    number.ok_or_else(|| {
        fail(
            path,
            number_text(port),
            "a port is a whole number up to 65535",
        )
    })
}

fn whole(path: &str, number: f64) -> Result<u64, ViewError> {
    let whole = Value::Number(number).as_u64();
    whole.ok_or_else(|| {
        fail(
            path,
            number_text(number),
            "it must be a whole number, not negative",
        )
    })
}

fn text<'a>(path: &str, text: &'a JsString) -> Result<&'a str, ViewError> {
    text.as_str().ok_or_else(|| {
        let rule = "text must be well-formed Unicode";
        fail(path, stringify(&Value::String(text.clone())), rule)
    })
}

fn texts<'a>(path: &str, items: Option<&'a [JsString]>) -> Result<Vec<&'a str>, ViewError> {
    let items = items.unwrap_or_default().iter().enumerate();
    items
        .map(|(place, item)| text(&format!("{path}[{place}]"), item))
        .collect()
}

fn fail(path: &str, value: String, rule: &'static str) -> ViewError {
    let path = path.to_owned();
    ViewError { path, value, rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_up_on_their_decimal_value() {
        assert_eq!(ceil_scaled(1.1, 3), Some(1_100));
        assert_eq!(ceil_scaled(0.1 + 0.2, 3), Some(301));
        assert_eq!(ceil_scaled(1.0005, 3), Some(1_001));
        assert_eq!(ceil_scaled(1.5, 0), Some(2));
        assert_eq!(ceil_scaled(2_000.0, 0), Some(2_000));
        assert_eq!(ceil_scaled(0.0, 3), Some(0));
        assert_eq!(ceil_scaled(1e-7, 3), Some(1));
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e15] {
            assert_eq!(ceil_scaled(bad, 3), None);
        }
    }
}
