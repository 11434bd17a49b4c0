//! What is published of the shape: the JSON Schema and the field reference.
//!
//! The schema takes every document that the reader takes. It says less than the reader: checksums, calendars and rules
//! between fields are beyond it.

use std::fmt::Write as _;

use super::{
    form::Form,
    read::default,
    shape::{APP, Field, Kind, Need, Shape},
};
use crate::json::{Object, Value, pretty};

/// The JSON Schema (draft 2020-12), indented.
pub fn schema() -> String {
    let mut definitions = Vec::new();
    collect(&APP, &mut definitions);
    let own = definitions.iter().filter(|shape| shape.name != APP.name);
    let defs: Object = own
        .map(|shape| (shape.name, object_schema(shape)))
        .collect();
    let mut root = Object::default();
    root.set("$schema", "https://json-schema.org/draft/2020-12/schema");
    root.set("title", "fluxplane/v1");
    for (key, value) in object_schema(&APP).iter() {
        root.set(key.clone(), value.clone());
    }
    root.set("$defs", defs);
    pretty(&Value::Object(root))
}

/// Every shape once, in the order in which a reader meets them.
fn collect(shape: &'static Shape, found: &mut Vec<&'static Shape>) {
    if found.iter().any(|known| known.name == shape.name) {
        return;
    }
    found.push(shape);
    for field in shape.fields {
        if let Some(inner) = inner_shape(field.kind) {
            collect(inner, found);
        }
    }
}

const fn inner_shape(kind: Kind) -> Option<&'static Shape> {
    match kind {
        Kind::Object(shape) => Some(shape),
        Kind::List { item, .. } => inner_shape(*item),
        Kind::Map { value, .. } => inner_shape(*value),
        Kind::Text(_)
        | Kind::Choice(_)
        | Kind::Flag
        | Kind::Whole { .. }
        | Kind::Quantity { .. }
        | Kind::Share => None,
    }
}

fn object_schema(shape: &Shape) -> Object {
    let mut object = Object::default();
    object.set("description", shape.about);
    object.set("type", "object");
    object.set("additionalProperties", false);
    let required = shape
        .fields
        .iter()
        .filter(|field| field.need == Need::Required);
    let required: Vec<Value> = required.map(|field| Value::from(field.name)).collect();
    if !required.is_empty() {
        object.set("required", required);
    }
    let properties: Object = shape
        .fields
        .iter()
        .map(|field| (field.name, field_schema(field)))
        .collect();
    object.set("properties", properties);
    if !shape.one_of.is_empty() {
        let alternatives = shape.one_of.iter().map(|name| {
            let mut alternative = Object::default();
            alternative.set("required", vec![Value::from(*name)]);
            Value::Object(alternative)
        });
        object.set("oneOf", alternatives.collect::<Vec<Value>>());
    }
    object
}

fn field_schema(field: &Field) -> Object {
    let mut object = kind_schema(field.kind);
    object.set("description", field.about);
    if let Need::Default(text) = field.need {
        object.set("default", default(text));
    }
    object
}

fn kind_schema(kind: Kind) -> Object {
    let mut object = Object::default();
    let number = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    match kind {
        Kind::Text(form) => text_schema(&mut object, form),
        Kind::Choice(words) => {
            let words = words.iter().map(|(word, _)| Value::from(*word));
            object.set("enum", words.collect::<Vec<Value>>());
        }
        Kind::Flag => object.set("type", "boolean"),
        Kind::Whole { min, max } => {
            object.set("type", "integer");
            object.set("minimum", bound(min));
            object.set("maximum", bound(max));
        }
        Kind::Quantity { unit, .. } => {
            object.set("type", "string");
            object.set("pattern", unit.pattern());
        }
        Kind::Share => {
            let count: Object = [
                ("type", Value::from("integer")),
                ("minimum", bound(0)),
                ("maximum", bound(1_000)),
            ]
            .into_iter()
            .collect();
            let percentage: Object = [("type", "string"), ("pattern", "^(0|[1-9][0-9]?|100)%$")]
                .into_iter()
                .collect();
            object.set(
                "oneOf",
                vec![Value::Object(count), Value::Object(percentage)],
            );
        }
        Kind::List { item, max } => {
            object.set("type", "array");
            object.set("maxItems", number(max));
            object.set("items", kind_schema(*item));
        }
        Kind::Map {
            key,
            value,
            min,
            max,
        } => {
            let mut names = Object::default();
            text_schema(&mut names, key);
            object.set("type", "object");
            object.set("minProperties", number(min));
            object.set("maxProperties", number(max));
            object.set("propertyNames", names);
            object.set("additionalProperties", kind_schema(*value));
        }
        Kind::Object(shape) => object.set("$ref", format!("#/$defs/{}", shape.name)),
    }
    object
}

fn bound(number: u64) -> Value {
    Value::Number(f64::from(u32::try_from(number).unwrap_or(u32::MAX)))
}

fn text_schema(object: &mut Object, form: &Form) {
    let number = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    object.set("type", "string");
    object.set("minLength", number(form.min));
    object.set("maxLength", number(form.max));
    if let Some(pattern) = form.pattern {
        object.set("pattern", pattern);
    }
}

/// The field reference, in Markdown.
pub fn reference() -> String {
    let mut shapes = Vec::new();
    collect(&APP, &mut shapes);
    let mut text = String::new();
    for shape in shapes {
        write_shape(&mut text, shape);
    }
    text
}

fn write_shape(text: &mut String, shape: &Shape) {
    let mut add = |line: std::fmt::Arguments<'_>| {
        writeln!(text, "{line}").expect("writing to a String cannot fail");
    };
    let Shape { name, about, .. } = shape;
    add(format_args!("### {name}\n\n{about}"));
    if !shape.one_of.is_empty() {
        let names: Vec<String> = shape
            .one_of
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        add(format_args!(
            "\nExactly one of {} is given.",
            names.join(", ")
        ));
    }
    add(format_args!(
        "\n| field | type | if left out | meaning |\n|---|---|---|---|"
    ));
    for field in shape.fields {
        let need = match field.need {
            Need::Required => "**required**".to_owned(),
            Need::Optional => String::new(),
            Need::Default("{}") if matches!(field.kind, Kind::Object(_)) => {
                "all defaults".to_owned()
            }
            Need::Default("{}" | "[]" | "\"\"") => "empty".to_owned(),
            Need::Default(text) => format!("`{}`", text.trim_matches('"')),
        };
        let words = match field.kind {
            Kind::Choice(words) => choices(words),
            Kind::List {
                item: Kind::Choice(words),
                ..
            } => choices(words),
            Kind::Text(_)
            | Kind::Flag
            | Kind::Whole { .. }
            | Kind::Quantity { .. }
            | Kind::Share
            | Kind::List { .. }
            | Kind::Map { .. }
            | Kind::Object(_) => String::new(),
        };
        add(format_args!(
            "| `{}` | {} | {need} | {}{words} |",
            field.name,
            type_name(field.kind),
            field.about
        ));
    }
    add(format_args!(""));
}

/// What the words of a choice mean, where that is not plain.
fn choices(words: &[(&str, &str)]) -> String {
    let explained: Vec<String> = words
        .iter()
        .filter(|(_, about)| !about.is_empty())
        .map(|(word, about)| format!("`{word}`: {about}"))
        .collect();
    if explained.is_empty() {
        String::new()
    } else {
        format!(" {}.", explained.join("; "))
    }
}

fn type_name(kind: Kind) -> String {
    match kind {
        Kind::Text(form) => format!("{}, at most {} characters", form.name, form.max),
        Kind::Choice(words) => {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            words.join(", ")
        }
        Kind::Flag => "true or false".to_owned(),
        Kind::Whole { min, max } => format!("{min} to {max}"),
        Kind::Quantity { unit, min, max } => {
            format!("`{}` to `{}`", unit.write(min), unit.write(max))
        }
        Kind::Share => "number, or per cent such as `25%`".to_owned(),
        Kind::List { item, max } => format!("list of at most {max}: {}", type_name(*item)),
        Kind::Map { value, max, .. } => format!("map of at most {max}: {}", type_name(*value)),
        Kind::Object(shape) => format!("[{}](#{})", shape.name, shape.name.to_ascii_lowercase()),
    }
}
