//! What FluxOS takes: JSON under any media type, or a form; a header of either kind (`ensureObject` of `serviceHelper.js`).
//!
//! Three things FluxOS lets pass are refused, because readers disagree about what they mean and what is registered is paid
//! for: keys given twice, texts that are not UTF-8, and bodies without end.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use fluxplane_app_spec::json::{
    JsString, Limits, Object, ParseErrorKind, Value, number_from_text, parse,
};

use super::envelope::Refused;
use crate::rest::{Failure, Gateway, extract::read_body};

/// Deepest nesting. A specification needs four levels, in a message five.
const MAX_DEPTH: usize = 32;

/// The body of a request as an object; empty when it is none.
#[derive(Debug)]
pub struct Fields(pub Object);

impl FromRequest<Gateway> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, Refusal> {
        let bytes: Bytes = read_body(request, gateway).await.map_err(Refusal::Whole)?;
        Ok(Self(object(&bytes, gateway.config.body_limit_bytes)?))
    }
}

/// A body that is not taken: as a whole, or for what it says.
#[derive(Debug)]
pub enum Refusal {
    Whole(Failure),
    Content(Refused),
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Content(refused)
    }
}

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> axum::response::Response {
        match self {
            Self::Whole(failure) => failure.into_response(),
            Self::Content(refused) => refused.into_response(),
        }
    }
}

impl Fields {
    /// A field that is there and counts as such in JavaScript.
    pub fn truthy(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| value.is_truthy())
    }

    /// The first of these fields that counts, as text; empty when none does.
    pub fn text(&self, names: &[&str]) -> String {
        let found = names.iter().find_map(|name| self.truthy(name));
        found.map(text_of).unwrap_or_default()
    }
}

/// `ensureString`: a text as it is, anything else as JSON.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_text().into_owned(),
        other => fluxplane_app_spec::json::stringify(other),
    }
}

/// `ensureNumber` for what must be a whole number.
pub fn whole_of(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => Value::Number(number_from_text(text)).as_u64(),
        other => other.as_u64(),
    }
}

/// `ensureObject`: an object, or the object that a text stands for.
pub fn ensure_object(value: Value) -> Result<Object, Refused> {
    match value {
        Value::Object(object) => Ok(object),
        Value::String(text) => {
            let text = text.to_text();
            object(text.as_bytes(), text.len())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Ok(Object::default()),
    }
}

/// The object that a text stands for: JSON, else a form.
pub fn object(bytes: &[u8], max_bytes: usize) -> Result<Object, Refused> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Refused::error("The text is not UTF-8; encode it as UTF-8."))?;
    let limits = Limits {
        max_bytes,
        max_depth: MAX_DEPTH,
    };
    match parse(bytes, limits) {
        Ok(document) => {
            if let Some(duplicate) = document.duplicates.first() {
                return Err(repeated(&duplicate.path));
            }
            // FluxOS reads a text inside of a text where it expects an object.
            match document.value {
                Value::String(inner) if inner.to_text().trim_start().starts_with('{') => {
                    ensure_object(Value::String(inner))
                }
                Value::Object(object) => Ok(object),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => Ok(Object::default()),
            }
        }
        Err(err) => match err.kind {
            ParseErrorKind::TooLarge { .. } | ParseErrorKind::TooDeep { .. } => {
                Err(Refused::error(err.to_string()))
            }
            ParseErrorKind::NotUtf8
            | ParseErrorKind::UnexpectedEnd
            | ParseErrorKind::Unexpected { .. }
            | ParseErrorKind::TrailingText { .. }
            | ParseErrorKind::BadNumber(_)
            | ParseErrorKind::ControlCharacter(_)
            | ParseErrorKind::BadEscape(_) => form(text),
        },
    }
}

/// A form, as `qs.stringify` makes it.
fn form(text: &str) -> Result<Object, Refused> {
    let mut object = Object::default();
    for (key, value) in form_urlencoded::parse(text.as_bytes()) {
        if object.get(&key).is_some() {
            return Err(repeated(&key));
        }
        object.set(JsString::from(&*key), Value::from(&*value));
    }
    Ok(object)
}

fn repeated(path: &str) -> Refused {
    Refused::error(format!(
        "{path} is given twice; readers disagree which value counts. Remove one of the two."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Refused> {
        let object = object(text.as_bytes(), 10_000)?;
        Ok(fluxplane_app_spec::json::stringify(&Value::Object(object)))
    }

    #[test]
    fn json_and_forms_are_objects_and_the_rest_is_empty() {
        assert_eq!(read(r#"{"b":1.0,"a":"x"}"#).unwrap(), r#"{"b":1,"a":"x"}"#);
        assert_eq!(
            read("zelid=1a&signature=H%2B%3D").unwrap(),
            r#"{"zelid":"1a","signature":"H+="}"#
        );
        assert_eq!(read(r#""{\"a\":1}""#).unwrap(), r#"{"a":1}"#);
        for nothing in ["", "[]", "7", "null", "true"] {
            assert_eq!(read(nothing).unwrap(), "{}", "{nothing}");
        }
    }

    #[test]
    fn what_readers_disagree_about_is_refused() {
        for wrong in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            "a=1&a=2",
            r#""{\"a\":1,\"a\":2}""#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(object(b"{\"a\":\"\xff\"}", 100).is_err());
        assert!(object(&b"[".repeat(50), 100).is_err());
        assert!(object(b"{}          ", 5).is_err());
    }
}
