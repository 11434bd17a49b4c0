//! Shape: known fields, complete, of the right types, in well-formed text.
//!
//! FluxOS coerces numbers in quotes and drops unknown fields. What it then signs is not what the customer wrote, so a
//! new submission must already have the canonical shape.

use super::{Findings, Part};
use crate::{
    json::{Object, Value},
    legacy::{Field, FieldKind, LegacyVersion, Need, app_fields, component_fields},
};

pub(super) fn check_app(findings: &mut Findings, spec: &Object, version: LegacyVersion) {
    let fields: Vec<Field> = app_fields(version).collect();
    let part = Part {
        path: "",
        spec,
        version,
    };
    check_fields(findings, &part, &fields);
}

pub(super) fn check_component(findings: &mut Findings, component: &Part<'_>) {
    let fields: Vec<Field> = component_fields(component.version).collect();
    check_fields(findings, component, &fields);
}

fn check_fields(findings: &mut Findings, part: &Part<'_>, fields: &[Field]) {
    for (key, value) in part.spec.iter() {
        if fields.iter().all(|field| *key != *field.name) {
            let rule = format!("{} has no such field", part.version);
            let path = part.path(&key.to_text());
            findings.add(
                path,
                value,
                "unknown-field",
                &rule,
                "remove it or correct its name",
            );
        }
    }
    let is_tiered = part.get("tiered") == Some(&Value::Bool(true));
    for field in fields {
        let path = part.path(field.name);
        let Some(value) = part.get(field.name) else {
            let is_needed = match field.need {
                Need::Required => true,
                Need::Optional => false,
                Need::IfTiered => is_tiered,
            };
            if is_needed {
                let rule = format!("{} needs this field", part.version);
                let remedy = format!("add it as {}", field.kind.name());
                findings.push(path, String::new(), "missing-field", &rule, &remedy);
            }
            continue;
        };
        if field.need == Need::IfTiered && !is_tiered {
            let rule = "a tier field has no meaning unless tiered is true";
            findings.add(
                path,
                value,
                "unknown-field",
                rule,
                "remove it or set tiered",
            );
        } else if !has_kind(value, field.kind) {
            let kind = field.kind.name();
            let rule = format!("it must be {kind}");
            let remedy = match (field.name, value) {
                ("enterprise", _) => "write \"\" when nothing is encrypted".to_owned(),
                (_, Value::String(_)) => format!("write {kind}, without quotes around the whole"),
                (
                    _,
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::Array(_)
                    | Value::Object(_),
                ) => format!("write {kind}"),
            };
            findings.add(path, value, "type", &rule, &remedy);
        }
    }
}

fn has_kind(value: &Value, kind: FieldKind) -> bool {
    let all = |matches: fn(&Value) -> bool| {
        value
            .as_array()
            .is_some_and(|items| items.iter().all(matches))
    };
    match kind {
        FieldKind::Number => matches!(value, Value::Number(_)),
        FieldKind::Text => matches!(value, Value::String(_)),
        FieldKind::Flag => matches!(value, Value::Bool(_)),
        FieldKind::Texts => all(|item| matches!(item, Value::String(_))),
        FieldKind::Numbers => all(|item| matches!(item, Value::Number(_))),
        // Each item is looked at by itself.
        FieldKind::Components => value.as_array().is_some(),
    }
}

/// Reports every string that is not well-formed or contains a null character, which ends a text in many programs.
pub(super) fn check_text(findings: &mut Findings, path: &str, value: &Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => {
            let rule = "text must be well-formed and without null characters";
            if text.as_str().is_none_or(|text| text.contains('\0')) {
                findings.add(path, value, "text", rule, "remove the character");
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                check_text(findings, &format!("{path}[{place}]"), item);
            }
        }
        Value::Object(object) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (key, item) in object.iter() {
                check_text(findings, &format!("{path}{dot}{key}"), item);
            }
        }
    }
}
