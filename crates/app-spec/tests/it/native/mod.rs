//! The native specification.

mod canonical;
mod convert;
mod documents;
mod hostile;
mod random;
mod rules;
mod sign;

use fluxplane_app_spec::native::{NativeSpec, examine, parse};

pub(crate) const OWNER: &str = "1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC";

/// A document that uses much of the specification and keeps every rule.
pub(crate) const GOOD: &str = r#"
schema: fluxplane/v1
name: shop
owner: 1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC
components:
  web:
    image: nginx:1.27
    cpu: 500m
    memory: 512Mi
    disk: 5Gi
    env: {MODE: "prod"}
    ports:
      http: {container: 80, protocol: http, domains: [shop.example.org]}
      admin: {container: 8000, host: 31000}
    volumes:
      data: {path: /data, kind: synced, size: 1Gi, snapshots: {schedule: "0 3 * * *"}}
    probes:
      health: {http: {port: 80}}
  db:
    image: ghcr.io/org/db:2
    cpu: 1core
    memory: 1Gi
    disk: 10Gi
    volumes:
      shared: {path: /shared, source: {component: web, volume: data}}
instances: 3
placement:
  allow: [EU]
  forbid: [EU_RU]
"#;

/// `GOOD` with `from` replaced, which must occur exactly once.
pub(crate) fn with(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "{from}");
    GOOD.replace(from, to)
}

pub(crate) fn good(text: &str) -> NativeSpec {
    parse(text.as_bytes()).unwrap_or_else(|error| panic!("{:#?}\n{text}", error.findings))
}

/// Asserts that exactly these paths break these rules.
pub(crate) fn assert_findings(text: &str, expected: &[(&str, &str)]) {
    let findings = examine(text.as_bytes()).findings;
    let found: Vec<(&str, &str)> = findings
        .iter()
        .map(|finding| (finding.path.as_str(), finding.code))
        .collect();
    assert_eq!(found, expected, "{findings:#?}\n{text}");
    for finding in &findings {
        assert!(
            !finding.rule.is_empty() && !finding.remedy.is_empty(),
            "{finding:?}"
        );
    }
}
