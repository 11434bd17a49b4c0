//! Documents that nobody sane sends: each gets an exact answer, and nothing panics.

use std::fmt::Write as _;

use fluxplane_app_spec::native::{examine, is_native, parse};
use proptest::prelude::*;

use super::{GOOD, assert_findings, good, with};

#[test]
fn a_good_document_has_no_findings() {
    assert_findings(GOOD, &[]);
    let spec = good(GOOD);
    assert_eq!(spec.components["web"].cpu, 500);
    assert_eq!(spec.components["db"].memory, 1_024);
    assert_eq!(spec.instances, Some(3));
}

#[test]
fn unknown_fields_are_named_and_the_right_one_is_proposed() {
    let text = with("    cpu: 500m", "    cpus: 500m");
    let findings = examine(text.as_bytes()).findings;
    assert_findings(
        &text,
        &[
            ("components.web.cpus", "unknown-field"),
            ("components.web.cpu", "missing-field"),
        ],
    );
    assert_eq!(findings[0].remedy, "did you mean cpu?");
    // Nothing is made of a document that says more than the model holds.
    let unknown = with("instances: 3", "instances: 3\nxyzzy: 1");
    assert_eq!(examine(unknown.as_bytes()).spec, None);
    assert_findings(
        &with("instances: 3", "instances: 3\nxyzzy: 1"),
        &[("xyzzy", "unknown-field")],
    );
}

#[test]
fn wrong_types_are_named() {
    for (from, to, path, code) in [
        ("cpu: 500m", "cpu: 2", "components.web.cpu", "type"),
        ("cpu: 500m", "cpu: '2'", "components.web.cpu", "quantity"),
        ("cpu: 500m", "cpu: 500Mi", "components.web.cpu", "quantity"),
        (
            "memory: 512Mi",
            "memory: 512MB",
            "components.web.memory",
            "quantity",
        ),
        ("instances: 3", "instances: '3'", "instances", "type"),
        ("instances: 3", "instances: 3.5", "instances", "number"),
        ("instances: 3", "instances: -1", "instances", "number"),
        ("instances: 3", "instances: 0", "instances", "range"),
        (
            "MODE: \"prod\"",
            "MODE: 1",
            "components.web.env.MODE",
            "type",
        ),
        (
            "MODE: \"prod\"",
            "MODE: true",
            "components.web.env.MODE",
            "type",
        ),
        ("MODE: \"prod\"", "MODE:", "components.web.env.MODE", "null"),
        ("allow: [EU]", "allow: EU", "placement.allow", "type"),
        (
            "env: {MODE: \"prod\"}",
            "env: [MODE]",
            "components.web.env",
            "type",
        ),
        (
            "protocol: http",
            "protocol: HTTP",
            "components.web.ports.http.protocol",
            "choice",
        ),
        (
            "schema: fluxplane/v1",
            "schema: fluxplane/v2",
            "schema",
            "choice",
        ),
    ] {
        assert_findings(&with(from, to), &[(path, code)]);
    }
    assert_findings("[]", &[("", "type")]);
    assert_findings("7", &[("", "type")]);
    assert_findings("just text", &[("", "type")]);
}

#[test]
fn every_violation_is_listed_not_the_first() {
    let text = with("cpu: 500m", "cpu: 2")
        .replace("name: shop", "name: Shop")
        .replace("EU_RU", "XX")
        .replace("instances: 3", "");
    assert_findings(
        &text,
        &[
            ("", "one-of"),
            ("name", "name"),
            ("components.web.cpu", "type"),
            ("placement.forbid[0]", "geolocation"),
        ],
    );
}

#[test]
fn numbers_that_are_none_are_refused() {
    for number in [
        ".nan", ".inf", "-.inf", "NaN", "0x10", "012", "1_000", "1e999",
    ] {
        let text = with("instances: 3", &format!("instances: {number}"));
        assert_findings(&text, &[("", "text")]);
    }
    assert_findings("{\"schema\": NaN}", &[("", "text")]);
    assert_findings("{\"instances\": 1e999", &[("", "text")]);
}

#[test]
fn duplicate_keys_are_named() {
    let text = with("    cpu: 500m", "    cpu: 500m\n    cpu: 400m");
    assert_findings(&text, &[("components.web.cpu", "duplicate-key")]);
    let json = r#"{"schema":"fluxplane/v1","schema":"fluxplane/v1"}"#;
    assert_eq!(examine(json.as_bytes()).findings[0].path, "schema");
    // In maps of the customer's own names as well.
    let text = with("env: {MODE: \"prod\"}", "env: {MODE: a, MODE: b}");
    assert_findings(&text, &[("components.web.env.MODE", "duplicate-key")]);
}

#[test]
fn long_texts_are_named_by_their_field() {
    let long = "x".repeat(1 << 20);
    for (from, to, path) in [
        (
            "instances: 3",
            format!("instances: 3\ndescription: {long}"),
            "description",
        ),
        (
            "MODE: \"prod\"",
            format!("MODE: {long}"),
            "components.web.env.MODE",
        ),
        (
            "image: nginx:1.27",
            format!("image: {long}"),
            "components.web.image",
        ),
        ("name: shop", format!("name: {long}"), "name"),
    ] {
        let text = with(from, &to);
        let findings = examine(text.as_bytes()).findings;
        assert_eq!(findings.len(), 1, "{path}");
        assert_eq!(findings[0].path, path);
        assert!(
            findings[0].rule.contains("1048576 characters"),
            "{}",
            findings[0].rule
        );
        // The value is shortened: a finding is for people.
        assert!(findings[0].value.chars().count() < 200);
    }
    let key = with("{MODE: \"prod\"}", &format!("{{? {long} : x}}"));
    assert_eq!(examine(key.as_bytes()).findings[0].code, "variable");
    let too_long = "#".repeat((4 << 20) + 1);
    assert!(
        examine(too_long.as_bytes()).findings[0]
            .rule
            .contains("the limit is 4194304")
    );
}

#[test]
fn deep_documents_are_refused() {
    for text in [
        "[".repeat(1_000),
        format!("{{\"a\":{}1", "[".repeat(1_000)),
        format!("{}x", "- ".repeat(1_000)),
        (0..1_000).fold(String::new(), |text, depth| {
            format!("{text}{}a:\n", " ".repeat(depth))
        }),
    ] {
        let findings = examine(text.as_bytes()).findings;
        assert!(
            findings[0].rule.contains("deeper than 32"),
            "{}",
            findings[0].rule
        );
    }
}

#[test]
fn bombs_are_refused_before_they_explode() {
    let bomb = "a: &a [x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n";
    let findings = examine(bomb.as_bytes()).findings;
    assert!(findings[0].rule.contains("anchors"), "{findings:?}");
    let merge = with("    cpu: 500m", "    <<: {cpu: 500m}");
    assert_eq!(examine(merge.as_bytes()).findings[0].code, "unknown-field");
}

#[test]
fn invalid_utf8_is_refused() {
    let mut bytes = GOOD.as_bytes().to_vec();
    bytes[20] = 0xff;
    let findings = examine(&bytes).findings;
    assert!(findings[0].rule.contains("not UTF-8"), "{findings:?}");
    let lone = r#"{"schema":"fluxplane/v1","name":"\ud800"}"#;
    assert!(
        examine(lone.as_bytes())
            .findings
            .iter()
            .any(|finding| finding.path == "name" && finding.code == "text")
    );
    let null = with("MODE: \"prod\"", "MODE: \"a\\0b\"");
    assert_findings(&null, &[("components.web.env.MODE", "text")]);
}

#[test]
fn look_alikes_in_names_are_explained() {
    // The o is Cyrillic.
    let findings = examine(with("name: shop", "name: sh\u{43e}p").as_bytes()).findings;
    assert_eq!(findings[0].path, "name");
    assert!(findings[0].rule.contains("U+043E"), "{findings:?}");
    assert!(findings[0].remedy.contains("looks like o"), "{findings:?}");
    let component = with("  db:\n", "  \u{ff44}b:\n");
    assert!(
        examine(component.as_bytes()).findings[0]
            .remedy
            .contains("looks like d")
    );
    let hidden = with("instances: 3", "instances: 3\ndescription: \"a\\u202eb\"");
    assert_findings(&hidden, &[("description", "description")]);
}

#[test]
fn many_findings_are_counted_not_listed() {
    let mut text = String::from("schema: fluxplane/v1\n");
    for number in 0..10_000 {
        writeln!(text, "x{number}: 1").expect("a string takes it");
    }
    let findings = examine(text.as_bytes()).findings;
    assert_eq!(findings.len(), 201);
    assert_eq!(findings[200].code, "more");
}

#[test]
fn hostile_documents_are_answered_in_linear_time() {
    let mut wide = String::new();
    for number in 0..200_000 {
        writeln!(wide, "k{number}: v").expect("a string takes it");
    }
    let list: String = "- a\n".repeat(500_000);
    let quotes = format!("a: \"{}\"", "\\x41".repeat(500_000));
    let same: String = "a: 1\n".repeat(200_000);
    for text in [wide, list, quotes, same] {
        // Quadratic time would be hours, and the test runner stops what hangs.
        assert!(!examine(text.as_bytes()).findings.is_empty());
    }
}

#[test]
fn native_and_legacy_documents_are_told_apart() {
    assert!(is_native(GOOD.as_bytes()));
    assert!(is_native(br#"  {"schema":"fluxplane/v1"}"#));
    assert!(is_native(br#"{"schema":"fluxplane/v1","version":8}"#));
    assert!(is_native(br#"{"name":"x","components":{}}"#));
    assert!(!is_native(br#"{"version":8,"name":"x"}"#));
    assert!(!is_native(b"{"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let examined = examine(&bytes);
        prop_assert!(!examined.findings.is_empty());
    }

    #[test]
    fn a_damaged_document_gets_an_answer(
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:&*!|>#%@0-9a-e. \n-]{0,4}", 0..6_usize), 1..4),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (place, insert, drop) in cuts {
            let at = place.index(bytes.len());
            let end = (at + drop).min(bytes.len());
            bytes.splice(at..end, insert.into_bytes());
        }
        match parse(&bytes) {
            Ok(spec) => prop_assert_eq!(parse(spec.canonical().as_bytes()).unwrap(), spec),
            Err(rejected) => prop_assert!(!rejected.findings.is_empty()),
        }
    }
}
