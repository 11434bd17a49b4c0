//! Between FluxOS' specifications and the native one.
//!
//! The way in never loses anything: what has a native field goes there, and where the native fields do not amount to the
//! original to the byte, the difference is kept in `legacy.residue`. Each difference names what it replaces, so that it
//! counts only while the field is untouched: edits of the native document win.
//!
//! The way out is checked: whatever the target has no field for is a misfit with its path and reason, never dropped.

mod export;
mod import;
mod misfits;
mod plain;
mod residue;
mod volumes;

use serde::Serialize;

use super::model::{Legacy, NativeSpec};
use crate::{
    json::{Limits, Object, Value, number_text, parse},
    legacy::{Context, Field, FieldKind, LegacySpec, LegacyVersion, app_fields, component_fields},
    strict,
};

/// Something that the target has no place for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// The field of the native document, or of the result when the result as a whole is refused.
    pub path: String,
    pub reason: String,
}

/// Converts a specification of FluxOS. [`to_legacy`] of the result has the same canonical bytes.
///
/// FluxOS takes values that no machine can have; [`NativeSpec::findings`] of the result says what must be changed.
///
/// # Errors
/// When the version is none of 1 to 8.
pub fn from_legacy(legacy: &LegacySpec) -> Result<NativeSpec, Misfit> {
    let Some(version) = legacy.known_version() else {
        return Err(Misfit {
            path: "version".to_owned(),
            reason: "only the versions 1 to 8 are known".to_owned(),
        });
    };
    let (mut spec, order) = import::native(legacy, version);
    let original = value_of(&legacy.canonical());
    let without = Legacy {
        version: version.number(),
        components: order,
        residue: Vec::new(),
    };
    spec.legacy = Some(without);
    let amounts_to = export::assemble(&spec, version).value;
    let residue = residue::between(&amounts_to, &original, &order_of(&spec));
    if let Some(legacy) = &mut spec.legacy {
        legacy.residue = residue;
    }
    Ok(spec)
}

/// Converts back to the version from which a document came.
///
/// # Errors
/// When it did not come from FluxOS, or was changed in a way that the version has no field for.
pub fn to_legacy(spec: &NativeSpec) -> Result<LegacySpec, Vec<Misfit>> {
    let version = spec
        .legacy
        .as_ref()
        .and_then(|legacy| LegacyVersion::from_number(f64::from(legacy.version)));
    let (Some(legacy), Some(version)) = (&spec.legacy, version) else {
        return Err(vec![Misfit {
            path: "legacy".to_owned(),
            reason: "the document was not converted from FluxOS; convert it to v8".to_owned(),
        }]);
    };
    let mut assembled = export::assemble(spec, version);
    for residue in &legacy.residue {
        residue::apply(&mut assembled.value, residue, &assembled.order);
    }
    finish(assembled.value, assembled.misfits)
}

/// Converts to version 8, the last of FluxOS.
///
/// # Errors
/// With everything that v8 has no field for, and with what FluxOS or the strict verdict refuses at this height.
pub fn to_v8(spec: &NativeSpec, height: u64) -> Result<LegacySpec, Vec<Misfit>> {
    let mut assembled = export::assemble(spec, LegacyVersion::V8);
    if let Some(legacy) = &spec.legacy {
        for residue in &legacy.residue {
            match residue::in_v8(residue, legacy) {
                Some(residue) => residue::apply(&mut assembled.value, &residue, &assembled.order),
                None => assembled.misfits.push(Misfit {
                    path: "legacy.residue".to_owned(),
                    reason: format!(
                        "v8 has no place for {} of v{}",
                        residue.path, legacy.version
                    ),
                }),
            }
        }
    }
    let converted = finish(assembled.value, assembled.misfits)?;
    let submitted = value_of(&converted.canonical());
    let rejection = converted.check(height, &Context::shipped()).err();
    let findings = strict::check(&submitted, &[], rejection.as_ref());
    if findings.is_empty() {
        return Ok(converted);
    }
    let misfits = findings.into_iter().map(|finding| Misfit {
        path: finding.path,
        reason: format!("in v8: {}; {}", finding.rule, finding.remedy),
    });
    Err(misfits.collect())
}

fn finish(value: Value, misfits: Vec<Misfit>) -> Result<LegacySpec, Vec<Misfit>> {
    // What FluxOS would say of a result with gaps only repeats them.
    if !misfits.is_empty() {
        return Err(misfits);
    }
    LegacySpec::from_value(spelled(value)).map_err(|error| {
        let path = String::new();
        let reason = format!("FluxOS refuses the result: {error}");
        vec![Misfit { path, reason }]
    })
}

/// The value with its numbers as texts, which the formatter coerces back to the same numbers. A zero would count as missing
/// there, and what is no number is `null` in canonical text, which would count as zero.
fn spelled(mut value: Value) -> Value {
    let Value::Object(app) = &mut value else {
        return value;
    };
    for version in LegacyVersion::ALL {
        spell(app, app_fields(version));
    }
    if let Some(Value::Array(components)) = app.get_mut("compose") {
        for component in components {
            if let Value::Object(component) = component {
                for version in LegacyVersion::ALL {
                    spell(component, component_fields(version));
                }
            }
        }
    }
    value
}

fn spell(object: &mut Object, fields: impl Iterator<Item = Field>) {
    let spell_one = |value: &mut Value| match value {
        Value::Number(number) => *value = number_text(*number).into(),
        Value::Null => *value = "NaN".into(),
        Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {}
    };
    for field in fields {
        match (field.kind, object.get_mut(field.name)) {
            (FieldKind::Number, Some(value)) => spell_one(value),
            // The formatter leaves the ports of containers as they are.
            (FieldKind::Numbers, Some(Value::Array(items))) if field.name == "ports" => {
                items.iter_mut().for_each(spell_one);
            }
            (
                FieldKind::Number
                | FieldKind::Text
                | FieldKind::Flag
                | FieldKind::Texts
                | FieldKind::Numbers
                | FieldKind::Components,
                _,
            ) => {}
        }
    }
}

/// The names of the components in FluxOS' order.
fn order_of(spec: &NativeSpec) -> Vec<String> {
    spec.legacy
        .as_ref()
        .map(|legacy| legacy.components.clone())
        .unwrap_or_default()
}

/// The value of a canonical text, however long.
fn value_of(text: &str) -> Value {
    let limits = Limits {
        max_bytes: usize::MAX,
        max_depth: 256,
    };
    parse(text.as_bytes(), limits)
        .expect("canonical texts are JSON, at most two levels deeper than what was read")
        .value
}
