//! The canonical form: `JSON.stringify` of what the formatter returns. These bytes are signed and hashed, so the
//! order of the fields is part of consensus.

use super::spec::{Body, Component, Enterprise, Hardware, LegacySpec, Ports, Single, Tiers};
use crate::json::{JsString, Value, write_number, write_string, write_value};

impl LegacySpec {
    /// The canonical JSON text, UTF-8 without blanks.
    pub fn canonical(&self) -> String {
        // Most specifications fit; the capacity only saves copies.
        let mut text = String::with_capacity(1024);
        let mut out = Writer::open(&mut text);
        out.number("version", self.version);
        out.text("name", &self.name);
        out.text("description", &self.description);
        out.text("owner", &self.owner);
        match &self.body {
            Body::Single(single) => write_single(&mut out, single),
            Body::Compose(components) => out.list("compose", components, |text, component| {
                let mut out = Writer::open(text);
                write_component(&mut out, component);
                out.close();
            }),
        }
        out.maybe("instances", self.instances, Writer::number);
        out.maybe("contacts", self.contacts.as_deref(), Writer::texts);
        out.maybe("geolocation", self.geolocation.as_deref(), Writer::texts);
        out.maybe("expire", self.expire, Writer::number);
        out.maybe("nodes", self.nodes.as_deref(), Writer::texts);
        out.maybe("staticip", self.staticip, Writer::flag);
        out.maybe("datacenter", self.datacenter, Writer::flag);
        match &self.enterprise {
            Enterprise::Absent => {}
            Enterprise::Falsy(value) => out.value("enterprise", value),
            Enterprise::Sealed(blob) => out.text("enterprise", blob),
        }
        out.close();
        text
    }
}

fn write_single(out: &mut Writer<'_>, single: &Single) {
    out.text("repotag", &single.repotag);
    match &single.ports {
        Ports::One { port, .. } => out.number("port", *port),
        Ports::Many { ports, domains, .. } => {
            out.texts("ports", ports);
            out.texts("domains", domains);
        }
    }
    out.texts("enviromentParameters", &single.environment);
    out.texts("commands", &single.commands);
    match &single.ports {
        Ports::One { container_port, .. } => out.number("containerPort", *container_port),
        Ports::Many {
            container_ports, ..
        } => out.texts("containerPorts", container_ports),
    }
    out.text("containerData", &single.container_data);
    write_hardware(out, single.hardware);
    out.flag("tiered", single.tiered);
    if let Some(tiers) = single.tiers {
        write_tiers(out, tiers);
    }
}

fn write_component(out: &mut Writer<'_>, component: &Component) {
    out.maybe("name", component.name.as_ref(), Writer::text);
    out.maybe("description", component.description.as_ref(), Writer::text);
    out.maybe("repotag", component.repotag.as_ref(), Writer::text);
    out.list("ports", &component.ports, |text, port| {
        write_value(text, &Value::Number(*port));
    });
    out.texts("domains", &component.domains);
    out.texts("environmentParameters", &component.environment);
    out.texts("commands", &component.commands);
    out.list("containerPorts", &component.container_ports, write_value);
    out.maybe(
        "containerData",
        component.container_data.as_ref(),
        Writer::text,
    );
    write_hardware(out, component.hardware);
    out.maybe("tiered", component.tiered, Writer::flag);
    if let Some(tiers) = component.tiers {
        write_tiers(out, tiers);
    }
    out.maybe("repoauth", component.repoauth.as_ref(), Writer::text);
    out.maybe("secrets", component.secrets.as_ref(), Writer::text);
}

fn write_hardware(out: &mut Writer<'_>, hardware: Hardware) {
    out.number("cpu", hardware.cpu);
    out.number("ram", hardware.ram);
    out.number("hdd", hardware.hdd);
}

fn write_tiers(out: &mut Writer<'_>, tiers: Tiers) {
    let Tiers {
        cumulus,
        nimbus,
        stratus,
    } = tiers;
    out.number("cpubasic", cumulus.cpu);
    out.number("cpusuper", nimbus.cpu);
    out.number("cpubamf", stratus.cpu);
    out.number("rambasic", cumulus.ram);
    out.number("ramsuper", nimbus.ram);
    out.number("rambamf", stratus.ram);
    out.number("hddbasic", cumulus.hdd);
    out.number("hddsuper", nimbus.hdd);
    out.number("hddbamf", stratus.hdd);
}

/// Writes one object, member by member.
struct Writer<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl<'a> Writer<'a> {
    fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self {
            out,
            is_empty: true,
        }
    }

    fn close(self) {
        self.out.push('}');
    }

    /// Writes a key. Ours need no escape.
    fn key(&mut self, key: &str) {
        if !self.is_empty {
            self.out.push(',');
        }
        self.is_empty = false;
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
    }

    fn number(&mut self, key: &str, number: f64) {
        self.key(key);
        if number.is_finite() {
            write_number(self.out, number);
        } else {
            self.out.push_str("null");
        }
    }

    fn text(&mut self, key: &str, text: &JsString) {
        self.key(key);
        write_string(self.out, text);
    }

    fn flag(&mut self, key: &str, flag: bool) {
        self.key(key);
        self.out.push_str(if flag { "true" } else { "false" });
    }

    fn value(&mut self, key: &str, value: &Value) {
        self.key(key);
        write_value(self.out, value);
    }

    fn texts(&mut self, key: &str, texts: &[JsString]) {
        self.list(key, texts, write_string);
    }

    fn list<T>(&mut self, key: &str, items: &[T], write: impl Fn(&mut String, &T)) {
        self.key(key);
        self.out.push('[');
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.out.push(',');
            }
            write(self.out, item);
        }
        self.out.push(']');
    }

    /// A member that JavaScript leaves out when it is `undefined`.
    fn maybe<T>(&mut self, key: &str, value: Option<T>, write: impl FnOnce(&mut Self, &str, T)) {
        if let Some(value) = value {
            write(self, key, value);
        }
    }
}
