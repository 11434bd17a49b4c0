//! The way from a text to a specification, with everything that is wrong on it.

use std::fmt;

use super::{
    LIMITS,
    findings::Findings,
    model::NativeSpec,
    read::read,
    rules,
    shape::{APP, Kind},
    yaml,
};
use crate::{
    json::{self, Limits, Value, stringify},
    strict::Finding,
};

/// What a text is.
#[derive(Debug)]
pub struct Examined {
    /// The specification, when everything in the text has a meaning, even if some of it breaks rules.
    pub spec: Option<NativeSpec>,
    /// What must be changed; empty when the specification is good.
    pub findings: Vec<Finding>,
}

/// A text that is no good specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// At least one.
    pub findings: Vec<Finding>,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.findings.first() else {
            return f.write_str("the specification is refused");
        };
        let path = if first.path.is_empty() {
            "specification"
        } else {
            &first.path
        };
        write!(f, "{path}: {}; {}", first.rule, first.remedy)?;
        match self.findings.len() - 1 {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl std::error::Error for Rejected {}

/// Reads a specification that keeps all rules.
///
/// # Errors
/// With everything that is wrong.
pub fn parse(text: &[u8]) -> Result<NativeSpec, Rejected> {
    match examine(text) {
        Examined {
            spec: Some(spec),
            findings,
        } if findings.is_empty() => Ok(spec),
        Examined { findings, .. } => Err(Rejected { findings }),
    }
}

/// Reads a specification and lists what is wrong with it. A text that begins with `{` is JSON, any other YAML.
pub fn examine(text: &[u8]) -> Examined {
    let mut findings = Findings::default();
    let spec = read_document(&mut findings, text)
        .and_then(|value| of_value(&mut findings, &value))
        .filter(|_| !findings.is_lossy());
    Examined {
        spec,
        findings: findings.finish(),
    }
}

/// The value of a text, JSON or YAML, whatever kind of specification it is.
///
/// # Errors
/// With what keeps it from being read, and with keys that are given twice.
pub fn read_value(text: &[u8]) -> Result<Value, Rejected> {
    let mut findings = Findings::default();
    let value = read_document(&mut findings, text);
    let findings = findings.finish();
    value
        .filter(|_| findings.is_empty())
        .ok_or(Rejected { findings })
}

/// Whether a value is meant as a native specification and not as one of FluxOS: those have a `version` and no `schema`.
pub fn is_native_value(value: &Value) -> bool {
    value.as_object().is_some_and(|object| {
        object.get("schema").is_some()
            || object.get("version").is_none() && object.get("components").is_some()
    })
}

/// Whether a text is meant as a native specification and not as one of FluxOS: those are JSON with a `version` and without
/// a `schema`.
pub fn is_native(text: &[u8]) -> bool {
    if !is_json(text) {
        return true;
    }
    let Ok(document) = json::parse(text, Limits::default()) else {
        return false;
    };
    is_native_value(&document.value)
}

fn is_json(text: &[u8]) -> bool {
    text.trim_ascii_start().first() == Some(&b'{')
}

/// The value of a text.
fn read_document(findings: &mut Findings, text: &[u8]) -> Option<Value> {
    let read = if is_json(text) {
        json::parse(text, LIMITS)
            .map(|document| {
                let duplicates = document.duplicates.into_iter();
                let paths = duplicates.map(|duplicate| duplicate.path);
                (document.value, paths.collect::<Vec<_>>())
            })
            .map_err(|error| error.to_string())
    } else {
        yaml::read(text, LIMITS)
            .map(|document| (document.value, document.duplicates))
            .map_err(|error| error.to_string())
    };
    let (value, duplicates) = match read {
        Ok(read) => read,
        Err(message) => {
            let (rule, remedy) = message
                .rsplit_once("; ")
                .unwrap_or((&message, "correct the text there"));
            findings.note("", "text", rule, remedy);
            return None;
        }
    };
    for path in duplicates {
        let rule = "a key may be given once; readers disagree which value counts";
        findings.set_lossy();
        findings.note(&path, "duplicate-key", rule, "remove one of the two");
    }
    Some(value)
}

/// The specification that a value stands for.
pub(super) fn of_value(findings: &mut Findings, value: &Value) -> Option<NativeSpec> {
    let value = read(findings, "", value, Kind::Object(&APP))?;
    let spec = NativeSpec::from_model(&value);
    rules::check(findings, &spec);
    Some(spec)
}

impl NativeSpec {
    /// What is wrong with a specification that was made rather than read.
    pub fn findings(&self) -> Vec<Finding> {
        examine(self.canonical().as_bytes()).findings
    }

    /// From the value in which amounts are integers and defaults are filled in.
    fn from_model(value: &Value) -> Self {
        serde_json::from_str(&stringify(value)).expect(
            "the reader leaves only what the shape describes, and the model has the same shape",
        )
    }
}
