//! The specification a price is asked for, read and judged before anybody calculates with it.

use fluxplane_app_spec::{
    json::{self, Value},
    legacy::{Context, LegacyError, LegacySpec, judge},
    native::{self, NativeSpec, is_native, unserved},
    strict,
};
use fluxplane_core::error::Violation;
use fluxplane_pricing::native::copies;
use sha2::{Digest as _, Sha256};

/// The first version with a list of components. Older ones are not deployed any more.
const OLDEST_VERSION: u8 = 4;

/// A specification. Each kind is priced by its own list.
#[derive(Debug, Clone, PartialEq)]
pub enum Spec {
    FluxOs(Box<LegacySpec>),
    /// `fluxplane/v1`.
    Native(Box<NativeSpec>),
}

/// A specification that can be deployed.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadSpec {
    pub spec: Spec,
    /// What is signed and hashed.
    pub canonical: String,
    pub sha256: [u8; 32],
    pub name: String,
    /// Copies that run.
    pub instances: u32,
}

impl ReadSpec {
    /// What is kept with a quote: what a later price depends on. The environment is nobody's business here, nor are the
    /// encrypted parts.
    pub fn for_pricing(&self) -> String {
        match &self.spec {
            Spec::FluxOs(_) => without_private_parts(&self.canonical),
            Spec::Native(spec) => {
                let mut kept = NativeSpec::clone(spec);
                for component in kept.components.values_mut() {
                    component.env.clear();
                }
                // It may repeat what was in a FluxOS specification.
                kept.legacy = None;
                kept.canonical()
            }
        }
    }
}

/// A canonical FluxOS specification without what only its nodes need to know.
fn without_private_parts(canonical: &str) -> String {
    let Ok(document) = json::parse(canonical.as_bytes(), json::Limits::default()) else {
        return String::new();
    };
    let Value::Object(mut spec) = document.value else {
        return String::new();
    };
    let components = spec.get("compose").and_then(Value::as_array);
    let components = components.unwrap_or_default().iter().cloned();
    let stripped = components.map(|component| match component {
        Value::Object(mut component) => {
            component.set("environmentParameters", Value::Array(Vec::new()));
            for field in ["secrets", "repoauth"] {
                if component.get(field).is_some() {
                    component.set(field, "");
                }
            }
            Value::Object(component)
        }
        other => other,
    });
    let stripped = Value::Array(stripped.collect());
    spec.set("compose", stripped);
    json::stringify(&Value::Object(spec))
}

/// Reads a specification as its client sent it and judges it by the rules in force at a height.
///
/// # Errors
/// With everything that must be changed, not only the first.
pub fn read(text: &str, height: u64) -> Result<ReadSpec, Vec<Violation>> {
    if is_native(text.as_bytes()) {
        read_native(text)
    } else {
        read_fluxos(text, height)
    }
}

fn read_native(text: &str) -> Result<ReadSpec, Vec<Violation>> {
    let spec = parse_native(text)?;
    let unserved = unserved(&spec);
    if !unserved.is_empty() {
        return Err(unserved.iter().map(of_finding).collect());
    }
    let canonical = spec.canonical();
    Ok(ReadSpec {
        sha256: Sha256::digest(&canonical).into(),
        canonical,
        name: spec.name.clone(),
        instances: copies(&spec).1,
        spec: Spec::Native(Box::new(spec)),
    })
}

fn parse_native(text: &str) -> Result<NativeSpec, Vec<Violation>> {
    native::parse(text.as_bytes())
        .map_err(|rejected| rejected.findings.iter().map(of_finding).collect())
}

fn of_finding(finding: &strict::Finding) -> Violation {
    violation(
        &finding.path,
        &finding.value,
        &finding.rule,
        &finding.remedy,
    )
}

fn read_fluxos(text: &str, height: u64) -> Result<ReadSpec, Vec<Violation>> {
    let document = json::parse(text.as_bytes(), json::Limits::default()).map_err(|error| {
        let rule = format!("it must be JSON: {error}");
        vec![violation("", "", &rule, "send one JSON object")]
    })?;
    let judged = judge(document.value.clone(), height, &Context::shipped());
    let rejection: Option<&LegacyError> = judged.as_ref().err();
    let findings = strict::check(&document.value, &document.duplicates, rejection);
    if !findings.is_empty() {
        return Err(findings.iter().map(of_finding).collect());
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
        spec: Spec::FluxOs(Box::new(spec)),
        name,
        instances,
    })
}

/// Reads a specification as far as a price needs it, without judging it.
///
/// # Errors
/// When it is no JSON, or FluxOS cannot tell what it means.
pub fn read_unjudged(text: &str) -> Result<Spec, Vec<Violation>> {
    if is_native(text.as_bytes()) {
        return Ok(Spec::Native(Box::new(parse_native(text)?)));
    }
    let document = json::parse(text.as_bytes(), json::Limits::default()).map_err(|error| {
        let rule = format!("it must be JSON: {error}");
        vec![violation("", "", &rule, "send one JSON object")]
    })?;
    let spec = LegacySpec::from_value(document.value).map_err(|error| {
        let rule = format!("FluxOS refuses it: {error}");
        vec![violation("", "", &rule, "change it as the text says")]
    })?;
    Ok(Spec::FluxOs(Box::new(spec)))
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
pub fn reread(canonical: &str) -> Result<Spec, String> {
    if is_native(canonical.as_bytes()) {
        let spec = native::parse(canonical.as_bytes()).map_err(|rejected| rejected.to_string())?;
        return Ok(Spec::Native(Box::new(spec)));
    }
    let document = json::parse(canonical.as_bytes(), json::Limits::default());
    let document = document.map_err(|error| error.to_string())?;
    let spec = LegacySpec::from_value(document.value).map_err(|error| error.to_string())?;
    Ok(Spec::FluxOs(Box::new(spec)))
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
    fn what_is_kept_has_the_same_price_and_nothing_private() {
        let text = r#"{"version":8,"name":"shop","description":"x","owner":"1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC","compose":[{"name":"web","description":"x","repotag":"nginx:1.27","ports":[31000],"domains":[""],"environmentParameters":["PASSWORD=marked"],"commands":[],"containerPorts":[80],"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"repoauth":""}],"instances":3,"contacts":[],"geolocation":[],"expire":88000,"nodes":[],"staticip":false,"enterprise":""}"#;
        let spec = read(text, HEIGHT).unwrap();
        assert!(spec.canonical.contains("marked"));
        let kept = spec.for_pricing();
        assert!(!kept.contains("marked") && kept.contains("31000"), "{kept}");
        let again = reread(&kept).unwrap();
        let lines = |spec: &Spec| {
            let Spec::FluxOs(spec) = spec else {
                panic!("{spec:?}")
            };
            let view = spec.view().unwrap();
            let component = &view.components[0];
            (
                view.instances,
                component.resources,
                component.ports.len(),
                component.environment.len(),
            )
        };
        let (before, after) = (lines(&spec.spec), lines(&again));
        assert_eq!((before.0, before.1, before.2), (after.0, after.1, after.2));
        assert_eq!((before.3, after.3), (1, 0));
    }

    #[test]
    fn what_is_kept_of_a_native_specification_has_nothing_private_either() {
        let text = r#"{"schema":"fluxplane/v1","name":"shop","owner":"1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC","components":{"web":{"image":"nginx:1.27","cpu":"1core","memory":"2000Mi","disk":"20Gi","env":{"PASSWORD":"marked"}}},"instances":3}"#;
        let spec = read(text, HEIGHT).unwrap();
        assert!(spec.canonical.contains("marked"));
        let kept = spec.for_pricing();
        assert!(!kept.contains("marked"), "{kept}");
        let (Spec::Native(before), Spec::Native(after)) = (&spec.spec, reread(&kept).unwrap())
        else {
            panic!("{kept}")
        };
        let (mut before, after) = (NativeSpec::clone(before), *after);
        assert_ne!(before, after);
        for component in before.components.values_mut() {
            component.env.clear();
        }
        assert_eq!(before, after);
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
