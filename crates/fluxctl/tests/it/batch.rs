//! Batches through the real program, against every recorded case.

use std::io::Write as _;

use fluxplane_flux_chain::{Script, script::Multisig};
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

/// The daemon's JSON against the fields of a recorded transaction, which have the names of the wire format.
fn check_transaction(name: &str, fields: &Value, answer: &Value) {
    assert_eq!(answer["version"], fields["version"], "{name}");
    if fields["nType"].is_null() {
        check_transfer(name, fields, answer);
    } else {
        check_fluxnode(name, fields, answer);
    }
}

fn check_transfer(name: &str, fields: &Value, answer: &Value) {
    for field in [
        "overwintered",
        "versiongroupid",
        "locktime",
        "expiryheight",
        "bindingSig",
    ] {
        assert_eq!(answer[field], fields[field], "{name} {field}");
    }
    for (field, list) in [
        ("nShieldedSpend", "vShieldedSpend"),
        ("nShieldedOutput", "vShieldedOutput"),
        ("nJoinSplit", "vJoinSplit"),
    ] {
        let count = answer[list].as_array().map_or(0, Vec::len);
        assert_eq!(
            fields[field].as_u64().unwrap_or(0),
            u64::try_from(count).unwrap(),
            "{name} {list}"
        );
    }
    assert_eq!(
        answer["valueBalanceZat"], fields["valueBalanceZat"],
        "{name}"
    );
    let pairs = |list: &str| {
        let (ours, theirs) = (
            answer[list].as_array().unwrap(),
            fields[list].as_array().unwrap(),
        );
        assert_eq!(ours.len(), theirs.len(), "{name} {list}");
        ours.iter()
            .cloned()
            .zip(theirs.iter().cloned())
            .collect::<Vec<_>>()
    };
    for (ours, theirs) in pairs("vin") {
        assert_eq!(ours["sequence"], theirs["sequence"], "{name}");
        if theirs["txid"] == "0".repeat(64) {
            assert_eq!(ours["coinbase"], theirs["scriptSig"], "{name}");
        } else {
            assert_eq!(ours["scriptSig"]["hex"], theirs["scriptSig"], "{name}");
            assert_eq!(
                (&ours["txid"], &ours["vout"]),
                (&theirs["txid"], &theirs["vout"]),
                "{name}"
            );
        }
    }
    for (n, (ours, theirs)) in pairs("vout").into_iter().enumerate() {
        assert_eq!(ours["n"], n, "{name}");
        assert_eq!(
            ours["scriptPubKey"]["hex"], theirs["scriptPubKey"],
            "{name}"
        );
        for field in ["valueZat", "valueSat"] {
            assert_eq!(ours[field], theirs["valueSat"], "{name} {field}");
        }
    }
}

fn check_fluxnode(name: &str, fields: &Value, answer: &Value) {
    let (txid, n) = (
        fields["collateral"]["txid"].as_str().unwrap(),
        &fields["collateral"]["n"],
    );
    assert_eq!(answer["txhash"], txid, "{name}");
    assert_eq!(answer["outidx"], n.to_string(), "{name}");
    assert_eq!(
        answer["collateral"],
        format!("COutPoint({txid}, {n})"),
        "{name}"
    );
    for (own, theirs) in [
        ("sigtime", "sigTime"),
        ("update_type", "nUpdateType"),
        ("benchmark_sigtime", "benchmarkSigTime"),
        ("fullhash", "fullhash"),
        ("fluxnode_upgraded_tx_version", "nFluxTxVersion"),
        ("using_delegates", "fUsingDelegates"),
    ] {
        assert_eq!(answer[own], fields[theirs], "{name} {own}");
    }
    // The daemon writes this script as its instructions.
    assert_eq!(
        answer["redeemscript"].is_string(),
        fields["redeemScript"].is_string(),
        "{name}"
    );
    if let Some(redeem) = fields["redeemScript"].as_str() {
        let redeem = hex::decode(redeem).unwrap();
        let multisig = Multisig::parse(Script::new(&redeem)).unwrap();
        let keys: Vec<String> = multisig.public_keys().map(|key| key.to_string()).collect();
        let instructions = format!(
            "{} {} {} OP_CHECKMULTISIG",
            multisig.required,
            keys.join(" "),
            keys.len()
        );
        assert_eq!(answer["redeemscript"], instructions, "{name}");
    }
    // The daemon writes keys in base64.
    for (own, theirs) in [
        ("collateral_pubkey", "collateralPubkey"),
        ("zelnode_pubkey", "pubKey"),
    ] {
        let bytes = fields[theirs].as_str().map(|hex| hex.len() / 2);
        let digits = answer[own].as_str().map(str::len);
        assert_eq!(
            digits,
            bytes.map(|bytes| bytes.div_ceil(3) * 4),
            "{name} {own}"
        );
    }
    let delegates = &fields["delegates"];
    for (own, theirs) in [("delegate_version", "version"), ("delegate_type", "type")] {
        assert_eq!(
            answer["delegate_data"][own], delegates[theirs],
            "{name} {own}"
        );
    }
    if let Some(tier) = fields["benchmarkTier"].as_u64() {
        let tiers = ["", "CUMULUS", "NIMBUS", "STRATUS"];
        assert_eq!(
            answer["benchmark_tier"],
            tiers[usize::try_from(tier).unwrap()],
            "{name}"
        );
        assert_eq!(answer["ip"], fields["ip"], "{name}");
    }
    for (own, theirs) in [("sig", "sig"), ("benchmark_sig", "benchmarkSig")] {
        let Some(hex) = fields[theirs].as_str() else {
            continue;
        };
        let signature = hex::decode(hex).unwrap();
        let signature = fluxplane_flux_chain::message::CompactSignature::from_bytes(&signature);
        assert_eq!(answer[own], signature.unwrap().to_base64(), "{name} {own}");
    }
}

#[tokio::test]
async fn every_recorded_form_is_decoded_field_by_field() {
    let vectors = fixture("fluxd-vectors.json");
    let (mut lines, mut expected) = (Vec::new(), Vec::new());
    for list in ["transactions", "constructed"] {
        for vector in vectors[list].as_array().unwrap() {
            if vector["txid"].is_string() {
                lines.push(json!({ "tx": vector["hex"] }).to_string());
                expected.push(vector);
            }
        }
    }
    let transactions = lines.len();
    assert!(transactions >= 20, "{transactions}");
    for vector in vectors["blocks"].as_array().unwrap() {
        let network = vector["network"].as_str().unwrap().trim_end_matches("net");
        lines.push(json!({ "block": vector["hex"], "network": network }).to_string());
        expected.push(vector);
    }
    let answers = batch(&["chain", "decode", "--batch"], &lines).await;
    let (decoded, blocks) = answers.split_at(transactions);
    for (vector, answer) in expected.iter().zip(decoded) {
        let name = vector["name"].as_str().unwrap();
        assert_eq!(answer["txid"], vector["txid"], "{name}");
        check_transaction(name, &vector["fields"], answer);
    }
    for (vector, answer) in expected.iter().skip(transactions).zip(blocks) {
        let (name, expect) = (vector["name"].as_str().unwrap(), &vector["expected"]);
        let header = &expect["header"];
        assert_eq!(answer["size"], expect["size"], "{name}");
        assert_eq!(answer["height"], vector["height"], "{name}");
        for field in [
            "version",
            "merkleroot",
            "finalsaplingroot",
            "time",
            "bits",
            "nonce",
            "blocksig",
        ] {
            assert_eq!(answer[field], header[field], "{name} {field}");
        }
        if let Some(txid) = header["collateral"]["txid"].as_str() {
            let short: String = txid.chars().take(10).collect();
            let n = &header["collateral"]["n"];
            assert_eq!(
                answer["collateral"],
                format!("COutPoint({short}, {n})"),
                "{name}"
            );
        }
        let transactions = expect["tx"].as_array().unwrap();
        assert_eq!(
            answer["tx"].as_array().unwrap().len(),
            transactions.len(),
            "{name}"
        );
        for (ours, theirs) in answer["tx"].as_array().unwrap().iter().zip(transactions) {
            assert_eq!(
                (&ours["txid"], &ours["size"]),
                (&theirs["txid"], &theirs["size"]),
                "{name}"
            );
            check_transaction(name, theirs, ours);
        }
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
