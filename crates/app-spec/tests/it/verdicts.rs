//! The verdict of FluxOS: its vectors, and what JavaScript does with odd input.

use fluxplane_app_spec::legacy::{
    Context, GATES, HeightRules, Stage, expiry_height, judge, verdict,
};

use crate::fixture::{
    GOOD_V1, GOOD_V2, GOOD_V7, GOOD_V8, find, get, items, json, load, text, with,
};

/// A height at which every version is accepted.
const NOW: u64 = 2_250_000;

fn error(spec: fluxplane_app_spec::json::Value) -> String {
    verdict(spec, NOW, &Context::shipped())
        .error
        .unwrap_or_else(|| "accepted".to_owned())
}

#[test]
fn every_verdict_is_that_of_fluxos() {
    let file = load("fluxos-verdict-vectors.json");
    let cases = items(&file, "cases");
    assert_eq!(cases.len(), 877);
    for case in cases {
        let height = get(case, "height").as_u64().unwrap();
        let own = verdict(get(case, "spec").clone(), height, &Context::shipped());
        let wanted = |field| get(case, field).as_str();
        let id = text(case, "id");
        assert_eq!(own.error.as_deref(), wanted("error"), "{id}");
        assert_eq!(own.canonical.as_deref(), wanted("canonical"), "{id}");
        assert_eq!(own.accepted, own.error.is_none(), "{id}");
    }
}

#[test]
fn good_specifications_are_accepted() {
    for good in [GOOD_V1, GOOD_V2, GOOD_V7, GOOD_V8] {
        let verdict = verdict(json(good), NOW, &Context::default());
        assert_eq!(verdict.error, None);
        assert_eq!(verdict.canonical.as_deref(), Some(good));
    }
}

#[test]
fn exceptions_of_javascript_are_verdicts() {
    for (spec, text) in [
        (
            json("null"),
            "format: Cannot destructure property 'version' of 'appSpecification' as it is null.",
        ),
        (
            json("[]"),
            "format: Missing Flux App specification parameter version",
        ),
        (
            json("\"x\""),
            "format: Missing Flux App specification parameter version",
        ),
        (
            with(GOOD_V8, "compose", "[null]"),
            "format: Cannot read properties of null (reading 'name')",
        ),
        (
            with(GOOD_V8, "compose", "[1]"),
            "format: Ports for Flux App component undefined are invalid",
        ),
        (
            with(GOOD_V8, "compose.0.cpu", "{\"toString\":1}"),
            "format: Cannot convert object to primitive value",
        ),
        (
            with(GOOD_V8, "compose", "[{\"name\":{\"toString\":1}}]"),
            "format: Cannot convert object to primitive value",
        ),
        (
            with(GOOD_V8, "compose", "[{\"name\":[1,[null,2]]}]"),
            "format: Ports for Flux App component 1,,2 are invalid",
        ),
        (
            with(GOOD_V8, "compose", "[{\"name\":{}}]"),
            "format: Ports for Flux App component [object Object] are invalid",
        ),
    ] {
        assert_eq!(error(spec), text);
    }
}

#[test]
fn a_missing_text_of_a_component_is_an_exception_in_the_third_stage() {
    for field in ["repotag", "containerData"] {
        let mut spec = json(GOOD_V7);
        if let fluxplane_app_spec::json::Value::Object(app) = &mut spec {
            let mut component = items(&json(GOOD_V7), "compose")[0]
                .as_object()
                .unwrap()
                .clone();
            component.remove(field);
            app.set("compose", vec![component.into()]);
        }
        assert_eq!(
            error(spec),
            "Cannot read properties of undefined (reading 'length')"
        );
    }
}

#[test]
fn coercions_are_those_of_javascript() {
    for (path, value, canonical) in [
        ("version", "\"8\"", "\"version\":8,"),
        ("version", "[8]", "\"version\":8,"),
        ("name", "12", "\"name\":\"12\","),
        ("compose.0.cpu", "\" 0x1 \"", "\"cpu\":1,"),
        ("compose.0.cpu", "true", "\"cpu\":1,"),
        ("compose.0.cpu", "null", "\"cpu\":0,"),
        ("compose.0.cpu", "[\"1e-1\"]", "\"cpu\":0.1,"),
        ("compose.0.cpu", "-0", "\"cpu\":0,"),
        (
            "compose.0.ports",
            "\"[\\\"31000\\\"]\"",
            "\"ports\":[31000],",
        ),
        (
            "compose.0.environmentParameters",
            "[{\"a\":[1]},null]",
            "[\"{\\\"a\\\":[1]}\",\"null\"]",
        ),
        (
            "compose.0.description",
            "\"\\ud800\"",
            "\"description\":\"\\ud800\"",
        ),
        (
            "compose.0.description",
            "\"\u{2028}\u{7f}\"",
            "\"description\":\"\u{2028}\u{7f}\"",
        ),
        ("staticip", "\"1\"", "\"staticip\":true"),
        ("expire", "\"1000\"", "\"expire\":1000"),
        ("enterprise", "false", "\"enterprise\":false"),
        ("datacenter", "\"no\"", "\"staticip\":false,\"enterprise\""),
        ("datacenter", "0", "\"datacenter\":false,\"enterprise\""),
    ] {
        let own = verdict(with(GOOD_V8, path, value), NOW, &Context::default());
        let text = own
            .canonical
            .unwrap_or_else(|| panic!("{path} {value}: {:?}", own.error));
        assert!(text.contains(canonical), "{path} {value}: {text}");
    }
}

#[test]
fn container_ports_are_not_coerced() {
    let spec = with(GOOD_V8, "compose.0.containerPorts", "[\"80\"]");
    assert_eq!(
        error(spec),
        "Container Ports for Flux App component web are invalid"
    );
}

#[test]
fn an_infinite_number_has_no_decimals() {
    let spec = with(GOOD_V8, "compose.0.cpu", "1e999");
    assert_eq!(error(spec), "Too much CPU resources assigned for shop");
}

#[test]
fn lengths_count_utf_16_units() {
    let text = |count| format!("\"{}\"", "😀".repeat(count));
    assert_eq!(error(with(GOOD_V8, "description", &text(128))), "accepted");
    let long = "Description is too long. Maximum of 256 characters is allowed";
    assert_eq!(error(with(GOOD_V8, "description", &text(129))), long);
}

#[test]
fn a_data_centre_needs_an_enterprise_owner() {
    let spec = with(GOOD_V8, "datacenter", "true");
    let owner = text(&spec, "owner").to_owned();
    let refusal = judge(spec.clone(), NOW, &Context::shipped()).unwrap_err();
    assert_eq!(refusal.stage, Stage::Types);
    assert_eq!(
        refusal.text,
        "Datacenter requirement is only available for enterprise app owners."
    );
    assert!(judge(spec, NOW, &Context::new([owner])).is_ok());
}

#[test]
fn gaps_of_the_validator_are_kept() {
    for (path, value) in [
        ("owner", "\"TrippleCore\""),
        ("compose.0.cpu", "-5"),
        ("compose.0.ram", "0"),
        ("compose.0.cpu", "0.123"),
        ("geolocation", "[\"whatever\"]"),
        ("compose.0.containerData", "\"/data|0:/shared\""),
        ("compose.0.containerPorts", "[0]"),
        ("enterprise", "\"AAAA\""),
    ] {
        assert_eq!(error(with(GOOD_V8, path, value)), "accepted", "{path}");
    }
}

#[test]
fn every_gate_changes_a_rule_at_its_height() {
    assert!(
        GATES
            .windows(2)
            .all(|pair| pair[0].height <= pair[1].height)
    );
    let rules = |height: u64| (HeightRules::at(height - 1), HeightRules::at(height));
    let (before, after) = rules(1_420_000);
    assert_eq!((before.ports, after.ports), (31_000..=39_999, 1..=65_535));
    let (before, after) = rules(1_300_000);
    assert_eq!((before.max_components, after.max_components), (5, 10));
    let (before, after) = rules(1_625_000);
    assert_eq!((before.term_step, after.term_step), (Some(1_000), None));
    let (before, after) = rules(1_630_040);
    assert_eq!(
        (before.min_term.blocks, after.min_term.blocks),
        (5_000, 100)
    );
    let (before, after) = rules(1_964_447);
    assert_eq!((before.min_term.blocks, after.min_term.blocks), (100, 1));
    let (before, after) = rules(2_020_000);
    assert_eq!((before.max_term, after.max_term), (264_000, 1_056_000));
    let (before, after) = rules(2_176_519);
    assert_eq!((before.min_instances_v8, after.min_instances_v8), (3, 1));
}

#[test]
fn one_instance_is_enough_for_v8_from_its_gate_on() {
    let spec = || with(GOOD_V8, "instances", "1");
    let at = |height| verdict(spec(), height, &Context::default()).error;
    assert_eq!(
        at(2_176_518).as_deref(),
        Some("Minimum number of instances is 3")
    );
    assert_eq!(at(2_176_519), None);
}

#[test]
fn a_version_is_refused_below_its_height() {
    let at = |height| verdict(with(GOOD_V7, "expire", "5000"), height, &Context::default()).error;
    let text = "Assigned port 31000";
    assert_eq!(
        at(1_419_999).as_deref(),
        Some("Flux apps specifications of version 7 not yet supported"),
        "{text}"
    );
    assert_eq!(at(1_420_000), None);
}

#[test]
fn every_error_text_of_the_static_stages_is_known() {
    // The texts that FluxOS can answer are listed per stage; those in the vectors must be among them.
    let file = load("fluxos-validator-errors.json");
    let known: Vec<String> = items(&file, "stages")
        .iter()
        .flat_map(|stage| items(stage, "messages_in_order"))
        .map(|message| message.as_str().unwrap().to_owned())
        .collect();
    let cases = load("fluxos-verdict-vectors.json");
    for case in items(&cases, "cases") {
        let Some(error) = find(case, "error").and_then(|error| error.as_str()) else {
            continue;
        };
        let text = error.strip_prefix("format: ").unwrap_or(error);
        let is_known = known.iter().any(|pattern| fits(pattern, text));
        assert!(is_known || text.contains("not yet supported"), "{text}");
    }
}

/// Whether a text has the form of a pattern with `<placeholders>`.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('<') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    let (_, tail) = tail.split_once('>').unwrap_or(("", ""));
    (0..=rest.len()).any(|cut| rest.get(cut..).is_some_and(|rest| fits(tail, rest)))
}

#[test]
fn a_term_across_the_fork_is_stretched() {
    assert_eq!(expiry_height(2_009_000, 22_000), 2_064_000);
    assert_eq!(expiry_height(1_000_000, 22_000), 1_022_000);
    assert_eq!(expiry_height(2_020_000, 88_000), 2_108_000);
    assert_eq!(expiry_height(2_019_999, 1), 2_020_000);
    assert_eq!(expiry_height(u64::MAX, 1), u64::MAX);
}
