//! What an update may change, and what it restarts.

use fluxplane_app_spec::{
    json::Value,
    legacy::{LegacySpec, Restart, check_update, only_expire_differs},
};

use crate::fixture::{GOOD_V1, GOOD_V2, GOOD_V7, GOOD_V8, json, spec, with};

fn changed(base: &str, path: &str, value: &str) -> LegacySpec {
    LegacySpec::from_value(with(base, path, value)).unwrap()
}

#[test]
fn the_version_may_only_go_to_8() {
    let text = check_update(&spec(GOOD_V1), &spec(GOOD_V7)).unwrap_err().0;
    assert!(text.ends_with("Current version: 1, Attempted version: 7. To update this application, please use version 8 specifications."), "{text}");
    assert_eq!(check_update(&spec(GOOD_V1), &spec(GOOD_V8)), Ok(()));
    assert_eq!(check_update(&spec(GOOD_V7), &spec(GOOD_V8)), Ok(()));
    assert!(check_update(&spec(GOOD_V8), &spec(GOOD_V2)).is_err());
}

#[test]
fn up_to_v3_the_image_is_fixed() {
    let text = check_update(&spec(GOOD_V2), &changed(GOOD_V2, "repotag", "\"nginx:2\""))
        .unwrap_err()
        .0;
    assert!(
        text.contains("Previous repotag: \"nginx:1.27\", New repotag: \"nginx:2\""),
        "{text}"
    );
    assert_eq!(
        check_update(&spec(GOOD_V2), &changed(GOOD_V2, "cpu", "1")),
        Ok(())
    );
}

#[test]
fn from_v4_to_v7_the_components_are_fixed() {
    let old = spec(GOOD_V7);
    assert_eq!(
        check_update(&old, &changed(GOOD_V7, "compose.0.repotag", "\"nginx:2\"")),
        Ok(())
    );
    let text = check_update(&old, &changed(GOOD_V7, "compose", "[]"))
        .unwrap_err()
        .0;
    assert_eq!(
        text,
        "Application update rejected: Cannot change the number of components for \"shop\". Previous version has 1 component(s), new version has 0. Component count must remain constant for v4+ applications."
    );
    let text = check_update(&old, &changed(GOOD_V7, "compose.0.name", "\"api\""))
        .unwrap_err()
        .0;
    assert!(
        text.contains("Component \"web\" not found")
            && text.contains("Previous components: [web], New components: [api]"),
        "{text}"
    );
}

#[test]
fn v8_may_change_its_components() {
    assert_eq!(
        check_update(&spec(GOOD_V8), &changed(GOOD_V8, "compose", "[]")),
        Ok(())
    );
}

#[test]
fn harmless_changes_restart_nothing() {
    let old = spec(GOOD_V8);
    for (path, value) in [
        ("description", "\"new\""),
        ("expire", "1"),
        ("instances", "5"),
        ("owner", "\"x\""),
        ("contacts", "[]"),
    ] {
        assert_eq!(
            Restart::between(&old, &changed(GOOD_V8, path, value)),
            Restart::None,
            "{path}"
        );
    }
    assert_eq!(Restart::between(&old, &old), Restart::None);
}

#[test]
fn volumes_survive_unless_a_disk_changes() {
    let old = spec(GOOD_V8);
    for (path, value) in [
        ("compose.0.cpu", "1"),
        ("compose.0.repotag", "\"nginx:2\""),
        ("geolocation", "[]"),
        ("staticip", "true"),
    ] {
        assert_eq!(
            Restart::between(&old, &changed(GOOD_V8, path, value)),
            Restart::Soft,
            "{path}"
        );
    }
    for (path, value) in [
        ("compose.0.hdd", "6"),
        ("compose.1.name", "\"base\""),
        ("compose", "[]"),
    ] {
        assert_eq!(
            Restart::between(&old, &changed(GOOD_V8, path, value)),
            Restart::Hard,
            "{path}"
        );
    }
    assert_eq!(
        Restart::between(&spec(GOOD_V2), &changed(GOOD_V2, "hdd", "6")),
        Restart::Hard
    );
    assert_eq!(
        Restart::between(&spec(GOOD_V1), &changed(GOOD_V1, "hddbamf", "6")),
        Restart::Hard
    );
    assert_eq!(
        Restart::between(&spec(GOOD_V2), &changed(GOOD_V2, "cpu", "1")),
        Restart::Soft
    );
    assert_eq!(Restart::between(&spec(GOOD_V2), &old), Restart::Hard);
}

#[test]
fn an_extension_changes_the_term_only() {
    let old = with(GOOD_V8, "hash", "\"ff\"");
    assert!(only_expire_differs(&old, &with(GOOD_V8, "expire", "1")));
    assert!(only_expire_differs(
        &json(r#"{"a":1,"b":{"c":2,"d":3}}"#),
        &json(r#"{"b":{"d":3,"c":2},"a":1,"enterprise":"x"}"#)
    ));
    assert!(!only_expire_differs(&old, &with(GOOD_V8, "instances", "4")));
    assert!(!only_expire_differs(
        &old,
        &with(GOOD_V8, "compose.0.ports", "[]")
    ));
    assert!(!only_expire_differs(&Value::Null, &Value::Null));
}
