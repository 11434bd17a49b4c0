//! What a new submission must satisfy beyond FluxOS' own checks.
//!
//! FluxOS accepts specifications that no node can run: negative cpu, an owner that is no address, a region that does not
//! exist, volumes that fail at installation. Such an application costs its owner money and never starts, so we refuse
//! it and say why. Applications that are on the chain already are judged by [`crate::legacy`] alone.
//!
//! Every finding names the field, the value, the rule and the remedy; all findings are reported, not the first.

mod content;
mod names;
mod network;
mod owner;
mod place;
mod resources;
mod shape;

pub(crate) use content::is_mail_address;
pub(crate) use names::{RESERVED_NAMES, RESERVED_PREFIXES, hides, look_alike};
pub(crate) use network::{domain_error, is_node};
pub(crate) use owner::owner_error;
use serde::Serialize;

use crate::{
    json::{DuplicateKey, Object, Value, stringify},
    legacy::{LegacyError, LegacyVersion},
};

/// One thing that must be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The field, `compose[0].cpu`; empty for the whole specification.
    pub path: String,
    /// The value as JSON, shortened.
    pub value: String,
    /// A stable name of the rule.
    pub code: &'static str,
    /// The rule as a sentence.
    pub rule: String,
    /// What to do.
    pub remedy: String,
}

/// Checks a submission. `rejection` is the verdict of [`crate::legacy::judge`]; FluxOS' refusal is a finding as well,
/// because nothing that the network refuses can be deployed.
pub fn check(
    submitted: &Value,
    duplicates: &[DuplicateKey],
    rejection: Option<&LegacyError>,
) -> Vec<Finding> {
    let mut findings = Findings::default();
    if let Some(error) = rejection {
        findings.push(
            String::new(),
            String::new(),
            "fluxos",
            &format!("FluxOS refuses it: {error}"),
            "change the specification as the text says",
        );
    }
    for duplicate in duplicates {
        findings.push(
            duplicate.path.clone(),
            String::new(),
            "duplicate-key",
            "a key may be given once; JSON readers disagree which value counts",
            "remove one of the two",
        );
    }
    let Some(spec) = findings.expect_object("", submitted) else {
        return findings.list;
    };
    shape::check_text(&mut findings, "", submitted);
    let version = spec.get("version").and_then(Value::as_number);
    let Some(version) = version.and_then(LegacyVersion::from_number) else {
        findings.add(
            "version",
            spec.get("version").unwrap_or(&Value::Null),
            "version",
            "the version is a number from 1 to 8",
            "use 8, the current version",
        );
        return findings.list;
    };
    check_app(&mut findings, spec, version);
    findings.list
}

fn check_app(findings: &mut Findings, spec: &Object, version: LegacyVersion) {
    shape::check_app(findings, spec, version);
    names::check_app(findings, spec);
    owner::check(findings, spec);
    content::check_app(findings, spec, version);
    network::check_nodes(findings, spec);
    place::check(findings, spec);
    if !version.has_components() {
        let container = Part {
            path: "",
            spec,
            version,
        };
        check_part(findings, &container, 0);
        return;
    }
    let components = spec
        .get("compose")
        .and_then(Value::as_array)
        .unwrap_or_default();
    names::check_unique_components(findings, components);
    for (place, component) in components.iter().enumerate() {
        let path = format!("compose[{place}]");
        let Some(spec) = findings.expect_object(&path, component) else {
            continue;
        };
        let path = format!("{path}.");
        let component = Part {
            path: &path,
            spec,
            version,
        };
        shape::check_component(findings, &component);
        names::check_component(findings, &component);
        check_part(findings, &component, place);
    }
}

/// What components and the containers of v1..v3 have in common.
fn check_part(findings: &mut Findings, part: &Part<'_>, place: usize) {
    resources::check(findings, part);
    network::check_ports(findings, part);
    network::check_domains(findings, part);
    content::check_part(findings, part, place);
}

/// A component, or the application itself for v1..v3.
struct Part<'a> {
    /// What stands before the name of a field: `compose[0].`.
    path: &'a str,
    spec: &'a Object,
    version: LegacyVersion,
}

impl Part<'_> {
    fn get(&self, field: &str) -> Option<&Value> {
        self.spec.get(field)
    }

    fn path(&self, field: &str) -> String {
        format!("{}{field}", self.path)
    }

    /// The items of an array field with their paths; nothing when it is no array.
    fn items(&self, field: &str) -> impl Iterator<Item = (String, &Value)> {
        let items = self
            .get(field)
            .and_then(Value::as_array)
            .unwrap_or_default();
        let path = self.path(field);
        let items = items.iter().enumerate();
        items.map(move |(place, item)| (format!("{path}[{place}]"), item))
    }

    /// The strings of an array field with their paths.
    fn texts(&self, field: &str) -> impl Iterator<Item = (String, &str)> {
        let items = self.items(field);
        items.filter_map(|(path, item)| Some((path, item.as_str()?)))
    }
}

/// Collects findings.
#[derive(Default)]
struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Reports a value.
    fn add(
        &mut self,
        path: impl Into<String>,
        value: &Value,
        code: &'static str,
        rule: &str,
        remedy: &str,
    ) {
        self.push(path.into(), shortened(value), code, rule, remedy);
    }

    /// Reports a text.
    fn add_text(
        &mut self,
        path: impl Into<String>,
        text: &str,
        code: &'static str,
        rule: &str,
        remedy: &str,
    ) {
        self.add(path, &Value::from(text), code, rule, remedy);
    }

    /// Reports an error whose text is "rule; remedy".
    fn add_error(
        &mut self,
        path: impl Into<String>,
        text: &str,
        code: &'static str,
        error: &dyn std::error::Error,
    ) {
        let message = error.to_string();
        let (rule, remedy) = message
            .rsplit_once("; ")
            .unwrap_or((&message, "change the value"));
        self.add_text(path, text, code, rule, remedy);
    }

    fn push(&mut self, path: String, value: String, code: &'static str, rule: &str, remedy: &str) {
        self.list.push(Finding {
            path,
            value,
            code,
            rule: rule.to_owned(),
            remedy: remedy.to_owned(),
        });
    }

    fn expect_object<'a>(&mut self, path: &str, value: &'a Value) -> Option<&'a Object> {
        let object = value.as_object();
        if object.is_none() {
            let rule = format!("it must be an object, not {}", value.kind());
            self.add(path, value, "type", &rule, "write it in braces");
        }
        object
    }
}

/// The value as JSON, at most [`MAX_SHOWN`] characters.
pub(crate) fn shortened(value: &Value) -> String {
    /// Long enough to recognise a value, short enough for a list.
    const MAX_SHOWN: usize = 120;
    let text = stringify(value);
    if text.chars().count() <= MAX_SHOWN {
        return text;
    }
    let mut short: String = text.chars().take(MAX_SHOWN).collect();
    short.push('…');
    short
}
