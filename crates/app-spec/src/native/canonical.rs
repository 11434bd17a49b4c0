//! The canonical form: one text for one meaning.
//!
//! Amounts are written in one notation and fields that equal their default are left out. So a document means the same
//! whether a default is written or not, and a field that a later release adds does not change the hash of older documents.

use super::{
    model::NativeSpec,
    read::default,
    shape::{APP, Field, Kind, Need, Shape},
};
use crate::json::{Limits, Object, Value, canonicalize, parse, stringify};

impl NativeSpec {
    /// The canonical JSON text (RFC 8785). It reads back as the same specification.
    pub fn canonical(&self) -> String {
        canonicalize(&self.to_value()).expect("a model holds well-formed text and integers only")
    }

    /// The specification as a document, with its fields in the order of the reference.
    pub fn to_value(&self) -> Value {
        let text = serde_json::to_vec(self).expect("maps of the model have text keys");
        let limits = Limits {
            max_bytes: usize::MAX,
            ..Limits::default()
        };
        let model = parse(&text, limits).expect("serde_json writes JSON").value;
        write(&model, Kind::Object(&APP))
    }
}

/// From the value of the model to the value of a document.
fn write(value: &Value, kind: Kind) -> Value {
    match (kind, value) {
        (Kind::Quantity { unit, .. }, Value::Number(_)) => value
            .as_u64()
            .map_or(Value::Null, |amount| unit.write(amount).into()),
        (Kind::List { item, .. }, Value::Array(items)) => {
            Value::Array(items.iter().map(|value| write(value, *item)).collect())
        }
        (Kind::Map { value: kind, .. }, Value::Object(object)) => object
            .iter()
            .map(|(key, value)| (key.clone(), write(value, *kind)))
            .collect::<Object>()
            .into(),
        (Kind::Object(shape), Value::Object(object)) => write_object(object, shape),
        (
            Kind::Text(_)
            | Kind::Choice(_)
            | Kind::Flag
            | Kind::Whole { .. }
            | Kind::Share
            | Kind::Quantity { .. }
            | Kind::List { .. }
            | Kind::Map { .. }
            | Kind::Object(_),
            _,
        ) => value.clone(),
    }
}

fn write_object(object: &Object, shape: &Shape) -> Value {
    let members = shape.fields.iter().filter_map(|field| {
        let value = object
            .get(field.name)
            .filter(|value| **value != Value::Null)?;
        let value = write(value, field.kind);
        (!is_default(&value, field)).then_some((field.name, value))
    });
    Value::Object(members.collect())
}

/// Whether a value, already without its own defaults, is the default of its field.
fn is_default(value: &Value, field: &Field) -> bool {
    match field.need {
        Need::Required | Need::Optional => false,
        Need::Default(text) => match value {
            // Defaults are written as the canonical form writes them; a test checks it.
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => *value == default(text),
            Value::Object(_) => stringify(value) == text,
        },
    }
}
