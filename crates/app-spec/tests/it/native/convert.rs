//! Conversion from FluxOS and back.

use fluxplane_app_spec::{
    json::{Limits, Value, parse},
    legacy::{Context, LegacySpec, LegacyVersion, judge},
    native::{Misfit, NativeSpec, Protocol, VolumeKind, examine, from_legacy, to_legacy, to_v8},
};
use proptest::{prelude::*, test_runner::TestRunner};

use super::{GOOD, good};
use crate::{
    fixture::{GOOD_V1, GOOD_V2, GOOD_V7, GOOD_V8, get, items, load, spec, text, with},
    round_trip::{config, submissions},
};

/// A height at which every version is accepted.
const HEIGHT: u64 = 2_250_000;

/// There and back through text; asserts that the canonical bytes are kept.
fn there_and_back(legacy: &LegacySpec) -> NativeSpec {
    let canonical = legacy.canonical();
    let converted = from_legacy(legacy).unwrap();
    let text = converted.canonical();
    let read = examine(text.as_bytes());
    assert_eq!(
        read.spec.as_ref(),
        Some(&converted),
        "{canonical}\n{text}\n{:#?}",
        read.findings
    );
    let back =
        to_legacy(&converted).unwrap_or_else(|misfits| panic!("{misfits:#?}\n{canonical}\n{text}"));
    assert_eq!(back.canonical(), canonical, "{text}");
    converted
}

#[test]
fn every_collected_specification_survives() {
    let file = load("fluxos-app-specs.json");
    let mut count = 0;
    let mut refused = Vec::new();
    for entry in items(&file, "specs") {
        let Ok(legacy) = LegacySpec::from_value(get(entry, "spec").clone()) else {
            refused.push(text(entry, "id").to_owned());
            continue;
        };
        there_and_back(&legacy);
        count += 1;
    }
    assert_eq!(count + refused.len(), 47);
    // The formatter itself throws for these, so they have no canonical bytes.
    assert!(count >= 40, "{refused:?}");
}

#[test]
fn accepted_specifications_are_natively_good_but_for_their_reasons() {
    let file = load("fluxos-app-specs.json");
    let mut good = 0;
    for entry in items(&file, "specs") {
        if *get(get(entry, "validation"), "accepted") != Value::Bool(true) {
            continue;
        }
        let legacy = LegacySpec::from_value(get(entry, "spec").clone()).unwrap();
        let findings = from_legacy(&legacy).unwrap().findings();
        for finding in &findings {
            // The values may be odd, the document never is.
            let shape = [
                "type",
                "unknown-field",
                "missing-field",
                "one-of",
                "null",
                "quantity",
                "choice",
                "number",
            ];
            assert!(
                !shape.contains(&finding.code),
                "{}: {finding:?}",
                text(entry, "id")
            );
        }
        good += usize::from(findings.is_empty());
    }
    assert!(good >= 10, "{good}");
}

fn survives(version: LegacyVersion) {
    TestRunner::new(config())
        .run(&submissions(version), |submitted| {
            there_and_back(&LegacySpec::from_value(submitted).unwrap());
            Ok(())
        })
        .unwrap();
}

#[test]
fn random_v1_survive() {
    survives(LegacyVersion::V1);
}

#[test]
fn random_v2_survive() {
    survives(LegacyVersion::V2);
}

#[test]
fn random_v3_survive() {
    survives(LegacyVersion::V3);
}

#[test]
fn random_v4_survive() {
    survives(LegacyVersion::V4);
}

#[test]
fn random_v5_survive() {
    survives(LegacyVersion::V5);
}

#[test]
fn random_v6_survive() {
    survives(LegacyVersion::V6);
}

#[test]
fn random_v7_survive() {
    survives(LegacyVersion::V7);
}

#[test]
fn random_v8_survive() {
    survives(LegacyVersion::V8);
}

proptest! {
    /// What the formatter takes although nothing in it is of the right type.
    #[test]
    fn odd_values_survive(path in prop::sample::select(&["compose.0.name", "compose.0.ports", "compose.0.containerPorts", "compose.0.domains", "compose.0.cpu", "compose.1.containerData", "compose.0.repoauth", "name", "contacts", "geolocation", "datacenter", "enterprise", "expire"][..]), value in prop::sample::select(&["\"\\ud800\"", "[]", "[null]", "[{\"a\":1}]", "-5", "1e300", "0.123", "\"x\"", "[\"31000\",1.5]", "true", "0"][..])) {
        if let Ok(legacy) = LegacySpec::from_value(with(GOOD_V8, path, value)) {
            there_and_back(&legacy);
        }
    }
}

#[test]
fn numbers_that_are_none_and_zeros_in_texts_survive() {
    for (base, path, value) in [
        (GOOD_V8, "compose.0.cpu", "\"x\""),
        (GOOD_V8, "compose.0.ports", "[\"x\",null]"),
        (GOOD_V7, "compose.0.ram", "{}"),
        (GOOD_V2, "cpu", "\"0\""),
        (GOOD_V2, "hdd", "\"x\""),
        (GOOD_V1, "port", "\"0\""),
        (GOOD_V1, "rambamf", "\"0\""),
        (GOOD_V1, "cpubasic", "\"x\""),
    ] {
        there_and_back(&LegacySpec::from_value(with(base, path, value)).unwrap());
    }
}

#[test]
fn every_field_has_its_native_meaning() {
    let native = there_and_back(&spec(GOOD_V8));
    let (web, db) = (&native.components["web"], &native.components["db"]);
    assert_eq!(native.instances, Some(3));
    assert_eq!((web.cpu, web.memory, web.disk), (500, 500, 5_120));
    let port = &web.ports["p1"];
    assert_eq!(
        (port.host, port.container, port.protocol),
        (Some(31_000), 80, Protocol::TcpUdp)
    );
    assert_eq!(native.placement.allow, ["EU"]);
    assert_eq!(native.placement.forbid, ["EU_RU"]);
    assert_eq!(native.billing.term, Some(88_000 * 30));
    assert_eq!(
        native.notifications[0].email.as_deref(),
        Some("me@example.org")
    );
    let data = &db.volumes["data"];
    assert_eq!(
        (data.kind, data.start_after_sync),
        (VolumeKind::Synced, true)
    );
    let shared = db
        .volumes
        .iter()
        .find(|(_, volume)| volume.source.is_some())
        .unwrap();
    assert_eq!(shared.1.source.as_ref().unwrap().component, "web");
    // Nothing but the version and the order had to be remembered.
    let legacy = native.legacy.unwrap();
    assert_eq!(
        (legacy.version, legacy.components),
        (8, vec!["web".to_owned(), "db".to_owned()])
    );
    assert_eq!(legacy.residue, []);
}

#[test]
fn flags_of_synced_folders_have_their_kinds() {
    for (data, kind, after) in [
        ("/data", VolumeKind::Local, false),
        ("s:/data", VolumeKind::Synced, false),
        ("r:/data", VolumeKind::Synced, true),
        ("g:/data", VolumeKind::Exclusive, false),
        ("gs:/data", VolumeKind::Exclusive, false),
    ] {
        let legacy = LegacySpec::from_value(with(
            GOOD_V8,
            "compose.0.containerData",
            &format!("\"{data}\""),
        ))
        .unwrap();
        let native = there_and_back(&legacy);
        let volume = &native.components["web"].volumes["data"];
        assert_eq!(
            (volume.kind, volume.start_after_sync),
            (kind, after),
            "{data}"
        );
    }
}

#[test]
fn what_has_no_native_field_is_kept_and_nothing_else() {
    let native = there_and_back(&spec(GOOD_V1));
    let paths: Vec<String> = native
        .legacy
        .unwrap()
        .residue
        .into_iter()
        .map(|residue| residue.path)
        .collect();
    assert!(
        paths.contains(&"/tiered".to_owned()) && paths.contains(&"/rambamf".to_owned()),
        "{paths:?}"
    );
    assert_eq!(paths.len(), 10, "{paths:?}");
    let cased = LegacySpec::from_value(with(GOOD_V8, "name", "\"Shop\"")).unwrap();
    let native = there_and_back(&cased);
    assert_eq!(native.name, "shop");
    assert_eq!(
        native.legacy.unwrap().residue[0].value.as_deref(),
        Some("\"Shop\"")
    );
}

#[test]
fn the_order_of_variables_is_kept_as_an_order() {
    let legacy = LegacySpec::from_value(with(
        GOOD_V8,
        "compose.0.environmentParameters",
        r#"["C=3","A=1","B=2"]"#,
    ))
    .unwrap();
    let native = there_and_back(&legacy);
    let residue = &native.legacy.unwrap().residue;
    assert_eq!(residue.len(), 1);
    assert_eq!(
        (residue[0].order.as_slice(), residue[0].value.as_ref()),
        (&[2, 0, 1][..], None)
    );
}

#[test]
fn edits_of_the_native_document_win() {
    let cased = LegacySpec::from_value(with(GOOD_V7, "name", "\"Shop\"")).unwrap();
    let mut native = there_and_back(&cased);
    native.instances = Some(5);
    native.components.get_mut("web").unwrap().image = "nginx:1.28".to_owned();
    let back = to_legacy(&native).unwrap();
    assert_eq!(back.instances, Some(5.0));
    assert_eq!(back.name, "Shop");
    assert!(back.canonical().contains("nginx:1.28"));
    // The name itself was edited: what it was converted from no longer counts.
    native.name = "market".to_owned();
    assert_eq!(to_legacy(&native).unwrap().name, "market");
}

#[test]
fn an_edit_without_a_field_in_the_version_is_a_misfit() {
    let mut native = there_and_back(&spec(GOOD_V2));
    native.placement.static_ip = true;
    native.instances = Some(4);
    let misfits = to_legacy(&native).unwrap_err();
    assert_eq!(paths(&misfits), ["placement.staticIp", "instances"]);
    assert!(misfits[0].reason.contains("it came with v7"));
}

fn paths(misfits: &[Misfit]) -> Vec<&str> {
    misfits.iter().map(|misfit| misfit.path.as_str()).collect()
}

#[test]
fn old_versions_become_v8() {
    for (name, text) in [("v2", GOOD_V2), ("v7", GOOD_V7), ("v8", GOOD_V8)] {
        let native = there_and_back(&spec(text));
        let v8 = to_v8(&native, HEIGHT).unwrap_or_else(|misfits| panic!("{name}: {misfits:#?}"));
        assert_eq!(v8.known_version(), Some(LegacyVersion::V8));
        let value = parse(v8.canonical().as_bytes(), Limits::default())
            .unwrap()
            .value;
        assert_eq!(judge(value, HEIGHT, &Context::shipped()), Ok(v8));
    }
    let v2 = to_v8(&there_and_back(&spec(GOOD_V2)), HEIGHT).unwrap();
    assert_eq!(v2.expire, Some(88_000.0));
    assert_eq!(v2.components()[0].ports, [31_000.0]);
    assert_eq!(v2.components()[0].domains[0], "shop.example.org");
    let tiered = to_v8(&there_and_back(&spec(GOOD_V1)), HEIGHT).unwrap_err();
    assert!(
        tiered
            .iter()
            .any(|misfit| misfit.reason.contains("/cpubasic of v1")),
        "{tiered:#?}"
    );
}

#[test]
fn a_native_document_that_fits_becomes_v8() {
    let text = "schema: fluxplane/v1\nname: shop\nowner: 1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC\ninstances: 3\nbilling: {mode: term, term: 30d}\nplacement: {allow: [EU], forbid: [EU_RU]}\ncomponents:\n  db:\n    image: postgres:17\n    cpu: 1core\n    memory: 1000Mi\n    disk: 10Gi\n    volumes: {data: {path: /data, kind: exclusive}, web: {path: /web, source: {component: web, volume: data}}}\n  web:\n    image: nginx:1.27\n    cpu: 500m\n    memory: 500Mi\n    disk: 5Gi\n    env: {B: '2', A: '1'}\n    ports: {http: {container: 80, host: 31000, domains: [shop.example.org]}}\n    volumes: {data: {path: /srv, kind: synced}}\n";
    let v8 = to_v8(&good(text), HEIGHT).unwrap_or_else(|misfits| panic!("{misfits:#?}"));
    // web comes first, because db takes its volume.
    let names: Vec<_> = v8
        .components()
        .iter()
        .map(|component| component.name.clone().unwrap())
        .collect();
    assert_eq!(names, ["web", "db"]);
    let data: Vec<_> = v8
        .components()
        .iter()
        .map(|component| component.container_data.clone().unwrap())
        .collect();
    assert_eq!(data, ["s:/srv", "g:/data|0:/web"]);
    assert_eq!(v8.expire, Some(86_400.0));
    assert_eq!(
        v8.geolocation.as_deref(),
        Some(&["acEU".into(), "a!cEU_RU".into()][..])
    );
    assert_eq!(v8.components()[0].environment, ["A=1", "B=2"]);
}

#[test]
fn everything_that_does_not_fit_is_listed() {
    let misfits = to_v8(&good(GOOD), HEIGHT).unwrap_err();
    let mut found = paths(&misfits);
    found.sort_unstable();
    let expected = [
        "billing.mode",
        "components.db.volumes.shared",
        "components.web.ports.http.host",
        "components.web.probes",
        "components.web.volumes.data.size",
        "components.web.volumes.data.snapshots",
    ];
    assert_eq!(found, expected);
    let not_converted = to_legacy(&good(GOOD)).unwrap_err();
    assert_eq!(paths(&not_converted), ["legacy"]);
}

#[test]
fn what_fluxos_or_the_strict_verdict_refuses_does_not_fit() {
    let text = "schema: fluxplane/v1\nname: shop\nowner: 1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC\ninstances: 3\nbilling: {mode: term, term: 30d}\ncomponents:\n  web:\n    image: nginx@sha256:0f3c2ad8e2c6a5d7b1c4e9f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a\n    cpu: 123m\n    memory: 512Mi\n    disk: 5Gi\n";
    let misfits = to_v8(&good(text), HEIGHT).unwrap_err();
    let found = paths(&misfits);
    for path in ["compose[0].repotag", "compose[0].cpu", "compose[0].ram"] {
        assert!(found.contains(&path), "{misfits:#?}");
    }
}

#[test]
fn an_unknown_version_is_not_converted() {
    let unknown = LegacySpec::from_value(with(GOOD_V8, "version", "9")).unwrap();
    assert_eq!(from_legacy(&unknown).unwrap_err().path, "version");
}
