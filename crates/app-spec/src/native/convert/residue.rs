//! Differences between what the native fields amount to and the original.
//!
//! A path is a JSON pointer in which a component goes by its native name, so that it still points at the right one when
//! components were added or removed.

use crate::{
    json::{Limits, Object, Value, parse, stringify},
    legacy::{LegacyVersion, app_fields, component_fields},
    native::model::{Legacy, Residue},
};

/// The differences that turn `amounts_to` into `original`.
pub(super) fn between(amounts_to: &Value, original: &Value, order: &[String]) -> Vec<Residue> {
    let mut differences = Vec::new();
    compare(&mut differences, "", amounts_to, original, order);
    differences
}

fn compare(out: &mut Vec<Residue>, path: &str, was: &Value, value: &Value, order: &[String]) {
    match (was, value) {
        (Value::Object(was), Value::Object(value)) => {
            for (key, original) in value.iter() {
                let key = key.to_text();
                let path = format!("{path}/{key}");
                match was.get(&key) {
                    Some(was) => compare(out, &path, was, original, order),
                    None => out.push(difference(path, None, Some(original))),
                }
            }
            for (key, was) in was.iter() {
                let key = key.to_text();
                if value.get(&key).is_none() {
                    out.push(difference(format!("{path}/{key}"), Some(was), None));
                }
            }
        }
        (Value::Array(was), Value::Array(value))
            if path == "/compose" && was.len() == value.len() =>
        {
            for ((name, was), value) in order.iter().zip(was).zip(value) {
                compare(out, &format!("{path}/{name}"), was, value, order);
            }
        }
        (was, value) if was == value => {}
        (Value::Array(items), Value::Array(originals)) => {
            let mut own = difference(path.to_owned(), Some(was), Some(value));
            if let Some(places) = permutation(items, originals) {
                own.value = None;
                own.order = places;
            }
            out.push(own);
        }
        (was, value) => out.push(difference(path.to_owned(), Some(was), Some(value))),
    }
}

fn difference(path: String, was: Option<&Value>, value: Option<&Value>) -> Residue {
    Residue {
        path,
        was: was.map(stringify),
        value: value.map(stringify),
        order: Vec::new(),
    }
}

/// The place in `items` of each of `originals`, when both are the same texts in another order.
fn permutation(items: &[Value], originals: &[Value]) -> Option<Vec<u32>> {
    if items.len() != originals.len() || items.len() < 2 {
        return None;
    }
    let sorted = |values: &[Value]| {
        let mut places: Vec<(String, usize)> = values.iter().map(stringify).zip(0..).collect();
        places.sort();
        places
    };
    let (items, originals) = (sorted(items), sorted(originals));
    let mut places = vec![0; items.len()];
    for ((text, place), (original, target)) in items.into_iter().zip(originals) {
        if text != original {
            return None;
        }
        places[target] = u32::try_from(place).ok()?;
    }
    Some(places)
}

/// Applies a difference if the value still is what it was.
pub(super) fn apply(value: &mut Value, residue: &Residue, order: &[String]) {
    let Some((parent, key)) = residue.path.rsplit_once('/') else {
        return;
    };
    let Some(object) = object_at(value, parent, order) else {
        return;
    };
    let now = object.get(key);
    if now.map(stringify) != residue.was {
        return;
    }
    let restored = match (&residue.value, residue.order.as_slice(), now) {
        (Some(text), _, _) => read(text),
        (None, places @ [_, ..], Some(Value::Array(items))) => reordered(items, places),
        (None, _, _) => {
            object.remove(key);
            return;
        }
    };
    if let Some(restored) = restored {
        object.set(key, restored);
    }
}

/// The application, or the component that `/compose/name` names.
fn object_at<'a>(value: &'a mut Value, path: &str, order: &[String]) -> Option<&'a mut Object> {
    let Value::Object(root) = value else {
        return None;
    };
    if path.is_empty() {
        return Some(root);
    }
    let name = path.strip_prefix("/compose/")?;
    let place = order.iter().position(|own| own == name)?;
    match root.get_mut("compose")? {
        Value::Array(components) => match components.get_mut(place)? {
            Value::Object(component) => Some(component),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            None
        }
    }
}

fn read(text: &str) -> Option<Value> {
    let limits = Limits {
        max_bytes: usize::MAX,
        max_depth: 256,
    };
    parse(text.as_bytes(), limits)
        .ok()
        .map(|document| document.value)
}

fn reordered(items: &[Value], places: &[u32]) -> Option<Value> {
    if places.len() != items.len() {
        return None;
    }
    let item = |place: &u32| items.get(usize::try_from(*place).ok()?).cloned();
    places
        .iter()
        .map(item)
        .collect::<Option<Vec<Value>>>()
        .map(Value::Array)
}

/// The difference in terms of version 8, if that has such a field.
pub(super) fn in_v8(residue: &Residue, legacy: &Legacy) -> Option<Residue> {
    let (parent, field) = residue.path.rsplit_once('/')?;
    let in_app = |field: &str| app_fields(LegacyVersion::V8).any(|own| own.name == field);
    let in_component =
        |field: &str| component_fields(LegacyVersion::V8).any(|own| own.name == field);
    let is_single = legacy.version < LegacyVersion::V4.number();
    let moved = if is_single && parent.is_empty() && !in_app(field) {
        // Texts of v2 and v3 that are numbers in v8 are left to the native fields.
        let name = match field {
            "enviromentParameters" => "environmentParameters",
            "repotag" | "domains" | "commands" | "containerData" | "cpu" | "ram" | "hdd" => field,
            _ => return None,
        };
        format!("/compose/{}/{name}", legacy.components.first()?)
    } else if (parent.is_empty() && in_app(field)) || (!parent.is_empty() && in_component(field)) {
        residue.path.clone()
    } else {
        return None;
    };
    Some(Residue {
        path: moved,
        ..residue.clone()
    })
}
