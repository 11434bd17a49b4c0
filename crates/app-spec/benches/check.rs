//! Specifications checked and messages verified per second of a core.
//!
//! `cargo bench -p fluxplane-app-spec --bench check` prints one JSON object.
#![expect(clippy::unwrap_used, reason = "a bench stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "the result")]

use std::{hint::black_box, time::Duration};

use fluxplane_app_spec::{
    batch::check_line,
    json::{Limits, Object, Value, parse, stringify},
    legacy::{Context, LegacySpec, verdict},
    message::{Scheme, message_hash, verifies},
};

/// How long each figure is measured, in a core's time.
const TIME: Duration = Duration::from_secs(1);

fn main() {
    let cases = cases();
    let texts: Vec<String> = cases.iter().map(|(spec, _)| stringify(spec)).collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let context = Context::shipped();
    // What a service does with a submission: read, coerce, judge, write the canonical form.
    let verdicts = rate(|round| {
        let place = round % texts.len();
        let document = parse(texts[place].as_bytes(), Limits::default()).unwrap();
        black_box(verdict(document.value, cases[place].1, &context));
    });
    let lines: Vec<String> = cases.iter().map(line).collect();
    let both = rate(|round| {
        black_box(check_line(lines[round % lines.len()].as_bytes()));
    });
    let accepted: Vec<LegacySpec> = cases
        .iter()
        .filter_map(|(spec, _)| LegacySpec::from_value(spec.clone()).ok())
        .collect();
    let hashes = rate(|round| {
        let text = accepted[round % accepted.len()].canonical();
        black_box(message_hash(&text, "signature"));
    });
    let (text, owner, signature) = signed();
    let signatures = rate(|_| {
        assert!(verifies(
            black_box(&text),
            &owner,
            &signature,
            Scheme::ByOwner
        ));
    });
    println!(
        "{{\"cases\":{},\"mean_bytes\":{},\"verdicts_per_s\":{verdicts},\"both_verdicts_per_s\":{both},\"canonical_hashes_per_s\":{hashes},\"signatures_per_s\":{signatures}}}",
        cases.len(),
        bytes / cases.len(),
    );
}

/// Rounds per second of a core's time. Other work on the machine takes from the clock on the wall, not from this one.
fn rate(mut round: impl FnMut(usize)) -> u128 {
    /// Rounds between two looks at the clock.
    const STEP: usize = 256;
    let start = core_time();
    let mut rounds = 0;
    let mut spent = Duration::ZERO;
    while spent < TIME {
        for _ in 0..STEP {
            round(rounds);
            rounds += 1;
        }
        spent = core_time().saturating_sub(start);
    }
    u128::try_from(rounds).unwrap() * 1_000_000 / spent.as_micros()
}

/// For how long a core has worked for this thread (Linux, `proc_pid_schedstat`).
fn core_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(
        stat.split_ascii_whitespace()
            .next()
            .unwrap()
            .parse()
            .unwrap(),
    )
}

fn fixture(name: &str) -> Object {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let file = parse(&std::fs::read(path).unwrap(), Limits::default()).unwrap();
    file.value.as_object().unwrap().clone()
}

/// Every specification of the verdict vectors with its height.
fn cases() -> Vec<(Value, u64)> {
    let file = fixture("fluxos-verdict-vectors.json");
    let cases = file.get("cases").unwrap().as_array().unwrap().iter();
    let read = cases.map(|case| {
        let case = case.as_object().unwrap();
        let height = case.get("height").unwrap().as_u64().unwrap();
        (case.get("spec").unwrap().clone(), height)
    });
    read.collect()
}

fn line((spec, height): &(Value, u64)) -> String {
    format!("{{\"height\":{height},\"spec\":{}}}", stringify(spec))
}

/// A login phrase, its signer and the signature.
fn signed() -> (String, String, String) {
    let file = fixture("fluxos-signature-vectors.json");
    let vectors = file.get("vectors").unwrap().as_array().unwrap();
    let text = |vector: &Value, field: &str| {
        let vector = vector.as_object().unwrap();
        vector.get(field).and_then(Value::as_str).map(str::to_owned)
    };
    let login = vectors.iter().find_map(|vector| {
        let signed = ["message", "address", "signatureBase64"].map(|field| text(vector, field));
        let [Some(message), Some(address), Some(signature)] = signed else {
            return None;
        };
        Some((message, address, signature))
    });
    login.unwrap()
}
