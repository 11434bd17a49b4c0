//! Checking lines of an invoice: honest proofs, altered ones, and a chain that disagrees.

use fluxplane_flux_chain::address::AddressSpace;
use fluxplane_fluxctl::wallet::Key;
use fluxplane_ledger::settlement::{Anchor, Hash32};
use serde_json::{Value, json};

use crate::support::{
    ChainNode, Cli, Plane, Run,
    sample::{OWNER, uuid},
    settlement::{Settled, publish},
};

const LINES: u32 = 5;

/// A plane with a settled invoice, its anchor on a chain, and somebody who checks.
struct Case {
    plane: Plane,
    cli: Cli,
    node: ChainNode,
    settled: Settled,
    validator: Key,
    txid: String,
}

impl Case {
    /// The anchor is in block 100 of `height`.
    async fn new(height: u32) -> Self {
        let plane = Plane::start().await;
        let node = ChainNode::start("main", height).await;
        let settled = Settled::new(1, LINES, Hash32::ZERO);
        let validator = Key::generate(AddressSpace::Main).unwrap();
        let txid = settled.publish(&node, &validator, Some(100));
        plane.says(
            &format!("GET /v1/invoices/{}", uuid(300)),
            settled.invoice(LINES),
        );
        for number in 1..=LINES {
            let proof = settled.proof(number, Some((&txid, 100)));
            plane.says(
                &format!("GET /v1/invoices/{}/lines/{number}/proof", uuid(300)),
                proof,
            );
        }
        let cli = Cli::new(Some(&plane.url));
        cli.signed_in().await;
        Self {
            plane,
            cli,
            node,
            settled,
            validator,
            txid,
        }
    }

    async fn verify(&self, target: &str, more: &[&str]) -> Run {
        self.cli
            .run(&[&["invoice", "verify", target][..], more].concat())
            .await
    }

    /// Checks a proof from a file against the chain.
    async fn verify_file(&self, proof: &Value, more: &[&str]) -> Run {
        let file = self.cli.file("proof.json", proof.to_string());
        let arguments = [
            &[
                "invoice",
                "verify",
                "--file",
                &file,
                "--rpc-url",
                &self.node.url,
                "-o",
                "json",
            ][..],
            more,
        ]
        .concat();
        self.cli.run(&arguments).await
    }
}

/// How a step ended.
fn outcome(answer: &Value, step: &str) -> String {
    let of_lines = answer["lines"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|line| line["steps"].as_array().unwrap());
    let steps = of_lines.chain(answer["steps"]["steps"].as_array().unwrap());
    let found = steps
        .filter(|found| found["step"] == step)
        .map(|found| found["outcome"].as_str().unwrap());
    let outcomes: std::collections::BTreeSet<&str> = found.collect();
    outcomes.into_iter().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn an_honest_invoice_verifies_to_the_chain() {
    let case = Case::new(139).await;
    let address = case.validator.address().to_string();
    let people = case
        .verify(
            &uuid(300),
            &["--rpc-url", &case.node.url, "--anchor-address", &address],
        )
        .await;
    assert_eq!(people.code, 0, "{people:?}");
    let root = case.settled.anchor.root.to_string();
    let shown = people
        .screen()
        .replace(&address, "VALIDATOR")
        .replace(&case.txid, "TXID")
        .replace(&root, "ROOT");
    insta::assert_snapshot!(shown);
    let programs = case
        .verify(&uuid(300), &["--rpc-url", &case.node.url, "-o", "json"])
        .await
        .json();
    assert_eq!(
        (&programs["verified"], &programs["complete"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        programs["anchor"],
        json!({ "txid": case.txid, "height": 100, "confirmations": 40 })
    );
    assert_eq!(programs["lines"][1]["leaf"]["amount"], 1_000_002);
    assert_eq!(
        (&programs["epoch"], &programs["invoice_id"]),
        (&json!(1), &json!(uuid(300)))
    );
}

#[tokio::test]
async fn one_line_may_be_checked_and_its_proof_kept() {
    let case = Case::new(200).await;
    let line = format!("{}/2", uuid(300));
    let proof = case.cli.path("proof.json").display().to_string();
    let run = case
        .verify(
            &line,
            &["--rpc-url", &case.node.url, "--save", &proof, "-o", "json"],
        )
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["lines"].as_array().unwrap().len(), 1);
    let before = case.plane.seen().len();
    let offline = Cli::new(None)
        .run(&[
            "invoice",
            "verify",
            "--file",
            &proof,
            "--rpc-url",
            &case.node.url,
            "-o",
            "json",
        ])
        .await;
    assert_eq!(
        (offline.code, &offline.json()["verified"]),
        (0, &json!(true)),
        "{offline:?}"
    );
    assert_eq!(
        case.plane.seen().len(),
        before,
        "a saved proof asks the plane nothing"
    );
    let missing = case
        .verify(&format!("{}/9", uuid(300)), &["-o", "json"])
        .await;
    assert_eq!(missing.code, 4);
}

#[tokio::test]
async fn what_was_not_checked_is_said_and_is_no_verification() {
    let case = Case::new(200).await;
    let line = format!("{}/1", uuid(300));
    let alone = case.verify(&line, &[]).await;
    assert_eq!(alone.code, 1);
    assert!(
        alone.stdout.contains("? not checked: transaction"),
        "{}",
        alone.stdout
    );
    assert!(
        alone.stdout.contains("not everything was checked"),
        "{}",
        alone.stdout
    );
    let offline = case.verify(&line, &["--offline", "-o", "json"]).await;
    assert_eq!(
        (offline.code, &offline.json()["verified"]),
        (0, &json!(false))
    );
    assert_eq!(outcome(&offline.json(), "transaction"), "not_checked");
    // Whose line it is cannot be left open either.
    let mut bare = case.settled.proof(1, Some((&case.txid, 100)));
    let run = case.verify_file(&bare, &[]).await;
    assert_eq!(
        (run.code, outcome(&run.json(), "owner").as_str()),
        (1, "not_checked")
    );
    assert_eq!(case.verify_file(&bare, &["--owner", OWNER]).await.code, 0);
    bare["anchor"] = Value::Null;
    let unanchored = case.verify_file(&bare, &["--owner", OWNER]).await;
    assert_eq!(
        (
            unanchored.code,
            outcome(&unanchored.json(), "transaction").as_str()
        ),
        (1, "not_checked")
    );
}

#[tokio::test]
async fn an_altered_proof_fails_at_the_step_that_was_altered() {
    let case = Case::new(200).await;
    let honest = case.settled.proof(2, Some((&case.txid, 100)));
    let flip = |text: &Value, at: usize| {
        let mut text = text.as_str().unwrap().to_owned().into_bytes();
        text[at] = if text[at] == b'0' { b'1' } else { b'0' };
        Value::from(String::from_utf8(text).unwrap())
    };
    let with = |field: &str, value: Value| {
        let mut proof = honest.clone();
        proof[field] = value;
        proof
    };
    let mut other_path = honest.clone();
    other_path["path"][1] = flip(&honest["path"][1], 5);
    let mut short_path = honest.clone();
    short_path["path"].as_array_mut().unwrap().pop();
    let mut other_second = honest.clone();
    other_second["evidence"][0]["to_unix_s"] = json!(1_795_335_401);
    let mut moved = honest.clone();
    for end in ["from_unix_s", "to_unix_s"] {
        let later = moved["evidence"][0][end].as_u64().unwrap() + 1;
        moved["evidence"][0][end] = json!(later);
    }
    let mut touching = honest.clone();
    touching["evidence"][0]["to_unix_s"] = honest["evidence"][1]["from_unix_s"].clone();
    // Byte 159 begins the amount; the first digit of its last byte is 2 * 166.
    let cheaper = with("leaf", flip(&honest["leaf"], 2 * 166));
    for (what, proof, step) in [
        ("amount in the leaf", cheaper, "path"),
        (
            "magic of the leaf",
            with("leaf", flip(&honest["leaf"], 0)),
            "leaf",
        ),
        ("leaf cut short", with("leaf", json!("46585")), "leaf"),
        ("a hash of the path", other_path, "path"),
        ("a path cut short", short_path, "path"),
        ("index", with("leaf_index", json!(3)), "path"),
        (
            "index beyond the tree",
            with("leaf_index", json!(99)),
            "path",
        ),
        ("size of the tree", with("tree_size", json!(9)), "path"),
        ("root", with("root", flip(&honest["root"], 9)), "path"),
        ("no root at all", with("root", json!("xyz")), "path"),
        ("epoch", with("epoch", json!(2)), "leaf"),
        (
            "salt",
            with("owner_salt", flip(&honest["owner_salt"], 1)),
            "owner",
        ),
        ("no salt at all", with("owner_salt", json!("")), "owner"),
        (
            "transaction",
            with("anchor", json!({ "txid": "77".repeat(32), "height": 100 })),
            "transaction",
        ),
    ] {
        let run = case.verify_file(&proof, &["--owner", OWNER]).await;
        let answer = run.json();
        assert_eq!(
            (run.code, &answer["verified"]),
            (1, &json!(false)),
            "{what}"
        );
        assert_eq!(outcome(&answer, step), "failed", "{what}: {answer}");
    }
    let stranger = case
        .verify_file(&honest, &["--owner", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"])
        .await;
    assert_eq!(
        (stranger.code, outcome(&stranger.json(), "owner").as_str()),
        (1, "failed")
    );
    assert_eq!(case.verify_file(&honest, &["--owner", OWNER]).await.code, 0);
    assert_eq!(
        case.verify_file(&json!({ "nonsense": 1 }), &[]).await.code,
        2
    );
}

#[tokio::test]
async fn an_invoice_that_shows_something_else_than_its_leaves_fails() {
    let case = Case::new(200).await;
    let path = format!("GET /v1/invoices/{}", uuid(300));
    let honest = case.settled.invoice(LINES);
    let mut dearer = honest.clone();
    dearer["lines"][1]["amount"] = crate::support::sample::flux(1_000_003);
    let mut longer = honest.clone();
    longer["lines"][2]["seconds"] = json!(1);
    let mut total = honest.clone();
    total["total"] = crate::support::sample::flux(1);
    let mut missing = honest.clone();
    missing["lines"].as_array_mut().unwrap().pop();
    // The first answer was given by `Case::new`; each of these follows it.
    for invoice in [&dearer, &longer, &total, &missing] {
        case.plane.says(&path, invoice.clone());
    }
    let more = ["--rpc-url", &case.node.url, "-o", "json"];
    assert_eq!(case.verify(&uuid(300), &more).await.code, 0);
    for step in ["invoice", "invoice", "total", "total"] {
        let run = case.verify(&uuid(300), &more).await;
        assert_eq!(run.code, 1, "{run:?}");
        assert!(
            outcome(&run.json(), step).contains("failed"),
            "{step}: {}",
            run.stdout
        );
    }
}

#[tokio::test]
async fn an_anchor_must_be_deep_in_the_best_chain() {
    let case = Case::new(138).await;
    let more = ["--rpc-url", &case.node.url, "-o", "json"];
    let shallow = case.verify(&uuid(300), &more).await;
    assert_eq!(
        (shallow.code, outcome(&shallow.json(), "final").as_str()),
        (1, "failed")
    );
    assert!(
        shallow.stdout.contains("39 confirmations"),
        "{}",
        shallow.stdout
    );
    case.node.chain().height = 139;
    assert_eq!(case.verify(&uuid(300), &more).await.code, 0);
    case.node.chain().stale.push(100);
    let stale = case.verify(&uuid(300), &more).await;
    assert_eq!(
        (stale.code, outcome(&stale.json(), "block").as_str()),
        (1, "failed")
    );
    case.settled.publish(&case.node, &case.validator, None);
    let waiting = case.verify(&uuid(300), &more).await;
    assert_eq!(
        (waiting.code, outcome(&waiting.json(), "block").as_str()),
        (1, "failed")
    );
}

#[tokio::test]
async fn a_payload_that_says_something_else_fails() {
    let case = Case::new(200).await;
    let honest = case.settled.anchor;
    let payloads = [
        Anchor {
            count: honest.count + 1,
            ..honest
        }
        .encode()
        .to_vec(),
        Anchor {
            root: Hash32([9; 32]),
            ..honest
        }
        .encode()
        .to_vec(),
        Anchor {
            epoch: fluxplane_core::id::EpochNumber(2),
            ..honest
        }
        .encode()
        .to_vec(),
        b"hello".to_vec(),
        Vec::new(),
    ];
    for payload in payloads {
        let txid = publish(&case.node, &case.validator, &payload, Some(100));
        let proof = case.settled.proof(1, Some((&txid, 100)));
        let run = case.verify_file(&proof, &["--owner", OWNER]).await;
        assert_eq!(
            (run.code, outcome(&run.json(), "payload").as_str()),
            (1, "failed"),
            "{payload:?}"
        );
    }
}

#[tokio::test]
async fn a_node_that_hands_out_another_transaction_is_caught() {
    let case = Case::new(200).await;
    {
        let mut chain = case.node.chain();
        let (other, _) = chain
            .transactions
            .iter()
            .find(|(txid, _)| **txid != case.txid)
            .unwrap();
        let other = chain.transactions[&other.clone()].clone();
        chain.transactions.insert(case.txid.clone(), other);
    }
    let run = case
        .verify(&uuid(300), &["--rpc-url", &case.node.url, "-o", "json"])
        .await;
    assert_eq!(
        (run.code, outcome(&run.json(), "transaction").as_str()),
        (1, "failed")
    );
}

#[tokio::test]
async fn two_books_under_one_address_are_found_out() {
    let case = Case::new(200).await;
    let address = case.validator.address().to_string();
    let more = [
        "--rpc-url",
        &case.node.url,
        "--anchor-address",
        &address,
        "-o",
        "json",
    ];
    // Somebody else's payload for the same epoch does not matter, even when it stands among the address's transactions.
    let stranger = Key::generate(AddressSpace::Main).unwrap();
    let other = Anchor {
        root: Hash32([9; 32]),
        ..case.settled.anchor
    };
    publish(&case.node, &stranger, &other.encode(), Some(101));
    assert_eq!(case.verify(&uuid(300), &more).await.code, 0);
    publish(&case.node, &case.validator, &other.encode(), Some(102));
    let run = case.verify(&uuid(300), &more).await;
    assert_eq!(
        (run.code, outcome(&run.json(), "only").as_str()),
        (1, "failed")
    );
    let elsewhere = stranger.address().to_string();
    let more = [
        "--rpc-url",
        &case.node.url,
        "--anchor-address",
        &elsewhere,
        "-o",
        "json",
    ];
    let run = case.verify(&uuid(300), &more).await;
    assert_eq!(
        (run.code, outcome(&run.json(), "sender").as_str()),
        (1, "failed")
    );
}

#[tokio::test]
async fn a_node_that_is_away_leaves_nothing_verified() {
    let case = Case::new(200).await;
    let run = case
        .verify(
            &uuid(300),
            &["--rpc-url", "http://127.0.0.1:9", "-o", "json"],
        )
        .await;
    assert_eq!(
        (run.code, &run.error()["code"]),
        (6, &json!("chain-node-unreachable"))
    );
}
