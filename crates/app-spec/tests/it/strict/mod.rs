//! The strict verdict: every rule finds what it is for, and nothing else.

use fluxplane_app_spec::{
    json::{Limits, Value, parse},
    legacy::{Context, judge},
    strict::{Finding, check},
};

mod fields;

use crate::fixture::{GOOD_V1, GOOD_V2, GOOD_V7, GOOD_V8, json, with};

const NOW: u64 = 2_250_000;

/// All findings of a value, the refusal of FluxOS left out.
fn findings(submitted: &Value) -> Vec<Finding> {
    let judged = judge(submitted.clone(), NOW, &Context::shipped());
    let mut findings = check(submitted, &[], judged.as_ref().err());
    findings.retain(|finding| finding.code != "fluxos");
    findings
}

/// The only finding after replacing one value of a good specification.
#[track_caller]
fn only(base: &str, path: &str, value: &str) -> Finding {
    let findings = findings(&with(base, path, value));
    let [finding] = findings.as_slice() else {
        panic!("{path} {value}: {findings:#?}");
    };
    assert!(!finding.rule.is_empty() && !finding.remedy.is_empty());
    finding.clone()
}

#[track_caller]
fn expect(base: &str, path: &str, value: &str, found_at: &str, code: &str) {
    let finding = only(base, path, value);
    assert_eq!(
        (finding.path.as_str(), finding.code),
        (found_at, code),
        "{path} {value}: {finding:?}"
    );
}

#[test]
fn good_specifications_have_no_findings() {
    for good in [GOOD_V1, GOOD_V2, GOOD_V7, GOOD_V8] {
        assert_eq!(findings(&json(good)), []);
    }
}

#[test]
fn what_fluxos_refuses_is_a_finding() {
    let submitted = with(GOOD_V8, "compose.0.ports", "[22]");
    let judged = judge(submitted.clone(), NOW, &Context::shipped());
    let findings = check(&submitted, &[], judged.as_ref().err());
    assert_eq!(findings[0].code, "fluxos");
    assert_eq!(
        findings[0].rule,
        "FluxOS refuses it: Assigned port 22 is not allowed for Flux Apps"
    );
}

#[test]
fn duplicate_keys_are_found() {
    let text = GOOD_V8.replace("\"hdd\":10", "\"hdd\":10,\"hdd\":10");
    let document = parse(text.as_bytes(), Limits::default()).unwrap();
    let findings = check(&document.value, &document.duplicates, None);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].path.as_str(), findings[0].code),
        ("compose[1].hdd", "duplicate-key")
    );
}

#[test]
fn the_shape_must_be_canonical() {
    expect(GOOD_V8, "extra", "1", "extra", "unknown-field");
    expect(
        GOOD_V8,
        "compose.0.secrets",
        "\"\"",
        "compose[0].secrets",
        "unknown-field",
    );
    expect(
        GOOD_V8,
        "compose.0.cpu",
        "\"0.5\"",
        "compose[0].cpu",
        "type",
    );
    expect(GOOD_V8, "staticip", "\"true\"", "staticip", "type");
    expect(GOOD_V8, "contacts", "\"[]\"", "contacts", "type");
    expect(GOOD_V8, "enterprise", "false", "enterprise", "type");
    expect(
        GOOD_V8,
        "compose.0.containerPorts",
        "[null]",
        "compose[0].containerPorts",
        "type",
    );
    expect(GOOD_V8, "datacenter", "1", "datacenter", "type");
    expect(GOOD_V8, "compose.1", "[]", "compose[1]", "type");
    expect(GOOD_V2, "ports", "[31000]", "ports", "type");
    expect(
        GOOD_V7,
        "compose.0.cpubasic",
        "1",
        "compose[0].cpubasic",
        "unknown-field",
    );
    let finding = only(GOOD_V8, "compose.0.cpu", "\"0.5\"");
    assert_eq!(
        (finding.value.as_str(), finding.rule.as_str()),
        ("\"0.5\"", "it must be a number")
    );
}

#[test]
fn missing_fields_are_found() {
    let Value::Object(mut app) = json(GOOD_V8) else {
        panic!()
    };
    app.remove("expire");
    let found = findings(&Value::Object(app));
    assert_eq!(
        (found[0].path.as_str(), found[0].code),
        ("expire", "missing-field")
    );
    let tiered = findings(&with(GOOD_V7, "compose.0.tiered", "true"));
    assert_eq!(
        tiered
            .iter()
            .filter(|finding| finding.code == "missing-field")
            .count(),
        9
    );
}

#[test]
fn what_is_no_specification_is_found() {
    for (text, path, code) in [
        ("[]", "", "type"),
        ("null", "", "type"),
        ("{}", "version", "version"),
        ("{\"version\":\"8\"}", "version", "version"),
        ("{\"version\":9}", "version", "version"),
    ] {
        let findings = findings(&json(text));
        assert_eq!(
            (findings[0].path.as_str(), findings[0].code, findings.len()),
            (path, code, 1),
            "{text}"
        );
    }
}

#[test]
fn text_must_be_well_formed() {
    expect(
        GOOD_V8,
        "description",
        "\"a\\ud800\"",
        "description",
        "text",
    );
    expect(
        GOOD_V8,
        "compose.0.commands",
        "[\"a\\u0000b\"]",
        "compose[0].commands[0]",
        "text",
    );
    expect(
        GOOD_V8,
        "description",
        "\"a\\u202eb\"",
        "description",
        "hidden-character",
    );
    expect(
        GOOD_V8,
        "compose.0.description",
        "\"a\\u200bb\"",
        "compose[0].description",
        "hidden-character",
    );
}

#[test]
fn names_must_be_distinguishable() {
    let finding = only(GOOD_V8, "name", "\"sh\u{43e}p\"");
    assert_eq!(
        (finding.code, finding.rule.as_str()),
        ("look-alike", "U+043E is no letter a-z, A-Z or digit")
    );
    assert!(finding.remedy.starts_with("it looks like o;"));
    assert!(
        only(GOOD_V8, "name", "\"\u{ff53}hop\"")
            .remedy
            .starts_with("it looks like s;")
    );
    expect(GOOD_V8, "name", "\"sh\u{e9}p\"", "name", "look-alike");
    expect(GOOD_V8, "name", "\"xn--shop\"", "name", "look-alike");
    expect(
        GOOD_V8,
        "compose.0.name",
        "\"w\u{435}b\"",
        "compose[0].name",
        "look-alike",
    );
    for name in ["Fluxy", "FLUX", "Zelda", "Share", "WatchTower"] {
        expect(
            GOOD_V8,
            "name",
            &format!("\"{name}\""),
            "name",
            "reserved-name",
        );
    }
    expect(
        GOOD_V8,
        "compose.0.name",
        "\"ZelWeb\"",
        "compose[0].name",
        "reserved-name",
    );
    expect(
        GOOD_V8,
        "compose.1.name",
        "\"WEB\"",
        "compose[1].name",
        "duplicate-name",
    );
}

#[test]
fn the_owner_must_be_able_to_sign() {
    for good in [
        "1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC",
        "0xfaA2cA6454F2815C0900da1d4BfbD53072C736eb",
        "03a1a99ac871bfde1b9066fdaf50385dfbd2d9f3834e2906054e2d31a0cb9745d7",
        "0474eb4690689bb408139249eda7f361b7881c4254ccbe303d3b4d58c2b48897d0f070b44944941998551f9ea0e1befd96f13adf171c07c885e62d0c2af56d3dab",
    ] {
        assert_eq!(
            findings(&with(GOOD_V8, "owner", &format!("\"{good}\""))),
            []
        );
    }
    for bad in [
        "TrippleCore",
        "1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uD",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6",
        "05a1a99ac871bfde1b9066fdaf50385dfbd2d9f3834e2906054e2d31a0cb9745d7",
        "0xfaA2cA6454F2815C0900da1d4BfbD53072C736e",
    ] {
        expect(GOOD_V8, "owner", &format!("\"{bad}\""), "owner", "owner");
    }
    let finding = only(
        GOOD_V8,
        "owner",
        "\"0xfaa2ca6454f2815c0900da1d4bfbd53072c736eb\"",
    );
    assert_eq!(
        finding.remedy,
        "check it, then write 0xfaA2cA6454F2815C0900da1d4BfbD53072C736eb"
    );
}

#[test]
fn resources_come_in_steps_within_limits() {
    for (path, value, remedy) in [
        ("compose.0.cpu", "-5", "write 0.1"),
        ("compose.0.cpu", "0", "write 0.1"),
        ("compose.0.cpu", "0.123", "write 0.2"),
        ("compose.0.cpu", "15.1", "write 15"),
        ("compose.0.cpu", "1e999", "write 15"),
        ("compose.0.ram", "0", "write 100"),
        ("compose.0.ram", "123", "write 200"),
        ("compose.0.ram", "59100", "write 59000"),
        ("compose.0.hdd", "1.5", "write 2"),
        ("compose.0.hdd", "0", "write 1"),
        ("compose.0.hdd", "821", "write 820"),
    ] {
        let finding = only(GOOD_V8, path, value);
        assert_eq!(
            (finding.code, finding.remedy.as_str()),
            ("resources", remedy),
            "{path} {value}"
        );
    }
    assert_eq!(findings(&with(GOOD_V8, "compose.0.cpu", "0.3")), []);
    let finding = only(GOOD_V1, "cpubasic", "3.1");
    assert_eq!(finding.rule, "it must be 0.1 to 3 cores in steps of 0.1");
    expect(GOOD_V1, "rambamf", "50", "rambamf", "resources");
}

#[test]
fn long_values_are_shortened() {
    let long = format!("\"{}\"", "x".repeat(1_000));
    let value = only(GOOD_V8, "owner", &long).value;
    assert_eq!(value.chars().count(), 121);
    assert!(value.ends_with('…'));
}
