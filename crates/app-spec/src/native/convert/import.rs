//! From FluxOS to native: what each field means here.
//!
//! A value without meaning (negative cpu, a region that does not exist) leaves its native field at the nearest value or
//! empty; the original stays in the residue and the rules report the field.

use std::collections::{BTreeMap, BTreeSet};

use super::{plain, volumes};
use crate::{
    geolocation::{Area, Rule, is_continent, is_country_of},
    json::{JsString, Value, number_from_text, number_text},
    legacy::{Body, Hardware, LegacySpec, LegacyVersion, Ports},
    native::{
        form::{ENV_NAME, LABEL},
        model::{
            Billing, BillingMode, Component, NativeSpec, Notification, Placement, Port, Protocol,
        },
    },
    strict::is_mail_address,
};

/// Seconds of a block since the fork of October 2025.
pub(super) const BLOCK_SECONDS: u64 = 30;

/// The term of v1..v5 in blocks, which have no field for it (`blocksLasting`, times 4 since the fork).
const DEFAULT_TERM: u64 = 88_000;

/// Instances of v1 and v2, which have no field for it.
const DEFAULT_INSTANCES: u32 = 3;

/// The native specification without residue, and the names of its components in order.
pub(super) fn native(legacy: &LegacySpec, version: LegacyVersion) -> (NativeSpec, Vec<String>) {
    let mut spec = plain::APP.clone();
    spec.name = label(&legacy.name, "app");
    spec.description = legacy.description.to_text().into_owned();
    spec.owner = legacy.owner.to_text().into_owned();
    spec.instances = Some(legacy.instances.map_or(DEFAULT_INSTANCES, |count| {
        Value::Number(count)
            .as_u64()
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or_default()
    }));
    spec.billing = Billing {
        mode: BillingMode::Term,
        term: Some(term(legacy, version)),
        renew: false,
    };
    let contacts = legacy.contacts.iter().flatten();
    spec.notifications = contacts
        .filter_map(JsString::as_str)
        .filter(|contact| is_mail_address(contact))
        .map(|contact| Notification {
            email: Some(contact.to_owned()),
            webhook: None,
            events: Vec::new(),
        })
        .collect();
    let placement = &mut spec.placement;
    let nodes = legacy.nodes.iter().flatten();
    placement.nodes = nodes.map(|node| node.to_text().into_owned()).collect();
    placement.static_ip = legacy.staticip.unwrap_or_default();
    placement.data_center = legacy.datacenter.unwrap_or_default();
    let rules: Vec<Rule> = legacy
        .geolocation
        .iter()
        .flatten()
        .filter_map(|text| text.as_str()?.parse().ok())
        .collect();
    set_areas(placement, &rules);
    let order = set_components(&mut spec, legacy);
    (spec, order)
}

fn term(legacy: &LegacySpec, version: LegacyVersion) -> u64 {
    /// More blocks than any term; beyond, the residue alone has the number.
    const MAX_BLOCKS: u64 = 1 << 40;
    if version < LegacyVersion::V6 {
        return DEFAULT_TERM * BLOCK_SECONDS;
    }
    let blocks = legacy
        .expire
        .and_then(|blocks| Value::Number(blocks).as_u64());
    blocks.unwrap_or_default().min(MAX_BLOCKS) * BLOCK_SECONDS
}

/// Allowed and forbidden areas. The old forms count as FluxOS counts them: a continent only without current rules, and a
/// country beside everything else.
fn set_areas(placement: &mut Placement, rules: &[Rule]) {
    let mut has_current = false;
    for rule in rules {
        match rule {
            Rule::Allow(area) => {
                has_current = true;
                if area.continent.is_some() {
                    placement.allow.push(area.to_string());
                }
            }
            Rule::Forbid(area) => {
                has_current = true;
                placement.forbid.push(area.to_string());
            }
            Rule::OldContinent(_) | Rule::OldCountry(_) => {}
        }
    }
    let country = rules.iter().find_map(|rule| match rule {
        Rule::OldCountry(code) => Some(code.as_str()),
        Rule::OldContinent(_) | Rule::Allow(_) | Rule::Forbid(_) => None,
    });
    let continent = rules.iter().find_map(|rule| match rule {
        Rule::OldContinent(code) => Some(code.as_str()),
        Rule::OldCountry(_) | Rule::Allow(_) | Rule::Forbid(_) => None,
    });
    if !placement.allow.is_empty() {
        return;
    }
    let area = match (country, continent) {
        (Some(country), _) => Area {
            continent: continent_of(country).map(str::to_owned),
            country: Some(country.to_owned()),
            region: None,
        },
        (None, Some(continent)) if !has_current => Area {
            continent: Some(continent.to_owned()),
            ..Area::default()
        },
        (None, Some(_) | None) => return,
    };
    if area.continent.is_some() {
        placement.allow.push(area.to_string());
    }
}

fn continent_of(country: &str) -> Option<&'static str> {
    const CONTINENTS: [&str; 7] = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];
    let mut known = CONTINENTS
        .into_iter()
        .filter(|continent| is_continent(continent));
    known.find(|continent| is_country_of(country, continent))
}

/// What all versions say of a container.
struct Parts<'a> {
    description: Option<&'a JsString>,
    image: Option<&'a JsString>,
    environment: &'a [JsString],
    commands: &'a [JsString],
    container_data: Option<&'a JsString>,
    hardware: Hardware,
    /// Host port, container port and domains; `None` when some of them are no ports.
    ports: Option<Vec<(u16, u16, &'a str)>>,
}

fn set_components(spec: &mut NativeSpec, legacy: &LegacySpec) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    let mut taken = BTreeSet::new();
    let mut folders = Vec::new();
    let parts: Vec<(String, Parts<'_>)> = match &legacy.body {
        Body::Single(single) => {
            let parts = Parts {
                description: None,
                image: Some(&single.repotag),
                environment: &single.environment,
                commands: &single.commands,
                container_data: Some(&single.container_data),
                hardware: single.hardware,
                ports: ports_of_single(&single.ports),
            };
            vec![(spec.name.clone(), parts)]
        }
        Body::Compose(components) => components
            .iter()
            .map(|component| {
                let parts = Parts {
                    description: component.description.as_ref(),
                    image: component.repotag.as_ref(),
                    environment: &component.environment,
                    commands: &component.commands,
                    container_data: component.container_data.as_ref(),
                    hardware: component.hardware,
                    ports: ports(
                        &component.ports,
                        &component.container_ports,
                        &component.domains,
                    ),
                };
                let name = component.name.as_ref();
                (
                    name.map_or_else(|| "component".to_owned(), |name| label(name, "component")),
                    parts,
                )
            })
            .collect(),
    };
    for (name, parts) in parts {
        let name = unique(&name, &mut taken);
        let mut component = container(&parts);
        let data = parts
            .container_data
            .and_then(JsString::as_str)
            .unwrap_or_default();
        let (volumes, names) = volumes::read(data, &order, &folders);
        component.volumes = volumes;
        folders.push(names);
        order.push(name.clone());
        spec.components.insert(name, component);
    }
    order
}

/// `name`, or the first of `name-2`, `name-3`, … that is free.
fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    /// Room for the number.
    const MAX_STEM: usize = 56;
    let mut own = name.to_owned();
    let mut number = 1;
    while !taken.insert(own.clone()) {
        number += 1;
        let stem: String = name.chars().take(MAX_STEM).collect();
        own = format!("{stem}-{number}");
    }
    own
}

fn container(parts: &Parts<'_>) -> Component {
    let text = |text: Option<&JsString>| {
        text.map(|text| text.to_text().into_owned())
            .unwrap_or_default()
    };
    let mut component = plain::COMPONENT.clone();
    component.description = text(parts.description);
    component.image = text(parts.image);
    component.args = parts
        .commands
        .iter()
        .map(|command| command.to_text().into_owned())
        .collect();
    component.env = variables(parts.environment);
    component.cpu = scaled_up(parts.hardware.cpu, 1_000);
    component.memory = scaled_up(parts.hardware.ram, 1);
    component.disk = scaled_up(parts.hardware.hdd, 1_024);
    component.ports = port_map(parts.ports.as_deref().unwrap_or_default());
    component
}

/// The entries of the form NAME=value, each name once.
fn variables(entries: &[JsString]) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for entry in entries {
        if let Some((name, value)) = entry.as_str().and_then(|text| text.split_once('='))
            && ENV_NAME.check(name).is_ok()
        {
            variables
                .entry(name.to_owned())
                .or_insert_with(|| value.to_owned());
        }
    }
    variables
}

/// `ceil(number * factor)` on the decimal text of the number; 0 for what is no amount.
fn scaled_up(number: f64, factor: u64) -> u64 {
    /// Beyond any machine; the residue has the number.
    const MAX: f64 = 1e9;
    if !(0.0..=MAX).contains(&number) {
        return 0;
    }
    // The double nearest to 1.1 is a little more than 1.1 and must still count as 1100 thousandths.
    let text = number_text(number);
    let text = if text.contains('e') {
        format!("{number:.20}")
    } else {
        text
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let kept: String = fraction.chars().take(18).collect();
    let scale = 10_u128.pow(u32::try_from(kept.len()).unwrap_or_default());
    let whole: u128 = whole.parse().unwrap_or_default();
    let fraction: u128 = kept.parse().unwrap_or_default();
    let scaled = ((whole * scale + fraction) * u128::from(factor)).div_ceil(scale);
    u64::try_from(scaled).unwrap_or_default()
}

fn ports_of_single(ports: &Ports) -> Option<Vec<(u16, u16, &str)>> {
    match ports {
        Ports::One {
            port,
            container_port,
        } => Some(vec![(
            port_number(*port)?,
            port_number(*container_port)?,
            "",
        )]),
        Ports::Many {
            ports,
            domains,
            container_ports,
        } => {
            let numbers =
                |texts: &[JsString]| texts.iter().map(number_from_text).collect::<Vec<f64>>();
            zipped(&numbers(ports), &numbers(container_ports), domains)
        }
    }
}

fn ports<'a>(
    ports: &[f64],
    container_ports: &[Value],
    domains: &'a [JsString],
) -> Option<Vec<(u16, u16, &'a str)>> {
    let container_ports: Option<Vec<f64>> = container_ports.iter().map(Value::as_number).collect();
    zipped(ports, &container_ports?, domains)
}

fn zipped<'a>(
    ports: &[f64],
    container_ports: &[f64],
    domains: &'a [JsString],
) -> Option<Vec<(u16, u16, &'a str)>> {
    if ports.len() != container_ports.len() || ports.len() != domains.len() {
        return None;
    }
    let rows = ports.iter().zip(container_ports).zip(domains);
    rows.map(|((host, container), domains)| {
        Some((
            port_number(*host)?,
            port_number(*container)?,
            domains.as_str()?,
        ))
    })
    .collect()
}

fn port_number(number: f64) -> Option<u16> {
    let number = Value::Number(number).as_u64()?;
    u16::try_from(number).ok().filter(|port| *port > 0)
}

/// Ports by the names p1, p2, …, which sort in FluxOS' order.
fn port_map(ports: &[(u16, u16, &str)]) -> BTreeMap<String, Port> {
    let width = ports.len().to_string().len();
    let rows = ports.iter().enumerate();
    rows.map(|(place, (host, container, domains))| {
        let domains = if domains.is_empty() {
            Vec::new()
        } else {
            domains.split(',').map(str::to_owned).collect()
        };
        let port = Port {
            container: *container,
            host: Some(*host),
            protocol: Protocol::TcpUdp,
            domains,
            load_balancing: plain::PORT.load_balancing.clone(),
        };
        (format!("p{:0width$}", place + 1), port)
    })
    .collect()
}

/// A name in lower case; what no name may have becomes a hyphen.
pub(super) fn label(name: &JsString, fallback: &str) -> String {
    let hyphened: String = name
        .to_text()
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(LABEL.max)
        .collect();
    let trimmed = hyphened.trim_matches('-');
    if trimmed.is_empty() {
        fallback.to_owned()
    } else {
        trimmed.to_owned()
    }
}
