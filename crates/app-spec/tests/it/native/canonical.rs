//! The canonical form and its hash.

use fluxplane_app_spec::{
    json,
    native::{content_hash, parse},
};

use super::{GOOD, good, with};

#[test]
fn the_canonical_form_is_pinned() {
    let spec = good(
        "schema: fluxplane/v1\nname: shop\nowner: 1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC\ninstances: 2\ncomponents:\n  web:\n    image: nginx:1.27\n    cpu: 2cores\n    memory: 1024Mi\n    disk: 5Gi\n    env: {\"B\": \"ü\", \"A\": \"1\"}\n    restart: {policy: always}\nupdate: {bakeTime: 60s}\nplacement: {allow: []}\n",
    );
    let expected = r#"{"components":{"web":{"cpu":"2000m","disk":"5Gi","env":{"A":"1","B":"ü"},"image":"nginx:1.27","memory":"1Gi"}},"instances":2,"name":"shop","owner":"1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC","schema":"fluxplane/v1"}"#;
    assert_eq!(spec.canonical(), expected);
    assert_eq!(spec.hash(), content_hash(expected));
    assert_eq!(spec.hash().len(), 64);
    assert_eq!(spec.signed_text(), format!("fluxplane/v1{}", spec.hash()));
}

#[test]
fn the_same_meaning_has_the_same_hash() {
    let hash = good(GOOD).hash();
    for (from, to) in [
        ("cpu: 1core", "cpu: 1000m"),
        ("memory: 1Gi", "memory: 1024Mi"),
        (
            "instances: 3",
            "instances: 3\nupdate: {strategy: rolling, rollback: {automatic: true}}",
        ),
        (
            "instances: 3",
            "instances: 3\ndescription: ''\nnotifications: []",
        ),
        (
            "health: {http: {port: 80}}",
            "health: {http: {port: 80, path: /}, interval: 10s}",
        ),
        ("instances: 3", "# a comment\ninstances: 3"),
    ] {
        assert_eq!(good(&with(from, to)).hash(), hash, "{to}");
    }
    assert_eq!(good(&good(GOOD).canonical()).hash(), hash);
    assert_eq!(good(&json::pretty(&good(GOOD).to_value())).hash(), hash);
}

#[test]
fn another_meaning_has_another_hash() {
    let hash = good(GOOD).hash();
    for (from, to) in [
        ("cpu: 1core", "cpu: 1001m"),
        ("instances: 3", "instances: 4"),
        ("MODE: \"prod\"", "MODE: \"prod \""),
        ("allow: [EU]", "allow: [EU, NA]"),
        ("instances: 3", "instances: 3\nupdate: {bakeTime: 61s}"),
    ] {
        assert_ne!(good(&with(from, to)).hash(), hash, "{to}");
    }
}

#[test]
fn the_canonical_text_reads_back() {
    let spec = good(GOOD);
    assert_eq!(parse(spec.canonical().as_bytes()), Ok(spec));
}
