//! Specifications: FluxOS' verdict in FluxOS' words, then what this plane asks beyond it.
//!
//! Judged here so that a client hears it before it signs, and in the scheduler again, which decides.

use fluxplane_app_spec::{
    json::{Limits, Object, Value, parse},
    legacy::{Context, LegacySpec, judge},
    strict,
};
use fluxplane_core::error::{Reason, Violation};
use serde_json::value::RawValue;

use crate::rest::{
    fluxos::envelope::Refused,
    wire::{self, Malformed},
};

/// A specification that FluxOS and the plane take.
pub struct Judged {
    pub spec: LegacySpec,
    pub name: String,
    /// As the specification writes it.
    pub owner: String,
    /// What is signed.
    pub canonical: String,
    /// The same as a value.
    pub value: Value,
}

impl Judged {
    /// What FluxOS answers: the specification as it must be signed.
    pub fn formatted(self) -> Result<Box<RawValue>, Malformed> {
        wire::json("canonical", self.canonical)
    }
}

/// Judges a submitted specification.
pub(super) fn check(submitted: Object, height: u64) -> Result<Judged, Refused> {
    let spec = judge(Value::Object(submitted), height, &Context::shipped())
        .map_err(|err| Refused::because(Reason::SpecInvalid, err.text))?;
    if spec.is_sealed() {
        return Err(Refused::plane(Violation::new(
            "enterprise",
            "encrypted",
            "no machine of this plane can decrypt a specification",
            "leave enterprise empty and write components and contacts in clear",
        )));
    }
    let canonical = spec.canonical();
    let value = parse(canonical.as_bytes(), Limits::default())
        .map_err(|err| Malformed::value("canonical", err))?
        .value;
    // FluxOS takes texts for numbers and drops what it does not know; what counts is what is signed.
    if let Some(finding) = strict::check(&value, &[], None).into_iter().next() {
        let strict::Finding {
            path,
            value,
            code: _,
            rule,
            remedy,
        } = finding;
        return Err(Refused::plane(Violation::new(path, value, rule, remedy)));
    }
    Ok(Judged {
        name: spec.name.to_text().into_owned(),
        owner: spec.owner.to_text().into_owned(),
        canonical,
        value,
        spec,
    })
}
