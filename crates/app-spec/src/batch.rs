//! One JSON line in, one JSON line out: `fluxctl spec check --batch` and `fluxctl spec hash --batch`.
//!
//! The functions never fail: a line that cannot be worked on is answered by `{"error": "…"}`. Numbers are printed as
//! JavaScript prints them, so that outputs compare byte for byte with those of FluxOS.

use crate::{
    json::{DuplicateKey, Limits, Object, Value, parse, stringify},
    legacy::{Context, judge},
    message::{AppMessage, MessageType, recover_signer, verifies},
    strict::{self, Finding},
};

/// A line that cannot be worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error(transparent)]
    Json(#[from] crate::json::ParseError),
    #[error("the line must be an object, not {0}")]
    NoObject(&'static str),
    #[error("{field} is missing; add {expected}")]
    Missing {
        field: &'static str,
        expected: &'static str,
    },
    #[error("{field} is {value}; it must be {expected}")]
    Type {
        field: &'static str,
        value: String,
        expected: &'static str,
    },
}

/// A line that was read.
#[derive(Debug)]
pub struct Line {
    object: Object,
    duplicates: Vec<DuplicateKey>,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn read(line: &[u8]) -> Result<Self, LineError> {
        let document = parse(line, Limits::default())?;
        match document.value {
            Value::Object(object) => Ok(Self {
                object,
                duplicates: document.duplicates,
            }),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)) => Err(LineError::NoObject(other.kind())),
        }
    }

    /// A field that may be absent; `null` counts as absent.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.object
            .get(field)
            .filter(|value| **value != Value::Null)
    }

    /// A field that must be there, even if it is `null`.
    ///
    /// # Errors
    /// When it is missing.
    pub fn take(
        &mut self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<Value, LineError> {
        self.object
            .take(field)
            .ok_or(LineError::Missing { field, expected })
    }

    /// A whole number of at least zero.
    ///
    /// # Errors
    /// When it is missing or anything else.
    pub fn whole(&self, field: &'static str) -> Result<u64, LineError> {
        self.read_as(field, "a whole number of at least zero", Value::as_u64)
    }

    /// A text.
    ///
    /// # Errors
    /// When it is missing or anything else.
    pub fn text(&self, field: &'static str) -> Result<String, LineError> {
        let owned = |value: &Value| value.as_str().map(str::to_owned);
        self.read_as(field, "a string", owned)
    }

    /// A field read by `read`.
    ///
    /// # Errors
    /// When it is missing, or `read` refuses it.
    pub fn read_as<T>(
        &self,
        field: &'static str,
        expected: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, LineError> {
        let value = self
            .object
            .get(field)
            .ok_or(LineError::Missing { field, expected })?;
        read(value).ok_or_else(|| LineError::Type {
            field,
            value: stringify(value),
            expected,
        })
    }

    /// The duplicate keys inside one field, with paths from there.
    fn duplicates_in(&self, field: &str) -> Vec<DuplicateKey> {
        let inside = self.duplicates.iter().filter_map(|duplicate| {
            let path = duplicate.path.strip_prefix(field)?;
            let path = path
                .strip_prefix('.')
                .or_else(|| path.starts_with('[').then_some(path))?;
            Some(DuplicateKey {
                path: path.to_owned(),
                offset: duplicate.offset,
            })
        });
        inside.collect()
    }
}

/// The answer to a line that cannot be worked on.
pub fn error_answer(error: &dyn std::error::Error) -> String {
    answer([("error", Value::from(error.to_string()))])
}

/// An answer with these fields in this order.
pub fn answer<const N: usize>(fields: [(&str, Value); N]) -> String {
    stringify(&Value::Object(fields.into_iter().collect()))
}

/// `{"height", "spec"}` -> `{"accepted", "error", "canonical", "strict"}`.
pub fn check_line(line: &[u8]) -> String {
    check(line).unwrap_or_else(|error| error_answer(&error))
}

fn check(line: &[u8]) -> Result<String, LineError> {
    let mut line = Line::read(line)?;
    let height = line.whole("height")?;
    let duplicates = line.duplicates_in("spec");
    let spec = line.take("spec", "the specification")?;
    let judged = judge(spec.clone(), height, &Context::shipped());
    let findings = strict::check(&spec, &duplicates, judged.as_ref().err());
    let strict = findings.iter().map(finding_value).collect::<Vec<_>>();
    let (error, canonical) = match judged {
        Ok(spec) => (None, Some(spec.canonical())),
        Err(error) => (Some(error.to_string()), None),
    };
    Ok(answer([
        ("accepted", error.is_none().into()),
        ("error", error.into()),
        ("canonical", canonical.into()),
        ("strict", strict.into()),
    ]))
}

fn finding_value(finding: &Finding) -> Value {
    let Finding {
        path,
        value,
        code,
        rule,
        remedy,
    } = finding;
    let fields = [
        ("path", path.as_str()),
        ("value", value),
        ("code", code),
        ("rule", rule),
        ("remedy", remedy),
    ];
    Value::Object(fields.into_iter().collect())
}

/// `{"type", "version", "spec", "timestamp", "signature"?}` -> `{"signedText", "hash", "signer"?}`.
///
/// The specification is taken in the key order in which it stands. If the owner's signature fits only a historic key
/// order, text and hash are in that order, because that is what was signed. Without a signature the hash is that of the
/// text alone. A signature that names no key is answered with `signer` null and `signatureError`.
pub fn hash_line(line: &[u8]) -> String {
    hash(line).unwrap_or_else(|error| error_answer(&error))
}

fn hash(line: &[u8]) -> Result<String, LineError> {
    let mut line = Line::read(line)?;
    let kind = line.read_as(
        "type",
        "fluxappregister, fluxappupdate, zelappregister or zelappupdate",
        |value| value.as_str()?.parse::<MessageType>().ok(),
    )?;
    let version = line.read_as("version", "the message version 1", |value| {
        u32::try_from(value.as_u64()?).ok()
    })?;
    let timestamp = line.whole("timestamp")?;
    let signature = line
        .get("signature")
        .map(|_| line.text("signature"))
        .transpose()?;
    let spec = line.take("spec", "the specification")?;
    let owner = match &spec {
        Value::Object(object) => object
            .get("owner")
            .and_then(Value::as_str)
            .unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(LineError::Type {
                field: "spec",
                value: stringify(&spec),
                expected: "an object",
            });
        }
    };
    let owner = owner.to_owned();
    let is_signed = signature.is_some();
    let message = AppMessage {
        kind,
        version,
        spec,
        timestamp,
        signature: signature.unwrap_or_default(),
    };
    let text = signed_order(&message, &owner);
    let hash = crate::message::message_hash(&text, &message.signature);
    let mut fields: Object = [("signedText", text.as_str()), ("hash", &hash)]
        .into_iter()
        .collect();
    if is_signed {
        match recover_signer(&text, &owner, &message.signature) {
            Ok(signer) => fields.set("signer", signer),
            Err(error) => {
                fields.set("signer", Value::Null);
                fields.set("signatureError", error.to_string());
            }
        }
    }
    Ok(stringify(&Value::Object(fields)))
}

/// The text in the key order that the owner signed, or as given.
fn signed_order(message: &AppMessage, owner: &str) -> String {
    use crate::message::Scheme::ByOwner;
    let text = message.signed_text();
    if verifies(&text, owner, &message.signature, ByOwner) {
        return text;
    }
    message
        .historic_text()
        .filter(|historic| verifies(historic, owner, &message.signature, ByOwner))
        .unwrap_or(text)
}
