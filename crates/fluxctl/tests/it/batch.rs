//! Batches through the real program, against every recorded case.

use std::io::Write as _;

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::support::{Cli, fixture, lines_of};

/// A specification as it stands in a fixture, on one line. Inside texts a line break is always escaped.
fn one_line(raw: &RawValue) -> String {
    raw.get().replace('\n', " ")
}

/// A fixture whose specifications keep their bytes: the order of their keys counts.
fn raw<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/");
    let text = std::fs::read_to_string(format!("{path}{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn batch(arguments: &[&str], lines: &[String]) -> Vec<Value> {
    let input = lines_of(lines);
    let run = Cli::new(None).run_with(arguments, input.as_bytes()).await;
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let answers = run.lines();
    assert_eq!(answers.len(), lines.len());
    answers
}

#[tokio::test]
async fn every_recorded_verdict_comes_back_in_order() {
    #[derive(Deserialize)]
    struct Case {
        id: String,
        height: u64,
        spec: Box<RawValue>,
        accepted: bool,
        error: Option<String>,
        canonical: Option<String>,
    }
    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }
    let File { cases } = raw("fluxos-verdict-vectors.json");
    assert_eq!(cases.len(), 877);
    let line = |case: &Case| {
        format!(
            "{{\"height\":{},\"spec\":{}}}",
            case.height,
            one_line(&case.spec)
        )
    };
    let lines: Vec<String> = cases.iter().map(line).collect();
    let answers = batch(&["spec", "check", "--batch"], &lines).await;
    for (case, answer) in cases.iter().zip(answers) {
        assert_eq!(answer["accepted"], case.accepted, "{}", case.id);
        assert_eq!(
            answer["error"].as_str(),
            case.error.as_deref(),
            "{}",
            case.id
        );
        assert_eq!(
            answer["canonical"].as_str(),
            case.canonical.as_deref(),
            "{}",
            case.id
        );
        assert!(answer["strict"].is_array(), "{}", case.id);
    }
}

#[tokio::test]
async fn every_recorded_price_comes_back() {
    #[derive(Deserialize)]
    struct Vector {
        id: String,
        height: u64,
        spec: Box<RawValue>,
        previous: Option<Box<RawValue>>,
        #[serde(rename = "recentUpdates")]
        recent_updates: Option<Box<RawValue>>,
        marketplace: Option<Box<RawValue>>,
        expect: Value,
    }
    #[derive(Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }
    let File { vectors } = raw("fluxos-price-vectors.json");
    assert_eq!(vectors.len(), 44);
    let (mut lines, mut expected) = (Vec::new(), Vec::new());
    for vector in &vectors {
        let mut rest = Vec::new();
        for (name, value) in [
            ("previous", &vector.previous),
            ("recentUpdates", &vector.recent_updates),
            ("marketplace", &vector.marketplace),
        ] {
            if let Some(value) = value {
                rest.push(format!(",\"{name}\":{}", one_line(value)));
            }
        }
        let rest = rest.concat();
        let quotes = vector.expect["quotes"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let rates = quotes.iter().map(|quote| Some(quote.clone()));
        for quote in std::iter::once(None).chain(rates) {
            let rate = quote
                .as_ref()
                .map_or(Value::Null, |quote| quote["fluxUsdRate"].clone());
            let (height, spec) = (vector.height, one_line(&vector.spec));
            lines.push(format!(
                "{{\"height\":{height},\"fluxUsdRate\":{rate},\"spec\":{spec}{rest}}}"
            ));
            expected.push((vector, quote));
        }
    }
    assert!(lines.len() > 80, "{}", lines.len());
    let answers = batch(&["spec", "price", "--batch"], &lines).await;
    for ((vector, quote), answer) in expected.into_iter().zip(answers) {
        check_price(&vector.id, &vector.expect, quote.as_ref(), &answer);
    }
}

fn check_price(id: &str, expect: &Value, quote: Option<&Value>, answer: &Value) {
    let fields = [
        "monthlyFlux",
        "monthlyUsd",
        "chainQuoteFlux",
        "minAcceptedSat",
    ];
    for field in fields.into_iter().filter(|field| !expect[*field].is_null()) {
        assert_eq!(
            answer[field].as_f64(),
            expect[field].as_f64(),
            "{id} {field}"
        );
    }
    let Some(quote) = quote else {
        assert!(answer["quote"].is_null(), "{id}");
        return;
    };
    for field in ["usd", "flux"] {
        assert_eq!(
            answer["quote"][field].as_f64(),
            quote[field].as_f64(),
            "{id} {field}"
        );
    }
    let discount = |quote: &Value| quote["fluxDiscount"].to_string();
    assert_eq!(discount(&answer["quote"]), discount(quote), "{id}");
}

#[tokio::test]
async fn every_recorded_message_has_its_hash_and_its_signer() {
    #[derive(Deserialize)]
    struct Chain {
        #[serde(rename = "type")]
        kind: Option<String>,
        #[serde(rename = "messageVersion")]
        version: Option<u32>,
        timestamp: Option<u64>,
        signature: Option<String>,
        hash: Option<String>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: String,
        chain: Option<Chain>,
        spec: Box<RawValue>,
    }
    #[derive(Deserialize)]
    struct File {
        specs: Vec<Entry>,
    }
    let File { specs } = raw("fluxos-app-specs.json");
    let (mut lines, mut expected) = (Vec::new(), Vec::new());
    for entry in &specs {
        let Some(Chain {
            kind: Some(kind),
            version: Some(version),
            timestamp: Some(timestamp),
            signature: Some(signature),
            hash: Some(hash),
        }) = &entry.chain
        else {
            continue;
        };
        let head = json!({ "type": kind, "version": version, "timestamp": timestamp, "signature": signature });
        let head = head.to_string();
        let head = head.strip_suffix('}').unwrap();
        lines.push(format!("{head},\"spec\":{}}}", one_line(&entry.spec)));
        expected.push((entry, hash));
    }
    assert_eq!(lines.len(), 4);
    let answers = batch(&["spec", "hash", "--batch"], &lines).await;
    for ((entry, hash), answer) in expected.into_iter().zip(answers) {
        assert_eq!(answer["hash"], **hash, "{}", entry.id);
        let spec: Value = serde_json::from_str(entry.spec.get()).unwrap();
        assert_eq!(answer["signer"], spec["owner"], "{}", entry.id);
    }
}

#[tokio::test]
async fn every_recorded_transaction_header_and_block_decodes() {
    let vectors = fixture("fluxd-vectors.json");
    let (mut lines, mut expected) = (Vec::new(), Vec::new());
    for vector in vectors["transactions"].as_array().unwrap() {
        lines.push(json!({ "tx": vector["hex"] }).to_string());
        expected.push(("txid", vector["txid"].clone()));
    }
    for vector in vectors["headers"].as_array().unwrap() {
        lines.push(json!({ "header": vector["hex"] }).to_string());
        expected.push(("hash", vector["hash"].clone()));
    }
    for vector in vectors["blocks"].as_array().unwrap() {
        let network = vector["network"].as_str().unwrap().trim_end_matches("net");
        lines.push(json!({ "block": vector["hex"], "network": network }).to_string());
        expected.push(("hash", vector["expected"]["hash"].clone()));
    }
    assert_eq!(lines.len(), 23);
    let answers = batch(&["chain", "decode", "--batch"], &lines).await;
    for ((field, id), answer) in expected.into_iter().zip(answers) {
        assert_eq!(answer[field], id);
    }
}

/// Lines that no reader can work on, and neighbours that it can.
fn hostile() -> Vec<Vec<u8>> {
    vec![
        b"garbage".to_vec(),
        b"".to_vec(),
        b"{\"height\":1,\"spec\":\"\xff\xfe\"}".to_vec(),
        b"\x00\x01\x02".to_vec(),
        [
            &b"{\"height\":2250000,\"spec\":\""[..],
            &vec![b'x'; 1 << 20],
            b"\"}",
        ]
        .concat(),
        [&b"{\"tx\":\""[..], &vec![b'0'; 1 << 20], b"\"}"].concat(),
        [vec![b'['; 1_000], vec![b']'; 1_000]].concat(),
        [
            &b"{\"height\":1,\"spec\":"[..],
            &vec![b'['; 1_000],
            &vec![b']'; 1_000],
            b"}",
        ]
        .concat(),
        vec![b' '; 5 << 20],
        b"{\"height\":1e999,\"spec\":{}}".to_vec(),
        "{\"height\":1,\"spec\":{\"name\":\"\u{1f4a9}\\ud800\"}}"
            .as_bytes()
            .to_vec(),
    ]
}

#[tokio::test]
async fn bad_lines_are_answered_one_by_one_and_end_nothing() {
    let vectors = fixture("fluxd-vectors.json");
    let good = json!({ "tx": vectors["transactions"][0]["hex"] }).to_string();
    let good_check = r#"{"height":2250000,"spec":null}"#.to_owned();
    for (arguments, good) in [
        (["spec", "check", "--batch"], &good_check),
        (["spec", "price", "--batch"], &good_check),
        (["spec", "hash", "--batch"], &good_check),
        (["chain", "decode", "--batch"], &good),
    ] {
        let mut input = Vec::new();
        for line in hostile() {
            input.extend_from_slice(&line);
            input.extend_from_slice(b"\n");
            input.extend_from_slice(good.as_bytes());
            input.extend_from_slice(b"\n");
        }
        let run = Cli::new(None).run_with(&arguments, &input).await;
        assert_eq!(run.code, 0, "{arguments:?} {}", run.stderr);
        let answers = run.lines();
        assert_eq!(answers.len(), 2 * hostile().len(), "{arguments:?}");
        let of_good = answers[1].clone();
        for (number, pair) in answers.chunks(2).enumerate() {
            let bad = &pair[0];
            let explained = bad["error"].as_str().is_some_and(|text| text.len() > 10);
            assert!(explained, "{arguments:?} line {number}: {bad}");
            assert_eq!(pair[1], of_good, "{arguments:?} after line {number}");
        }
    }
}

#[tokio::test]
async fn an_answer_comes_before_the_next_line_is_needed() {
    use std::{
        io::{BufRead as _, BufReader},
        process::{Command, Stdio},
    };
    let task = tokio::task::spawn_blocking(|| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fluxctl"))
            .args(["spec", "check", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        for height in 1..=3 {
            writeln!(input, "{{\"height\":{height},\"spec\":null}}").unwrap();
            input.flush().unwrap();
            let mut line = String::new();
            // Blocks for ever, and so fails the test, if the answer waits for more lines.
            output.read_line(&mut line).unwrap();
            assert!(line.contains("\"accepted\":false"), "{line}");
        }
        drop(input);
        assert!(child.wait().unwrap().success());
    });
    tokio::time::timeout(std::time::Duration::from_secs(30), task)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_file_and_any_number_of_threads_give_the_same() {
    let cli = Cli::new(None);
    let case = |height: u32| {
        let version = height % 9;
        format!("{{\"height\":{height},\"spec\":{{\"version\":{version}}}}}")
    };
    let lines = lines_of((0..3_000).map(case));
    let path = cli.file("lines.ndjson", &lines);
    let one = cli
        .run(&["spec", "check", "--batch", "-f", &path, "--threads", "1"])
        .await;
    let many = cli
        .run(&["spec", "check", "--batch", "-f", &path, "--threads", "7"])
        .await;
    assert_eq!(one.stdout.lines().count(), 3_000);
    assert!(one.stdout == many.stdout);
}

#[tokio::test]
async fn a_reader_that_leaves_is_no_failure() {
    use std::process::{Command, Stdio};
    let cli = Cli::new(None);
    let lines = "{\"height\":1,\"spec\":null}\n".repeat(200_000);
    let path = cli.file("lines.ndjson", lines);
    let status = tokio::task::spawn_blocking(move || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fluxctl"))
            .args(["spec", "check", "--batch", "-f", &path])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        child.wait().unwrap()
    });
    assert_eq!(status.await.unwrap().code(), Some(0));
}
