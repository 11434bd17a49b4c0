//! The specification a price is asked for, read and judged before anybody calculates with it.

use fluxplane_app_spec::{
    json,
    legacy::{Context, LegacyError, LegacySpec, judge},
    strict,
};
use fluxplane_core::error::Violation;
use sha2::{Digest as _, Sha256};

/// The first version with a list of components. Older ones are not deployed any more.
const OLDEST_VERSION: u8 = 4;

/// A specification that can be deployed.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadSpec {
    pub spec: LegacySpec,
    /// What is signed and hashed.
    pub canonical: String,
    pub sha256: [u8; 32],
    pub name: String,
    /// Copies that run.
    pub instances: u32,
}

/// Reads a specification as its client sent it and judges it by the rules in force at a height.
///
/// # Errors
/// With everything that must be changed, not only the first.
pub fn read(text: &str, height: u64) -> Result<ReadSpec, Vec<Violation>> {
    let document = json::parse(text.as_bytes(), json::Limits::default()).map_err(|error| {
        let rule = format!("it must be JSON: {error}");
        vec![violation("", "", &rule, "send one JSON object")]
    })?;
    let judged = judge(document.value.clone(), height, &Context::shipped());
    let rejection: Option<&LegacyError> = judged.as_ref().err();
    let findings = strict::check(&document.value, &document.duplicates, rejection);
    if !findings.is_empty() {
        let found = findings
            .iter()
            .map(|one| violation(&one.path, &one.value, &one.rule, &one.remedy));
        return Err(found.collect());
    }
    let spec = judged.map_err(|error| {
        let rule = format!("FluxOS refuses it: {error}");
        vec![violation("", "", &rule, "change it as the text says")]
    })?;
    let (name, instances) = {
        let view = spec.view().map_err(|error| {
            let rule = error.rule;
            vec![violation(&error.path, &error.value, rule, "correct it")]
        })?;
        if view.version.number() < OLDEST_VERSION {
            let rule = format!("the plane deploys versions {OLDEST_VERSION} to 8");
            let version = view.version.to_string();
            return Err(vec![violation("version", &version, &rule, "use 8")]);
        }
        (view.name.to_owned(), view.instances)
    };
    let canonical = spec.canonical();
    Ok(ReadSpec {
        sha256: Sha256::digest(&canonical).into(),
        canonical,
        spec,
        name,
        instances,
    })
}

/// Reads a specification as far as a price needs it, without judging it.
///
/// # Errors
/// When it is no JSON, or FluxOS cannot tell what it means.
pub fn read_unjudged(text: &str) -> Result<LegacySpec, Vec<Violation>> {
    let document = json::parse(text.as_bytes(), json::Limits::default()).map_err(|error| {
        let rule = format!("it must be JSON: {error}");
        vec![violation("", "", &rule, "send one JSON object")]
    })?;
    LegacySpec::from_value(document.value).map_err(|error| {
        let rule = format!("FluxOS refuses it: {error}");
        vec![violation("", "", &rule, "change it as the text says")]
    })
}

/// A finding inside the field `spec` of the request.
fn violation(path: &str, value: &str, rule: &str, remedy: &str) -> Violation {
    let field = if path.is_empty() {
        "spec".to_owned()
    } else {
        format!("spec.{path}")
    };
    Violation::new(field, value, rule, remedy)
}

/// Reads a canonical text of ours again.
///
/// # Errors
/// Never for a text made by [`read`].
pub fn reread(canonical: &str) -> Result<LegacySpec, String> {
    let document = json::parse(canonical.as_bytes(), json::Limits::default());
    let document = document.map_err(|error| error.to_string())?;
    LegacySpec::from_value(document.value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEIGHT: u64 = 2_500_000;

    #[test]
    fn what_is_no_json_names_the_field() {
        let violations = read("{\"version\":", HEIGHT).unwrap_err();
        assert_eq!(violations[0].field, "spec");
    }

    #[test]
    fn every_fault_is_named_with_its_path() {
        let text = r#"{"version":8,"name":"a b","compose":[{"name":"x","cpu":-1}]}"#;
        let violations = read(text, HEIGHT).unwrap_err();
        let fields: Vec<&str> = violations.iter().map(|one| one.field.as_str()).collect();
        for field in ["spec", "spec.compose[0].cpu"] {
            assert!(fields.contains(&field), "{fields:?}");
        }
    }
}
