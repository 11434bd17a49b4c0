//! The batch lines.

use fluxplane_app_spec::{
    batch::{check_line, hash_line},
    json::{Value, stringify},
};

use crate::fixture::{GOOD_V7, GOOD_V8, find, get, items, json, load, text};

fn check(line: &str) -> Value {
    json(&check_line(line.as_bytes()))
}

fn hash(line: &str) -> Value {
    json(&hash_line(line.as_bytes()))
}

#[test]
fn a_good_specification_passes_both_verdicts() {
    let answer = check_line(format!("{{\"height\":2250000,\"spec\":{GOOD_V8}}}").as_bytes());
    let canonical = stringify(&Value::from(GOOD_V8));
    assert_eq!(
        answer,
        format!("{{\"accepted\":true,\"error\":null,\"canonical\":{canonical},\"strict\":[]}}")
    );
}

#[test]
fn both_verdicts_are_told_apart() {
    let line = format!(
        "{{\"height\":2250000,\"spec\":{}}}",
        GOOD_V8.replace("\"cpu\":0.5", "\"cpu\":-5,\"cpu\":-5")
    );
    let answer = check(&line);
    assert_eq!(get(&answer, "accepted"), &Value::Bool(true));
    let strict = items(&answer, "strict");
    let codes: Vec<_> = strict
        .iter()
        .map(|finding| (text(finding, "code"), text(finding, "path")))
        .collect();
    assert_eq!(
        codes,
        [
            ("duplicate-key", "compose[0].cpu"),
            ("resources", "compose[0].cpu")
        ]
    );
    assert_eq!(text(&strict[1], "value"), "-5");
    assert_eq!(text(&strict[1], "remedy"), "write 0.1");
}

#[test]
fn a_bad_line_is_answered_by_its_error() {
    for (line, error) in [
        (
            "",
            "invalid JSON at byte 0: the text ends in the middle of a value",
        ),
        ("[]", "the line must be an object, not an array"),
        (
            "{}",
            "height is missing; add a whole number of at least zero",
        ),
        (
            "{\"height\":-1}",
            "height is -1; it must be a whole number of at least zero",
        ),
        (
            "{\"height\":1.5}",
            "height is 1.5; it must be a whole number of at least zero",
        ),
        ("{\"height\":1}", "spec is missing; add the specification"),
    ] {
        assert_eq!(text(&check(line), "error"), error);
    }
    let answer = check("{\"height\":1,\"spec\":null}");
    assert!(text(&answer, "error").starts_with("format: Cannot destructure"));
}

#[test]
fn signed_messages_are_hashed_in_the_order_that_was_signed() {
    let specs = load("fluxos-app-specs.json");
    for entry in items(&specs, "specs") {
        let Some(signature) = find(entry, "chain").and_then(|chain| find(chain, "signature"))
        else {
            continue;
        };
        let chain = get(entry, "chain");
        let line = format!(
            "{{\"type\":\"{}\",\"version\":1,\"spec\":{},\"timestamp\":{},\"signature\":{}}}",
            text(chain, "type"),
            stringify(get(entry, "spec")),
            stringify(get(chain, "timestamp")),
            stringify(signature),
        );
        let answer = hash(&line);
        assert_eq!(text(&answer, "hash"), text(chain, "hash"));
        assert_eq!(text(&answer, "signer"), text(get(entry, "spec"), "owner"));
        let spec = stringify(get(entry, "spec"));
        assert!(text(&answer, "signedText").contains(&spec));
    }
}

#[test]
fn the_canonical_form_of_an_old_message_is_hashed_in_the_old_order() {
    let specs = load("fluxos-app-specs.json");
    let entry = items(&specs, "specs")
        .iter()
        .find(|entry| text(entry, "id") == "v7-blockbookneurai")
        .unwrap();
    let chain = get(entry, "chain");
    let spec =
        fluxplane_app_spec::legacy::LegacySpec::from_value(get(entry, "spec").clone()).unwrap();
    let line = format!(
        "{{\"type\":\"fluxappregister\",\"version\":1,\"spec\":{},\"timestamp\":{},\"signature\":\"{}\"}}",
        spec.canonical(),
        stringify(get(chain, "timestamp")),
        text(chain, "signature"),
    );
    let answer = hash(&line);
    assert_eq!(text(&answer, "hash"), text(chain, "hash"));
    assert_eq!(text(&answer, "signer"), text(get(entry, "spec"), "owner"));
}

#[test]
fn without_signature_there_is_no_signer() {
    let line = format!(
        "{{\"type\":\"fluxappregister\",\"version\":1,\"spec\":{GOOD_V7},\"timestamp\":1700000000000}}"
    );
    let answer = hash(&line);
    assert_eq!(
        text(&answer, "signedText"),
        format!("fluxappregister1{GOOD_V7}1700000000000")
    );
    assert_eq!(text(&answer, "hash").len(), 64);
    assert_eq!(find(&answer, "signer"), None);
}

#[test]
fn a_bad_signature_is_named_beside_the_hash() {
    let line = format!(
        "{{\"type\":\"fluxappupdate\",\"version\":1,\"spec\":{GOOD_V8},\"timestamp\":1,\"signature\":\"AAAA\"}}"
    );
    let answer = hash(&line);
    assert_eq!(get(&answer, "signer"), &Value::Null);
    assert!(text(&answer, "signatureError").starts_with("the signature has 3 bytes instead of 65"));
}

#[test]
fn a_bad_hash_line_is_answered_by_its_error() {
    for (line, error) in [
        (
            "{\"type\":\"x\"}",
            "type is \"x\"; it must be fluxappregister, fluxappupdate, zelappregister or zelappupdate",
        ),
        (
            "{\"type\":\"fluxappregister\",\"version\":\"1\"}",
            "version is \"1\"; it must be the message version 1",
        ),
        (
            "{\"type\":\"fluxappregister\",\"version\":1}",
            "timestamp is missing; add a whole number of at least zero",
        ),
        (
            "{\"type\":\"fluxappregister\",\"version\":1,\"timestamp\":1,\"spec\":[]}",
            "spec is []; it must be an object",
        ),
        (
            "{\"type\":\"fluxappregister\",\"version\":1,\"timestamp\":1,\"spec\":{},\"signature\":1}",
            "signature is 1; it must be a string",
        ),
    ] {
        assert_eq!(text(&hash(line), "error"), error);
    }
}
