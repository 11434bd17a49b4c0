//! The coercions of FluxOS (`ensureString`, `ensureNumber`, `ensureBoolean`, `ensureObject` of `serviceHelper.js`)
//! and of JavaScript itself, including the errors that they throw.
//!
//! `None` stands for `undefined`.

use crate::json::{
    JsString, Limits, Object, Value, number_from_text, number_text, parse, stringify,
};

/// The text of the `TypeError` for an object that has no primitive form. JSON can make one: an own
/// property `toString` hides the built-in function.
const NO_PRIMITIVE: &str = "Cannot convert object to primitive value";

/// A JavaScript exception: its message.
pub(super) type Thrown = String;

/// `!!value`.
pub(super) fn truthy(value: Option<&Value>) -> bool {
    value.is_some_and(Value::is_truthy)
}

/// `ensureString`: texts stay, everything else is written as JSON, `undefined` stays undefined.
pub(super) fn ensure_string(value: Option<Value>) -> Option<JsString> {
    match value? {
        Value::String(text) => Some(text),
        other => Some(stringify(&other).into()),
    }
}

/// `ensureString` of a value that is there.
pub(super) fn ensure_text(value: Value) -> JsString {
    match value {
        Value::String(text) => text,
        other => stringify(&other).into(),
    }
}

/// `ensureNumber`, which is `Number(value)`.
pub(super) fn ensure_number(value: Option<&Value>) -> Result<f64, Thrown> {
    match value {
        None => Ok(f64::NAN),
        Some(Value::Null) => Ok(0.0),
        Some(Value::Bool(flag)) => Ok(f64::from(u8::from(*flag))),
        Some(Value::Number(number)) => Ok(*number),
        Some(Value::String(text)) => Ok(number_from_text(text)),
        Some(Value::Array(items)) => Ok(number_from_text(&join(items)?)),
        Some(Value::Object(object)) => primitive(object).map(|_| f64::NAN),
    }
}

/// `ensureBoolean`: `true`, `false`, 1 and 0, also as texts; everything else is `undefined`.
#[expect(clippy::float_cmp, reason = "JavaScript compares with ===")]
pub(super) fn ensure_boolean(value: Option<&Value>) -> Option<bool> {
    match value? {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) if *number == 0.0 => Some(false),
        Value::Number(number) if *number == 1.0 => Some(true),
        Value::String(text) if *text == "false" || *text == "0" => Some(false),
        Value::String(text) if *text == "true" || *text == "1" => Some(true),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// `ensureObject` followed by `Array.isArray`: an array, or a text that is the JSON of one.
///
/// A text that is no JSON goes through `qs.parse` in FluxOS, which never returns an array.
pub(super) fn ensure_array(value: Option<Value>) -> Option<Vec<Value>> {
    match value? {
        Value::Array(items) => Some(items),
        Value::String(text) => match parse(text.as_str()?.as_bytes(), Limits::default()) {
            Ok(document) => match document.value {
                Value::Array(items) => Some(items),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Object(_) => None,
            },
            Err(_) => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// `String(value)`, as in a template literal.
pub(super) fn display(value: Option<&Value>) -> Result<JsString, Thrown> {
    match value {
        None => Ok("undefined".into()),
        Some(Value::Null) => Ok("null".into()),
        Some(Value::Bool(flag)) => Ok(if *flag { "true" } else { "false" }.into()),
        Some(Value::Number(number)) => Ok(number_text(*number).into()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(items)) => join(items),
        Some(Value::Object(object)) => primitive(object),
    }
}

/// `Array.prototype.join(',')`: null is empty.
fn join(items: &[Value]) -> Result<JsString, Thrown> {
    let mut units = Vec::new();
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            units.push(u16::from(b','));
        }
        if *item != Value::Null {
            units.extend(display(Some(item))?.units());
        }
    }
    Ok(JsString::from_units(units))
}

/// `ToPrimitive` of an object from JSON. Its `valueOf` returns the object itself, or is hidden by a property
/// that is no function; so all depends on `toString`.
fn primitive(object: &Object) -> Result<JsString, Thrown> {
    if object.get("toString").is_some() {
        Err(NO_PRIMITIVE.to_owned())
    } else {
        Ok("[object Object]".into())
    }
}
