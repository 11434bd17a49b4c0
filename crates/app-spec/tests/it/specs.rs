//! The collected specifications: verdict, canonical order, and the clean view.

use fluxplane_app_spec::{
    json::{Value, stringify},
    legacy::{Context, LegacySpec, LegacyVersion, verdict},
};

use crate::fixture::{GOOD_V1, GOOD_V2, GOOD_V8, find, get, items, load, spec, text, with};

/// The stage names that the data file puts before an error.
const STAGES: [&str; 5] = [
    "restrictions: ",
    "types: ",
    "keys: ",
    "ports: ",
    "hardware: ",
];

#[test]
fn every_collected_specification_gets_its_verdict() {
    let file = load("fluxos-app-specs.json");
    let specs = items(&file, "specs");
    assert_eq!(specs.len(), 47);
    for entry in specs {
        let id = text(entry, "id");
        let validation = get(entry, "validation");
        let height = get(validation, "rulesAtHeight").as_u64().unwrap();
        let submitted = get(entry, "spec");
        let own = verdict(submitted.clone(), height, &Context::shipped());
        let error = items(validation, "errors").first().map(|error| {
            let text = error.as_str().unwrap();
            STAGES
                .iter()
                .find_map(|stage| text.strip_prefix(stage))
                .unwrap_or(text)
                .to_owned()
        });
        assert_eq!(own.error, error, "{id}");
        assert_eq!(
            Value::Bool(own.accepted),
            *get(validation, "accepted"),
            "{id}"
        );
        if let Some(order) = find(validation, "canonicalKeyOrder") {
            let canonical = LegacySpec::from_value(submitted.clone())
                .unwrap()
                .canonical();
            let keys = crate::fixture::json(&canonical);
            let keys: Vec<Value> = keys
                .as_object()
                .unwrap()
                .iter()
                .map(|(key, _)| Value::String(key.clone()))
                .collect();
            assert_eq!(Value::Array(keys), *order, "{id}");
            let unchanged = canonical == stringify(submitted);
            assert_eq!(
                Value::Bool(unchanged),
                *get(validation, "canonicalEqualsInput"),
                "{id}"
            );
        }
    }
}

#[test]
fn every_accepted_specification_has_a_clean_view() {
    let file = load("fluxos-app-specs.json");
    for entry in items(&file, "specs") {
        if *get(get(entry, "validation"), "accepted") != Value::Bool(true) {
            continue;
        }
        let spec = LegacySpec::from_value(get(entry, "spec").clone()).unwrap();
        let view = spec
            .view()
            .unwrap_or_else(|error| panic!("{}: {error}", text(entry, "id")));
        assert!(!view.components.is_empty());
        assert!(
            view.components
                .iter()
                .all(|component| component.resources.ram_mib >= 100)
        );
    }
}

#[test]
fn the_view_is_the_same_for_all_versions() {
    let (v1, v2, v8) = (spec(GOOD_V1), spec(GOOD_V2), spec(GOOD_V8));
    let (v1, v2, v8) = (v1.view().unwrap(), v2.view().unwrap(), v8.view().unwrap());
    assert_eq!(
        (v1.version, v1.instances, v1.expire),
        (LegacyVersion::V1, 3, None)
    );
    assert_eq!((v8.instances, v8.expire), (3, Some(88_000)));
    for view in [&v1, &v2, &v8] {
        let first = &view.components[0];
        assert_eq!(first.image, "nginx:1.27");
        assert_eq!(
            (first.ports[0].host, first.ports[0].container),
            (31_000, 80)
        );
        assert_eq!(
            (
                first.resources.cpu_milli,
                first.resources.ram_mib,
                first.resources.disk_gib
            ),
            (500, 500, 5)
        );
    }
    assert_eq!(v1.components[0].name, "shop");
    assert_eq!(v1.components[0].tiers.unwrap()[2].cpu_milli, 2_000);
    assert_eq!(v2.components[0].ports[0].domains, "shop.example.org");
    assert!(v8.components[1].flags.receive_first);
    assert_eq!(v8.components[1].repoauth, None);
}

#[test]
fn what_cannot_be_scheduled_has_no_view() {
    for (path, value, field) in [
        ("compose.0.cpu", "-1", "compose[0].cpu"),
        ("compose.1.hdd", "\"x\"", "compose[1].hdd"),
        ("compose.0.ports", "[1.5]", "compose[0].ports[0]"),
        (
            "compose.0.containerPorts",
            "[70000]",
            "compose[0].containerPorts[0]",
        ),
        ("compose.0.domains", "[]", "compose[0].ports"),
        ("name", "\"\\ud800\"", "name"),
        ("version", "9", "version"),
    ] {
        let spec = LegacySpec::from_value(with(GOOD_V8, path, value)).unwrap();
        assert_eq!(spec.view().unwrap_err().path, field);
    }
}
