//! Random native documents: whatever is accepted is stable, and the published schema takes it too.

use fluxplane_app_spec::{
    json::{Object, Value, stringify},
    native::{examine, parse},
};
use proptest::{prelude::*, strategy::BoxedStrategy, test_runner::TestRunner};

use super::{OWNER, documents::Validator};
use crate::round_trip::config;

type Member = (&'static str, BoxedStrategy<Value>);

/// A map of fields, each there or not.
fn optional(fields: Vec<Member>) -> BoxedStrategy<Value> {
    map(Vec::new(), fields)
}

fn map(required: Vec<Member>, fields: Vec<Member>) -> BoxedStrategy<Value> {
    let required = required
        .into_iter()
        .map(|(name, value)| (name, value.prop_map(Some).boxed()));
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name, prop::option::of(value).boxed()));
    let members: Vec<_> = required
        .chain(fields)
        .map(|(name, value)| (Just(name), value))
        .collect();
    members
        .prop_map(|members| {
            let given = members
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            Value::Object(given.collect())
        })
        .boxed()
}

fn words(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop::sample::select(words).prop_map(Value::from).boxed()
}

fn whole(range: std::ops::Range<u32>) -> BoxedStrategy<Value> {
    range
        .prop_map(|number| Value::from(f64::from(number)))
        .boxed()
}

fn flag() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

fn list(item: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    proptest::collection::vec(item, 0..3)
        .prop_map(Value::from)
        .boxed()
}

fn text() -> BoxedStrategy<Value> {
    prop_oneof!["[ -~]{0,20}", "\\PC{0,8}"]
        .prop_map(Value::from)
        .boxed()
}

fn named(
    names: &'static [&'static str],
    value: BoxedStrategy<Value>,
    min: usize,
) -> BoxedStrategy<Value> {
    proptest::collection::btree_map(prop::sample::select(names), value, min..3)
        .prop_map(|members| Value::Object(members.into_iter().collect::<Object>()))
        .boxed()
}

fn time() -> BoxedStrategy<Value> {
    words(&["30s", "1m", "90s", "15m", "1h", "3600s"])
}

fn size() -> BoxedStrategy<Value> {
    words(&["100Mi", "1Gi", "1024Mi", "1536Mi", "2Ti"])
}

fn probe() -> BoxedStrategy<Value> {
    let question: BoxedStrategy<(&str, Value)> = prop_oneof![
        map(
            vec![("port", whole(1..65_536))],
            vec![("path", words(&["/", "/live"]))]
        )
        .prop_map(|value| ("http", value)),
        map(vec![("port", whole(1..65_536))], vec![]).prop_map(|value| ("tcp", value)),
        map(
            vec![(
                "command",
                Just(Value::from(vec![Value::from("true")])).boxed()
            )],
            vec![]
        )
        .prop_map(|value| ("exec", value)),
    ]
    .boxed();
    let rest = optional(vec![
        ("interval", time()),
        ("delay", time()),
        ("failures", whole(1..9)),
    ]);
    (question, rest)
        .prop_map(|((name, question), rest)| {
            let mut probe = rest.as_object().cloned().unwrap_or_default();
            probe.set(name, question);
            Value::Object(probe)
        })
        .boxed()
}

fn port() -> BoxedStrategy<Value> {
    let balancing = optional(vec![
        ("strategy", words(&["roundRobin", "sourceAddress"])),
        ("timeout", time()),
    ]);
    let domains = words(&["a.example.org", "b.example.org", "C.example.org"]);
    map(
        vec![("container", whole(1..65_536))],
        vec![
            ("host", whole(31_000..39_999)),
            ("protocol", words(&["tcp", "udp", "tcpUdp", "http"])),
            ("domains", list(domains)),
            ("loadBalancing", balancing),
        ],
    )
}

fn volume() -> BoxedStrategy<Value> {
    let schedule = words(&["0 3 * * *", "*/5 * 1-7 * 0"]);
    let snapshots = map(vec![("schedule", schedule)], vec![("keep", whole(1..30))]);
    map(
        vec![("path", words(&["/a", "/b", "/c/d"]))],
        vec![
            ("kind", words(&["local", "synced", "exclusive"])),
            ("size", words(&["1Mi", "50Mi"])),
            ("readOnly", flag()),
            ("snapshots", snapshots),
        ],
    )
}

fn component() -> BoxedStrategy<Value> {
    const BY_DIGEST: &str =
        "a/b@sha256:0f3c2ad8e2c6a5d7b1c4e9f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a";
    let gpu = optional(vec![
        ("count", whole(1..9)),
        ("models", list(words(&["A100", "RTX 4090"]))),
        ("memory", words(&["24Gi"])),
    ]);
    let probes = optional(vec![
        ("startup", probe()),
        ("readiness", probe()),
        ("health", probe()),
    ]);
    let restart = optional(vec![
        ("policy", words(&["always", "onFailure", "never"])),
        ("backoff", words(&["1s", "10s"])),
    ]);
    let stop = optional(vec![
        ("signal", words(&["SIGTERM", "SIGINT"])),
        ("grace", time()),
        ("preStop", list(text())),
    ]);
    let references = words(&["shop", "shop/key", "a-b/c.d"]);
    map(
        vec![
            (
                "image",
                words(&["nginx:1.27", "ghcr.io/org/app:v2", BY_DIGEST]),
            ),
            ("cpu", words(&["10m", "500m", "2cores", "1core", "1500m"])),
            ("memory", size()),
            ("disk", size()),
        ],
        vec![
            ("description", text()),
            ("command", list(text())),
            ("args", list(text())),
            ("env", named(&["A", "B", "_c.d"], text(), 0)),
            ("secrets", named(&["S", "T"], references, 0)),
            ("gpu", gpu),
            ("ports", named(&["http", "p1", "80"], port(), 0)),
            ("volumes", named(&["data", "logs"], volume(), 0)),
            ("probes", probes),
            ("restart", restart),
            ("stop", stop),
        ],
    )
}

fn job() -> BoxedStrategy<Value> {
    let batch = optional(vec![("completions", whole(2..9)), ("deadline", time())]);
    let cron = map(
        vec![("schedule", words(&["0 0 1 1 *"]))],
        vec![("concurrency", words(&["allow", "replace"]))],
    );
    let rendezvous = optional(vec![("port", whole(1..9_999))]);
    let gang = map(
        vec![("workers", whole(1..9))],
        vec![("rendezvous", rendezvous)],
    );
    prop_oneof![
        batch.prop_map(|value| ("batch", value)),
        cron.prop_map(|value| ("cron", value)),
        gang.prop_map(|value| ("gang", value)),
    ]
    .prop_map(|member| Value::Object([member].into_iter().collect()))
    .boxed()
}

fn scale() -> BoxedStrategy<(&'static str, Value)> {
    let range = map(
        vec![
            ("min", whole(1..5)),
            ("max", whole(5..9)),
            ("cpuPercent", whole(10..96)),
        ],
        vec![("window", time())],
    );
    prop_oneof![
        whole(1..100).prop_map(|value| ("instances", value)),
        range.prop_map(|value| ("autoscale", value)),
        job().prop_map(|value| ("job", value)),
    ]
    .boxed()
}

fn update() -> BoxedStrategy<Value> {
    let share = prop_oneof![whole(1..5), words(&["1%", "25%", "100%"])].boxed();
    let rollback = optional(vec![
        ("automatic", flag()),
        ("maxFailed", share.clone()),
        ("deadline", time()),
    ]);
    optional(vec![
        ("strategy", words(&["rolling", "canary"])),
        ("maxUnavailable", share),
        ("bakeTime", time()),
        ("rollback", rollback),
    ])
}

fn placement() -> BoxedStrategy<Value> {
    optional(vec![
        ("allow", list(words(&["EU", "EU_DE", "NA_US_Texas"]))),
        ("forbid", list(words(&["AS", "EU_RU"]))),
        ("spread", list(words(&["operator", "country", "tier"]))),
        ("tiers", list(words(&["cumulus", "stratus"]))),
        ("nodes", list(words(&["1.2.3.4", "1.2.3.4:16127"]))),
        ("staticIp", flag()),
        ("maxPrice", words(&["12.5USD", "0.000001USD", "3.00USD"])),
    ])
}

fn document() -> BoxedStrategy<Value> {
    let term = [("mode", Value::from("term")), ("term", Value::from("30d"))];
    let billing = Just(Value::Object(term.into_iter().collect())).boxed();
    let notification = map(
        vec![("email", words(&["me@example.org"]))],
        vec![("events", list(words(&["failed"])))],
    );
    let owners = words(&[OWNER, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]);
    let rest = map(
        vec![
            ("schema", words(&["fluxplane/v1"])),
            ("name", words(&["shop", "a", "my-shop-2"])),
            ("owner", owners),
            ("components", named(&["web", "db", "api"], component(), 1)),
        ],
        vec![
            ("description", text()),
            ("update", update()),
            ("placement", placement()),
            ("billing", billing),
            ("notifications", list(notification)),
        ],
    );
    (rest, scale())
        .prop_map(|(rest, (name, scale))| {
            let mut document = rest.as_object().cloned().unwrap_or_default();
            document.set(name, scale);
            Value::Object(document)
        })
        .boxed()
}

#[test]
fn random_documents_are_stable_and_fit_the_schema() {
    let validator = Validator::new();
    TestRunner::new(config())
        .run(&document(), |document| {
            let text = stringify(&document);
            prop_assert!(validator.takes(&text), "the schema refuses {}", text);
            // Rules between fields may be broken by chance; the shape is always right.
            let examined = examine(text.as_bytes());
            let spec = examined.spec.unwrap();
            let canonical = spec.canonical();
            prop_assert!(
                validator.takes(&canonical),
                "the schema refuses {}",
                canonical
            );
            let again = examine(canonical.as_bytes());
            prop_assert_eq!(again.spec.as_ref(), Some(&spec));
            prop_assert_eq!(
                again.spec.map(|spec| spec.canonical()),
                Some(canonical.clone())
            );
            let codes = |findings: Vec<fluxplane_app_spec::strict::Finding>| {
                let mut codes: Vec<_> = findings
                    .into_iter()
                    .map(|finding| (finding.code, finding.path))
                    .collect();
                codes.sort();
                codes
            };
            prop_assert_eq!(codes(again.findings), codes(examined.findings));
            prop_assert_eq!(
                parse(canonical.as_bytes()).is_ok(),
                parse(text.as_bytes()).is_ok()
            );
            Ok(())
        })
        .unwrap();
}
