//! Random specifications of every version: coercion is idempotent, and the canonical form is a fixed point.

use fluxplane_app_spec::{
    json::{JsString, Limits, Object, Value, parse},
    legacy::{Field, FieldKind, LegacySpec, LegacyVersion, Need, app_fields, component_fields},
};
use proptest::{prelude::*, strategy::BoxedStrategy, test_runner::TestRunner};

/// Specifications per version, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 10_000;

/// How many specifications a test makes, and how.
pub(crate) fn config() -> ProptestConfig {
    #[expect(
        clippy::disallowed_methods,
        reason = "proptest's own variable, with another default"
    )]
    let wanted = std::env::var("PROPTEST_CASES");
    ProptestConfig {
        cases: wanted
            .ok()
            .and_then(|count| count.parse().ok())
            .unwrap_or(CASES),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Texts that mean something in a field; random ones rarely do.
fn sample(name: &str) -> &'static [&'static str] {
    match name {
        "name" => &["web", "Web", "shop2", "db", "a b", "-"],
        "owner" => &["1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC", "nobody"],
        "repotag" => &["nginx:1.27", "ghcr.io/org/app:v2", "nginx@sha256:00"],
        "containerData" => &[
            "/data",
            "s:/data",
            "r:/srv",
            "g:/data",
            "gs:/data|m:logs:/logs",
            "/data|m:Data:/x|f:app.yaml:/etc/app.yaml",
            "/tmp|0:/shared",
            "/tmp|c:0:logs:/logs|cf:1:app.yaml:/a",
            "data",
        ],
        "geolocation" => &[
            "acEU",
            "acEU_DE",
            "acEU_DE_Bavaria",
            "a!cAS_ID_NONE",
            "acNA_ALL",
            "acALL",
            "aEU",
            "bDE",
            "bZZ",
            "a!cEU_RU",
        ],
        "contacts" => &["me@example.org", "F_S_CONTACTS=https://example.org", "you"],
        "environmentParameters" | "enviromentParameters" => &[
            "B=1",
            "A=2",
            "A=3",
            "NO_VALUE",
            "=",
            "C=a=b",
            "F_S_ENV=https://example.org",
        ],
        "domains" => &[
            "",
            "shop.example.org",
            "a.example.org,b.example.org",
            "a,,b",
        ],
        "ports" | "containerPorts" => &["31000", "31001", "80", "08", "x"],
        "nodes" => &["1.2.3.4", "1.2.3.4:16127"],
        _ => &["plain"],
    }
}

fn sampled(name: &'static str) -> BoxedStrategy<Value> {
    prop_oneof![
        3 => prop::sample::select(sample(name)).prop_map(Value::from),
        1 => text(),
    ]
    .boxed()
}

fn port() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop::sample::select(&[31_000_u32, 31_001, 31_002, 80, 443, 8_080][..]).prop_map(f64::from),
        1 => number(),
    ]
    .prop_map(Value::Number)
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "[a-zA-Z0-9:/ .-]{1,12}".prop_map(Value::from),
        1 => proptest::collection::vec(any::<u16>(), 1..5).prop_map(|units| Value::String(JsString::from_units(units))),
        1 => proptest::collection::vec(any::<char>(), 1..5).prop_map(|chars| Value::from(String::from_iter(chars))),
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (1..100_000_u32).prop_map(f64::from),
        (1..1_000_u32).prop_map(|tenths| f64::from(tenths) / 10.0),
        proptest::num::f64::NORMAL,
        Just(1e21),
        Just(-0.5),
        Just(1.5e-7),
    ]
}

fn field(field: Field, version: LegacyVersion) -> BoxedStrategy<Value> {
    match (field.name, field.kind) {
        ("version", _) => Just(Value::Number(f64::from(version.number()))).boxed(),
        ("instances", _) => (3..=100_u32)
            .prop_map(|count| Value::Number(f64::from(count)))
            .boxed(),
        ("expire", _) => (1..2_000_000_u32)
            .prop_map(|count| Value::Number(f64::from(count)))
            .boxed(),
        ("enterprise", _) => prop_oneof![
            Just(Value::from("")),
            Just(Value::Bool(false)),
            Just(Value::Number(-0.0)),
            text()
        ]
        .boxed(),
        (_, FieldKind::Number) => number().prop_map(Value::Number).boxed(),
        (name, FieldKind::Text) => sampled(name),
        (_, FieldKind::Flag) => any::<bool>().prop_map(Value::Bool).boxed(),
        (name, FieldKind::Texts) => proptest::collection::vec(sampled(name), 0..4)
            .prop_map(Value::Array)
            .boxed(),
        (_, FieldKind::Numbers) => proptest::collection::vec(port(), 0..3)
            .prop_map(Value::Array)
            .boxed(),
        (_, FieldKind::Components) => {
            let fields: Vec<Field> = component_fields(version).collect();
            proptest::collection::vec(object(&fields, version), 0..3)
                .prop_map(Value::Array)
                .boxed()
        }
    }
}

/// An object with all required fields in any order, sometimes optional ones, and one unknown.
fn object(fields: &[Field], version: LegacyVersion) -> BoxedStrategy<Value> {
    let members: Vec<_> = fields
        .iter()
        .map(|own| {
            let given = if own.need == Need::Optional {
                any::<bool>().boxed()
            } else {
                Just(true).boxed()
            };
            (Just(own.name), field(*own, version), given)
        })
        .collect();
    (members, any::<prop::sample::Index>())
        .prop_map(|(mut members, turn)| {
            let middle = turn.index(members.len());
            members.rotate_left(middle);
            let known = members.into_iter().filter(|(.., given)| *given);
            let mut object: Object = known.map(|(name, value, _)| (name, value)).collect();
            object.set("unknown", Value::Null);
            Value::Object(object)
        })
        .boxed()
}

/// Specifications of a version that the formatter takes.
pub(crate) fn submissions(version: LegacyVersion) -> BoxedStrategy<Value> {
    let fields: Vec<Field> = app_fields(version).collect();
    object(&fields, version)
}

fn is_stable(version: LegacyVersion) {
    TestRunner::new(config())
        .run(&submissions(version), |submitted| {
            let spec = LegacySpec::from_value(submitted).unwrap();
            let canonical = spec.canonical();
            let document = parse(canonical.as_bytes(), Limits::default()).unwrap();
            prop_assert!(document.duplicates.is_empty());
            let again = LegacySpec::from_value(document.value).unwrap();
            prop_assert_eq!(again.canonical(), canonical);
            Ok(())
        })
        .unwrap();
}

#[test]
fn v1_is_stable() {
    is_stable(LegacyVersion::V1);
}

#[test]
fn v2_is_stable() {
    is_stable(LegacyVersion::V2);
}

#[test]
fn v3_is_stable() {
    is_stable(LegacyVersion::V3);
}

#[test]
fn v4_is_stable() {
    is_stable(LegacyVersion::V4);
}

#[test]
fn v5_is_stable() {
    is_stable(LegacyVersion::V5);
}

#[test]
fn v6_is_stable() {
    is_stable(LegacyVersion::V6);
}

#[test]
fn v7_is_stable() {
    is_stable(LegacyVersion::V7);
}

#[test]
fn v8_is_stable() {
    is_stable(LegacyVersion::V8);
}
