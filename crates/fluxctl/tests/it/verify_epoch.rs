//! Checking whole epochs.

use fluxplane_flux_chain::address::AddressSpace;
use fluxplane_fluxctl::wallet::Key;
use fluxplane_ledger::settlement::Hash32;
use serde_json::{Value, json};

use crate::support::{ChainNode, Cli, Plane, Run, lines_of, settlement::Settled};

const NDJSON: &str = "application/x-ndjson";

/// Epochs 1 and 2, the second on a chain.
struct Case {
    plane: Plane,
    node: ChainNode,
    first: Settled,
    second: Settled,
    txid: String,
}

impl Case {
    async fn new() -> Self {
        let plane = Plane::start().await;
        let node = ChainNode::start("main", 200).await;
        let first = Settled::new(1, 3, Hash32::ZERO);
        let second = Settled::new(2, 40, first.anchor.root);
        let txid = second.publish(
            &node,
            &Key::generate(AddressSpace::Main).unwrap(),
            Some(100),
        );
        plane
            .says("GET /v1/epochs/1", first.epoch(None))
            .says("GET /v1/epochs/2", second.epoch(Some((&txid, 100))));
        Self {
            plane,
            node,
            first,
            second,
            txid,
        }
    }

    async fn verify(&self, more: &[&str]) -> Run {
        let cli = Cli::new(Some(&self.plane.url));
        cli.run(&[&["epoch", "verify", "2"][..], more].concat())
            .await
    }
}

fn outcome(answer: &Value, step: &str) -> Option<String> {
    let steps = answer["steps"].as_array().unwrap();
    let found = steps.iter().find(|found| found["step"] == step)?;
    Some(found["outcome"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn leaves_that_are_published_give_the_root_that_is_on_the_chain() {
    let case = Case::new().await;
    case.plane
        .sends("GET /v1/epochs/2/leaves", NDJSON, case.second.download());
    let people = case.verify(&["--rpc-url", &case.node.url]).await;
    assert_eq!(people.code, 0, "{people:?}");
    let shown = people
        .screen()
        .replace(&case.txid, "TXID")
        .replace(&case.second.anchor.root.to_string(), "ROOT")
        .replace(&case.first.anchor.root.to_string(), "ROOT_BEFORE");
    insta::assert_snapshot!(shown);
    let programs = case
        .verify(&["--rpc-url", &case.node.url, "-o", "json"])
        .await
        .json();
    assert_eq!(
        (&programs["verified"], &programs["leaf_count"]),
        (&json!(true), &json!(43))
    );
    assert_eq!(programs["root"], case.second.anchor.root.to_string());
    assert_eq!(programs["header"]["lines"], 40);
}

#[tokio::test]
async fn with_leaves_and_a_transaction_the_plane_is_not_asked() {
    let case = Case::new().await;
    let cli = Cli::new(None);
    let file = cli.file("leaves.ndjson", case.second.download());
    let arguments = [
        "epoch",
        "verify",
        "2",
        "--leaves",
        &file,
        "--anchor-txid",
        &case.txid,
        "--rpc-url",
        &case.node.url,
        "-o",
        "json",
    ];
    let run = cli.run(&arguments).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(case.plane.seen().is_empty());
    // The same leaves without their index, from the input.
    let bare = lines_of(
        case.second
            .leaves
            .iter()
            .map(|leaf| json!({ "leaf": hex::encode(leaf) })),
    );
    let mut from_input = arguments;
    from_input[4] = "-";
    assert_eq!(cli.run_with(&from_input, bare.as_bytes()).await.code, 0);
    let offline = cli
        .run(&[
            "epoch",
            "verify",
            "2",
            "--leaves",
            &file,
            "--offline",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(
        (offline.code, &offline.json()["verified"]),
        (0, &json!(false))
    );
    assert_eq!(
        cli.run(&["epoch", "verify", "1", "--leaves", &file, "--offline"])
            .await
            .code,
        1
    );
}

#[tokio::test]
async fn altered_leaves_fail() {
    let case = Case::new().await;
    let honest: Vec<String> = case.second.download().lines().map(str::to_owned).collect();
    let mut swapped = honest.clone();
    swapped.swap(3, 4);
    let mut dropped = honest.clone();
    dropped.remove(7);
    let renumbered = {
        let leaves = case
            .second
            .leaves
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != 7);
        let lines = leaves.enumerate().map(|(index, (_, leaf))| {
            json!({ "index": index, "leaf": hex::encode(leaf) }).to_string()
        });
        lines.collect::<Vec<_>>()
    };
    let mut dearer = honest.clone();
    // The last byte of an amount, and with it the sum and the root.
    let mut leaf = case.second.leaves[5].clone();
    leaf[166] ^= 1;
    dearer[5] = json!({ "index": 5, "leaf": hex::encode(&leaf) }).to_string();
    let other_epoch: Vec<String> = case.first.download().lines().map(str::to_owned).collect();
    let mut garbage = honest.clone();
    garbage[2] = "garbage".to_owned();
    for (what, lines) in [
        ("order", swapped),
        ("a gap", dropped),
        ("a leaf left out", renumbered),
        ("an amount", dearer),
        ("leaves of another epoch", other_epoch),
        ("a line that is no leaf", garbage),
        ("nothing", Vec::new()),
        ("no header", honest[1..].to_vec()),
    ] {
        let plane = &case.plane;
        // Once as the next answer, and then nobody asks again.
        let cli = Cli::new(Some(&plane.url));
        let file = cli.file("leaves.ndjson", lines_of(&lines));
        let run = cli
            .run(&[
                "epoch",
                "verify",
                "2",
                "--leaves",
                &file,
                "--rpc-url",
                &case.node.url,
                "-o",
                "json",
            ])
            .await;
        assert_eq!(
            (run.code, &run.json()["verified"]),
            (1, &json!(false)),
            "{what}"
        );
        assert_eq!(
            outcome(&run.json(), "leaves").as_deref(),
            Some("failed"),
            "{what}: {run:?}"
        );
    }
}

#[tokio::test]
async fn a_plane_that_says_something_else_than_its_leaves_fails() {
    let case = Case::new().await;
    let honest = case.second.epoch(Some((&case.txid, 100)));
    for (field, value) in [
        ("root", json!("00".repeat(32))),
        ("leaf_count", json!(44)),
        ("charged", crate::support::sample::flux(1)),
        ("paid_out", crate::support::sample::flux(1)),
    ] {
        let plane = Plane::start().await;
        let mut epoch = honest.clone();
        epoch[field] = value;
        plane
            .says("GET /v1/epochs/1", case.first.epoch(None))
            .says("GET /v1/epochs/2", epoch)
            .sends("GET /v1/epochs/2/leaves", NDJSON, case.second.download());
        let cli = Cli::new(Some(&plane.url));
        let run = cli
            .run(&[
                "epoch",
                "verify",
                "2",
                "--rpc-url",
                &case.node.url,
                "-o",
                "json",
            ])
            .await;
        assert_eq!(
            (run.code, outcome(&run.json(), "published").as_deref()),
            (1, Some("failed")),
            "{field}"
        );
    }
    let plane = Plane::start().await;
    let mut before = case.first.epoch(None);
    before["root"] = json!("00".repeat(32));
    plane
        .says("GET /v1/epochs/1", before)
        .says("GET /v1/epochs/2", honest)
        .sends("GET /v1/epochs/2/leaves", NDJSON, case.second.download());
    let cli = Cli::new(Some(&plane.url));
    let run = cli
        .run(&[
            "epoch",
            "verify",
            "2",
            "--rpc-url",
            &case.node.url,
            "-o",
            "json",
        ])
        .await;
    assert_eq!(
        (run.code, outcome(&run.json(), "previous").as_deref()),
        (1, Some("failed"))
    );
}

#[tokio::test]
async fn a_download_that_breaks_off_is_not_complete() {
    use crate::support::plane::Connection;
    let case = Case::new().await;
    let download = case.second.download();
    let half = download.get(..download.len() / 2).unwrap().to_owned();
    case.plane
        .streams("GET /v1/epochs/2/leaves", Connection::breaks(half));
    let run = case
        .verify(&["--rpc-url", &case.node.url, "-o", "json"])
        .await;
    assert_eq!(
        (run.code, outcome(&run.json(), "leaves").as_deref()),
        (1, Some("failed")),
        "{run:?}"
    );
    let without_chain = Case::new().await;
    without_chain.plane.sends(
        "GET /v1/epochs/2/leaves",
        NDJSON,
        without_chain.second.download(),
    );
    let run = without_chain.verify(&["-o", "json"]).await;
    assert_eq!(
        (run.code, outcome(&run.json(), "transaction").as_deref()),
        (1, Some("not_checked"))
    );
}
