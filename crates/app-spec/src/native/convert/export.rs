//! From native to FluxOS: the value that the native fields amount to in a version.

use super::{Misfit, import::BLOCK_SECONDS, misfits::Misfits, volumes};
use crate::{
    json::{Object, Value},
    legacy::LegacyVersion,
    native::model::{Component, NativeSpec, Port},
};

/// What the native fields amount to.
pub(super) struct Assembled {
    pub(super) value: Value,
    /// The components in the order in which they stand.
    pub(super) order: Vec<String>,
    pub(super) misfits: Vec<Misfit>,
}

/// Writes a specification in this version. The residue is not looked at.
pub(super) fn assemble(spec: &NativeSpec, version: LegacyVersion) -> Assembled {
    let mut misfits = Misfits::new(version);
    misfits.check_app(spec);
    let order = order(spec, &mut misfits);
    let mut object = Object::default();
    object.set("version", f64::from(version.number()));
    object.set("name", spec.name.as_str());
    // FluxOS needs a description; every specification that came from there has one.
    let description = if spec.description.is_empty() {
        &spec.name
    } else {
        &spec.description
    };
    object.set("description", description.as_str());
    object.set("owner", spec.owner.as_str());
    if version.has_components() {
        let components = order.iter().enumerate().filter_map(|(place, name)| {
            let component = spec.components.get(name)?;
            Some(Value::Object(write_component(
                spec,
                name,
                component,
                &order[..place],
                &mut misfits,
            )))
        });
        object.set("compose", components.collect::<Vec<Value>>());
    } else {
        misfits.check_single(spec);
        if let Some((name, component)) = spec.components.first_key_value() {
            write_single(&mut object, spec, name, component, &mut misfits);
        }
    }
    write_later(&mut object, spec, version);
    let misfits = misfits.list;
    Assembled {
        value: Value::Object(object),
        order,
        misfits,
    }
}

/// The order that the document remembers, then every other component once those whose volumes it takes are there.
fn order(spec: &NativeSpec, misfits: &mut Misfits) -> Vec<String> {
    let remembered = spec.legacy.iter().flat_map(|legacy| &legacy.components);
    let mut order: Vec<String> = Vec::new();
    for name in remembered {
        if spec.components.contains_key(name) && !order.contains(name) {
            order.push(name.clone());
        }
    }
    loop {
        let is_ready = |component: &Component| {
            let mut sources = component
                .volumes
                .values()
                .filter_map(|volume| volume.source.as_ref());
            sources.all(|source| order.contains(&source.component))
        };
        let mut left = spec
            .components
            .iter()
            .filter(|(name, _)| !order.contains(name))
            .peekable();
        let Some((first, _)) = left.peek() else {
            return order;
        };
        let first = (*first).clone();
        let next = left
            .find(|(_, component)| is_ready(component))
            .map(|(name, _)| name.clone());
        if next.is_none() {
            misfits.add(
                &format!("components.{first}.volumes"),
                "FluxOS takes volumes of earlier components only, and these wait for each other",
            );
        }
        order.push(next.unwrap_or(first));
    }
}

fn numbers(ports: impl Iterator<Item = u16>) -> Value {
    Value::Array(ports.map(|port| Value::Number(f64::from(port))).collect())
}

fn texts<'a>(texts: impl Iterator<Item = &'a String>) -> Value {
    Value::Array(texts.map(|text| Value::from(text.as_str())).collect())
}

/// A number of thousandths or MiB as FluxOS writes it.
fn quotient(amount: u64, divisor: f64) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "amounts of machines are far below 2^53"
    )]
    let amount = amount as f64;
    Value::Number(amount / divisor)
}

fn domains(ports: &[&Port]) -> Value {
    let joined = ports.iter().map(|port| Value::from(port.domains.join(",")));
    Value::Array(joined.collect())
}

fn environment(component: &Component) -> Value {
    let entries = component
        .env
        .iter()
        .map(|(name, value)| Value::from(format!("{name}={value}")));
    Value::Array(entries.collect())
}

fn container_data(
    spec: &NativeSpec,
    name: &str,
    component: &Component,
    earlier: &[String],
    misfits: &mut Misfits,
) -> Value {
    let place = |wanted: &str| {
        let number = earlier.iter().position(|name| name == wanted)?;
        Some((number, spec.components.get(wanted)?))
    };
    match volumes::write(component, place) {
        Ok(text) => text.into(),
        Err((volume, reason)) => {
            misfits.add(&format!("components.{name}.volumes.{volume}"), &reason);
            Value::from("")
        }
    }
}

fn write_component(
    spec: &NativeSpec,
    name: &str,
    component: &Component,
    earlier: &[String],
    misfits: &mut Misfits,
) -> Object {
    let version = misfits.version;
    misfits.check_component(name, component);
    let ports: Vec<&Port> = component.ports.values().collect();
    let mut object = Object::default();
    object.set("name", name);
    object.set("description", component.description.as_str());
    object.set("repotag", component.image.as_str());
    object.set("ports", numbers(ports.iter().filter_map(|port| port.host)));
    object.set("domains", domains(&ports));
    object.set("environmentParameters", environment(component));
    object.set("commands", texts(component.args.iter()));
    object.set(
        "containerPorts",
        numbers(ports.iter().map(|port| port.container)),
    );
    object.set(
        "containerData",
        container_data(spec, name, component, earlier, misfits),
    );
    object.set("cpu", quotient(component.cpu, 1_000.0));
    object.set("ram", quotient(component.memory, 1.0));
    object.set("hdd", quotient(component.disk, 1_024.0));
    if version < LegacyVersion::V8 {
        object.set("tiered", false);
    }
    if version >= LegacyVersion::V7 {
        object.set("repoauth", "");
    }
    if version == LegacyVersion::V7 {
        object.set("secrets", "");
    }
    object
}

/// The container of v1..v3.
fn write_single(
    object: &mut Object,
    spec: &NativeSpec,
    name: &str,
    component: &Component,
    misfits: &mut Misfits,
) {
    let version = misfits.version;
    misfits.check_component(name, component);
    let ports: Vec<&Port> = component.ports.values().collect();
    object.set("repotag", component.image.as_str());
    let port_texts = |numbers: Vec<u16>| {
        Value::Array(
            numbers
                .into_iter()
                .map(|port| Value::from(port.to_string()))
                .collect(),
        )
    };
    let hosts: Vec<u16> = ports.iter().filter_map(|port| port.host).collect();
    let containers: Vec<u16> = ports.iter().map(|port| port.container).collect();
    if version == LegacyVersion::V1 {
        let first = |ports: &[u16]| f64::from(ports.first().copied().unwrap_or_default());
        object.set("port", first(&hosts));
        object.set("containerPort", first(&containers));
    } else {
        object.set("ports", port_texts(hosts));
        object.set("domains", domains(&ports));
        object.set("containerPorts", port_texts(containers));
    }
    object.set("enviromentParameters", environment(component));
    object.set("commands", texts(component.args.iter()));
    object.set(
        "containerData",
        container_data(spec, name, component, &[], misfits),
    );
    object.set("cpu", quotient(component.cpu, 1_000.0));
    object.set("ram", quotient(component.memory, 1.0));
    object.set("hdd", quotient(component.disk, 1_024.0));
    object.set("tiered", false);
}

/// The fields that came with v3 and later.
fn write_later(object: &mut Object, spec: &NativeSpec, version: LegacyVersion) {
    let placement = &spec.placement;
    if version >= LegacyVersion::V3 {
        object.set("instances", f64::from(spec.instances.unwrap_or_default()));
    }
    if version >= LegacyVersion::V5 {
        let contacts = spec
            .notifications
            .iter()
            .filter_map(|notification| notification.email.as_ref());
        object.set("contacts", texts(contacts));
        let allow = placement
            .allow
            .iter()
            .map(|area| Value::from(format!("ac{area}")));
        let forbid = placement
            .forbid
            .iter()
            .map(|area| Value::from(format!("a!c{area}")));
        object.set("geolocation", allow.chain(forbid).collect::<Vec<Value>>());
    }
    if version >= LegacyVersion::V6 {
        let blocks = spec.billing.term.unwrap_or_default() / BLOCK_SECONDS;
        object.set("expire", quotient(blocks, 1.0));
    }
    if version >= LegacyVersion::V7 {
        object.set("nodes", texts(placement.nodes.iter()));
        object.set("staticip", placement.static_ip);
    }
    if version == LegacyVersion::V8 {
        if placement.data_center {
            object.set("datacenter", true);
        }
        object.set("enterprise", "");
    }
}
