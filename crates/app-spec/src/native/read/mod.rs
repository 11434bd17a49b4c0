//! From the value of a document to the value of the model: fields are known and complete, amounts are integers, defaults
//! are filled in.
//!
//! Everything wrong is collected. A text of the wrong form or an amount out of bounds is a finding but still has a value,
//! so that later rules can be checked as well; a value of the wrong type has none, and then there is no model.

mod scalar;

use serde::de::DeserializeOwned;

use super::{
    findings::{Findings, item, member},
    shape::{Field, Kind, Need, Shape},
};
use crate::json::{Limits, Object, Value, parse, stringify};

/// Reads a value of this kind; `None` when there is no meaning to it.
pub(super) fn read(
    findings: &mut Findings,
    path: &str,
    value: &Value,
    kind: Kind,
) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null) => {
            let name = kind.name();
            findings.add(
                path,
                value,
                "null",
                format!("it must be {name}, not null"),
                "leave the field out, or write a value",
            );
            None
        }
        (Kind::Text(form), Value::String(text)) => scalar::text(findings, path, value, text, form),
        (Kind::Choice(words), Value::String(text)) => {
            scalar::choice(findings, path, value, text, words)
        }
        (Kind::Flag, Value::Bool(_)) => Some(value.clone()),
        (Kind::Whole { min, max }, Value::Number(_)) => {
            scalar::whole(findings, path, value, min, max)
        }
        (Kind::Share, Value::Number(_)) => scalar::whole(findings, path, value, 0, 1_000),
        (Kind::Share, Value::String(text)) => scalar::percentage(findings, path, value, text),
        (Kind::Quantity { unit, min, max }, Value::String(text)) => {
            scalar::quantity(findings, path, value, text, (unit, min, max))
        }
        (Kind::List { item, max }, Value::Array(items)) => {
            read_list(findings, path, items, *item, max)
        }
        (Kind::Map { .. }, Value::Object(object)) => read_map(findings, path, object, kind),
        (Kind::Object(shape), Value::Object(object)) => read_object(findings, path, object, shape),
        (
            Kind::Text(_)
            | Kind::Choice(_)
            | Kind::Flag
            | Kind::Whole { .. }
            | Kind::Quantity { .. }
            | Kind::Share
            | Kind::List { .. }
            | Kind::Map { .. }
            | Kind::Object(_),
            Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
        ) => {
            wrong_type(findings, path, value, kind);
            None
        }
    }
}

fn wrong_type(findings: &mut Findings, path: &str, value: &Value, kind: Kind) {
    let name = kind.name();
    let rule = format!("it must be {name}, not {}", value.kind());
    let remedy = match (kind, value) {
        (Kind::Quantity { unit, .. }, Value::Number(_)) => {
            format!("a bare number has no unit; {}", unit.remedy())
        }
        (Kind::Text(_) | Kind::Choice(_), Value::Number(_) | Value::Bool(_)) => {
            "write it in quotes".to_owned()
        }
        (Kind::Flag | Kind::Whole { .. }, Value::String(_)) => "write it without quotes".to_owned(),
        (Kind::List { .. }, _) => {
            "write a list: one entry per line, each after a hyphen, or in [ ]".to_owned()
        }
        (Kind::Map { .. } | Kind::Object(_), _) => {
            "write one `name: value` per line, or in { }".to_owned()
        }
        (
            Kind::Text(_)
            | Kind::Choice(_)
            | Kind::Flag
            | Kind::Whole { .. }
            | Kind::Share
            | Kind::Quantity { .. },
            _,
        ) => format!("write {name}"),
    };
    findings.add(path, value, "type", rule, remedy);
}

fn read_map(findings: &mut Findings, path: &str, object: &Object, kind: Kind) -> Option<Value> {
    let Kind::Map {
        key,
        value: kind,
        min,
        max,
    } = kind
    else {
        return None;
    };
    let count = object.len();
    if !(min..=max).contains(&count) {
        let rule = format!("it has {count} entries, {min} to {max} are allowed");
        let remedy = if count < min {
            "add one"
        } else {
            "remove some"
        };
        findings.note(path, "count", rule, remedy);
    }
    let mut members = Vec::new();
    let mut is_whole = true;
    for (name, value) in object.iter() {
        let own = member(path, &name.to_text());
        let name_value = Value::String(name.clone());
        let read_name = scalar::text(findings, &own, &name_value, name, key);
        match (read_name, read(findings, &own, value, *kind)) {
            (Some(_), Some(value)) => members.push((name.clone(), value)),
            (Some(_) | None, Some(_) | None) => is_whole = false,
        }
    }
    is_whole.then(|| Value::Object(members.into_iter().collect()))
}

fn read_list(
    findings: &mut Findings,
    path: &str,
    items: &[Value],
    kind: Kind,
    max: usize,
) -> Option<Value> {
    if items.len() > max {
        let rule = format!("it has {} entries, at most {max} are allowed", items.len());
        findings.note(path, "count", rule, "remove some");
    }
    let mut list = Vec::new();
    let mut is_whole = true;
    for (place, value) in items.iter().enumerate() {
        match read(findings, &item(path, place), value, kind) {
            Some(value) => list.push(value),
            None => is_whole = false,
        }
    }
    is_whole.then_some(Value::Array(list))
}

fn read_object(
    findings: &mut Findings,
    path: &str,
    object: &Object,
    shape: &'static Shape,
) -> Option<Value> {
    for (key, value) in object.iter() {
        if shape.fields.iter().all(|field| *key != *field.name) {
            findings.set_lossy();
            if findings.is_full() {
                // Counted only: proposing names for a million keys would take long.
                findings.note("", "unknown-field", "", "");
                continue;
            }
            let known = shape.fields.iter().map(|field| field.name);
            let remedy = scalar::nearest(&key.to_text(), known).map_or_else(
                || "remove it or correct its name".to_owned(),
                |name| format!("did you mean {name}?"),
            );
            let rule = format!("{} has no such field", shape.name);
            findings.add(
                &member(path, &key.to_text()),
                value,
                "unknown-field",
                rule,
                remedy,
            );
        }
    }
    check_one_of(findings, path, object, shape);
    let mut members: Vec<(&str, Value)> = Vec::new();
    let mut is_whole = true;
    for field in shape.fields {
        match read_field(findings, path, object, field, shape) {
            Read::Value(value) => members.push((field.name, value)),
            Read::Absent => {}
            Read::Broken => is_whole = false,
        }
    }
    is_whole.then(|| Value::Object(members.into_iter().collect()))
}

enum Read {
    Value(Value),
    Absent,
    Broken,
}

fn read_field(
    findings: &mut Findings,
    path: &str,
    object: &Object,
    field: &'static Field,
    shape: &Shape,
) -> Read {
    let own = member(path, field.name);
    let read_given = |findings: &mut Findings, value: &Value| {
        read(findings, &own, value, field.kind).map_or(Read::Broken, Read::Value)
    };
    if let Some(value) = object.get(field.name) {
        return read_given(findings, value);
    }
    match field.need {
        Need::Required => {
            let rule = format!("{} needs this field", shape.name);
            let remedy = format!("add {}: {}", field.name, field.kind.name());
            findings.note(&own, "missing-field", rule, remedy);
            Read::Broken
        }
        Need::Optional => Read::Absent,
        Need::Default(text) => read_given(findings, &default(text)),
    }
}

/// The value of a default.
pub(super) fn default(text: &str) -> Value {
    parse(text.as_bytes(), Limits::default())
        .expect("defaults are JSON texts of ours; a test reads them all")
        .value
}

/// An object of this shape with its defaults. What must be given is empty or zero, and has to be set by the caller.
pub(super) fn default_of<T: DeserializeOwned>(shape: &'static Shape) -> T {
    let mut nothing = Findings::default();
    let members = shape.fields.iter().filter_map(|field| {
        let value = match field.need {
            Need::Required => blank(field.kind),
            Need::Optional => return None,
            Need::Default(text) => read(&mut nothing, "", &default(text), field.kind)?,
        };
        Some((field.name, value))
    });
    let object = Value::Object(members.collect());
    serde_json::from_str(&stringify(&object)).expect("the model has the shape of the description")
}

/// The emptiest value of a kind.
fn blank(kind: Kind) -> Value {
    match kind {
        Kind::Text(_) => Value::from(""),
        Kind::Choice(words) => Value::from(words[0].0),
        Kind::Flag => Value::from(false),
        Kind::Whole { .. } | Kind::Quantity { .. } | Kind::Share => Value::from(0.0),
        Kind::List { .. } => Value::from(Vec::new()),
        Kind::Map { .. } | Kind::Object(_) => Value::from(Object::default()),
    }
}

fn check_one_of(findings: &mut Findings, path: &str, object: &Object, shape: &Shape) {
    let names = shape.one_of;
    let given: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| object.get(name).is_some())
        .collect();
    if names.is_empty() || given.len() == 1 {
        return;
    }
    let rule = format!("{} has exactly one of {}", shape.name, names.join(", "));
    match given.as_slice() {
        [] => findings.note(path, "one-of", rule, format!("add {}", names[0])),
        [first, ..] => {
            let value = stringify(&Value::Array(
                given.iter().map(|name| Value::from(*name)).collect(),
            ));
            findings.add(
                path,
                &Value::from(value),
                "one-of",
                rule,
                format!("keep {first} only, or another one"),
            );
        }
    }
}
