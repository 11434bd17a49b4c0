//! Geolocation: rules that a node can match. FluxOS accepts any text and then never places the application.

use super::Findings;
use crate::{
    geolocation::{Rule, Rules},
    json::{Object, Value},
};

pub(super) fn check(findings: &mut Findings, spec: &Object) {
    let texts = spec
        .get("geolocation")
        .and_then(Value::as_array)
        .unwrap_or_default();
    let mut rules = Vec::new();
    for (place, value) in texts.iter().enumerate() {
        let Some(text) = value.as_str() else { continue };
        let path = format!("geolocation[{place}]");
        match text.parse::<Rule>() {
            Ok(rule) if rules.contains(&rule) => {
                let why = "the same rule stands there twice";
                findings.add_text(path, text, "geolocation", why, "remove one of the two");
            }
            Ok(rule) => rules.push(rule),
            Err(error) => findings.add_error(path, text, "geolocation", &error),
        }
    }
    let is_current = |rule: &Rule| matches!(rule, Rule::Allow(_) | Rule::Forbid(_));
    let is_old = |rule: &Rule| matches!(rule, Rule::OldContinent(_) | Rule::OldCountry(_));
    let list = Value::Array(texts.to_vec());
    if rules.iter().any(is_current) && rules.iter().any(is_old) {
        findings.add(
            "geolocation",
            &list,
            "geolocation",
            "rules of the old form (aEU, bDE) are partly ignored beside current ones",
            "write all rules in the current form, such as acEU_DE",
        );
    }
    if Rules::new(rules).forbid_everything() {
        findings.add(
            "geolocation",
            &list,
            "geolocation",
            "everything that is allowed is also forbidden, so no node is left",
            "remove a forbidding rule or allow another place",
        );
    }
}
