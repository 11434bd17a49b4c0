//! The verdict of FluxOS' static validation: format, types, restrictions, enforcement height, keys, unique ports,
//! hardware; the first error wins (`verifyAppSpecifications` of `appValidator.js`).
//!
//! The stage *keys* has no code: it looks for unknown fields in what the formatter returned, and the formatter
//! returns known fields only. Unknown fields are therefore accepted and dropped; [`crate::strict`] reports them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    error::{LegacyError, Stage},
    hardware,
    heights::{HeightRules, enforcement_height},
    ports, restrictions,
    spec::LegacySpec,
    types,
};
use crate::json::{JsString, Value};

/// What a verdict depends on besides specification and height.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    enterprise_owners: BTreeSet<String>,
}

impl Context {
    /// Owners who may ask for a data centre. FluxOS reads the list from its policy repository while it runs.
    pub fn new(enterprise_owners: impl IntoIterator<Item = String>) -> Self {
        Self {
            enterprise_owners: enterprise_owners.into_iter().collect(),
        }
    }

    /// The list that FluxOS v8.17 ships (`helpers/enterprisenodes.json`).
    pub fn shipped() -> Self {
        Self::new(["15ULw4JU6wqGESRYU3z3MjFETqLN3sA9Gn".to_owned()])
    }

    pub(super) fn is_enterprise_owner(&self, owner: &JsString) -> bool {
        owner
            .as_str()
            .is_some_and(|owner| self.enterprise_owners.contains(owner))
    }
}

/// What FluxOS answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub accepted: bool,
    /// The first error; those of the first stage are prefixed `format: `.
    pub error: Option<String>,
    /// The canonical JSON of an accepted specification.
    pub canonical: Option<String>,
}

/// Judges a submitted specification at a height.
pub fn verdict(submitted: Value, height: u64, context: &Context) -> Verdict {
    match judge(submitted, height, context) {
        Ok(spec) => Verdict {
            accepted: true,
            error: None,
            canonical: Some(spec.canonical()),
        },
        Err(error) => Verdict {
            accepted: false,
            error: Some(error.to_string()),
            canonical: None,
        },
    }
}

/// Judges a submitted specification at a height and returns it in coerced form.
///
/// # Errors
/// With the first stage that refuses and FluxOS' text.
pub fn judge(submitted: Value, height: u64, context: &Context) -> Result<LegacySpec, LegacyError> {
    let spec = LegacySpec::from_value(submitted)?;
    spec.check(height, context)?;
    Ok(spec)
}

impl LegacySpec {
    /// All stages after the formatter.
    ///
    /// # Errors
    /// With the first stage that refuses and FluxOS' text.
    pub fn check(&self, height: u64, context: &Context) -> Result<(), LegacyError> {
        types::check(self, context)?;
        let version = restrictions::check(self, &HeightRules::at(height))?;
        if height < enforcement_height(version) {
            let number = version.number();
            return Err(LegacyError::new(
                Stage::Enforcement,
                format!("Flux apps specifications of version {number} not yet supported"),
            ));
        }
        ports::check_unique(self)?;
        hardware::check(self)
    }
}
