//! Blocks are checked from their bytes: recorded ones pass, altered ones do not, and what nobody knows is never called checked.

use std::{collections::BTreeMap, sync::Arc};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Block, ChainParams, OutPoint, ScriptBuf,
    fluxnode::{BlockView, Collateral, FluxnodeState, Mode},
};
use fluxplane_fluxctl::verify::{
    Outcome,
    block::{Ancestor, Known, KnownOutput, check_block, wanted},
};
use serde_json::{Value, json};

use crate::support::{ChainNode, Cli, Plane, Run, fixture, sample::flux};

/// Later than every recorded block.
const NOW: u32 = 1_800_000_000;

/// Raw blocks of the recorded chain with fluxnodes.
fn recorded() -> Vec<String> {
    let nodes = fixture("fluxd-regtest-nodes.json");
    let blocks = nodes["blocks"].as_array().unwrap();
    blocks
        .iter()
        .map(|block| block.as_str().unwrap().to_owned())
        .collect()
}

/// A block of the main network, hexadecimal.
fn mainnet(name: &str) -> String {
    let vectors = fixture("fluxd-vectors.json");
    let blocks = vectors["blocks"].as_array().unwrap();
    let block = blocks.iter().find(|block| block["name"] == name).unwrap();
    block["hex"].as_str().unwrap().to_owned()
}

/// Who signed block 2,996,914.
fn producer() -> String {
    let vectors = fixture("fluxd-vectors.json");
    let signatures = vectors["signatures"].as_array().unwrap();
    let block = signatures
        .iter()
        .find(|signature| signature["name"] == "pon_block_sig_2996914");
    block.unwrap()["signer_pubkey"].as_str().unwrap().to_owned()
}

/// Outcomes of a check by step.
fn outcomes(run: &Run) -> BTreeMap<String, String> {
    let steps = run.json()["steps"].as_array().unwrap().clone();
    steps
        .iter()
        .map(|step| {
            let text = |field: &str| step[field].as_str().unwrap().to_owned();
            (text("step"), text("outcome"))
        })
        .collect()
}

fn failed(run: &Run) -> Vec<String> {
    let outcomes = outcomes(run).into_iter();
    let failed = outcomes.filter(|(_, outcome)| outcome == "failed");
    failed.map(|(step, _)| step).collect()
}

/// Those of the outputs that a block rests on.
fn wanted_outputs(
    params: &ChainParams,
    block: &Block<'_>,
    outputs: &BTreeMap<OutPoint, KnownOutput>,
) -> BTreeMap<OutPoint, KnownOutput> {
    let wanted = wanted(params, block).transactions;
    let found = outputs.iter().filter(|(out, _)| wanted.contains(&out.txid));
    found.map(|(out, known)| (*out, known.clone())).collect()
}

#[test]
fn every_recorded_block_is_completely_verified() {
    let params = Arc::new(ChainParams::regtest_nodes());
    let mut state = FluxnodeState::genesis(Arc::clone(&params));
    let mut outputs: BTreeMap<OutPoint, KnownOutput> = BTreeMap::new();
    let mut headers: Vec<Ancestor> = Vec::new();
    let window = usize::try_from(params.pon.window).unwrap();
    let (mut starts, mut confirms, mut inputs) = (0, 0, 0);
    for (height, hex) in (0_u32..).zip(recorded()) {
        let raw = hex::decode(hex).unwrap();
        let block = Block::parse(&raw).unwrap();
        let keys = state.nodes().map(|node| (node.collateral, node.node_key));
        let known = Known {
            hash: Some(block.header.hash()),
            height: Some(height),
            parent: headers.last().copied(),
            window_start: headers
                .len()
                .checked_sub(window)
                .and_then(|first| headers.get(first).copied()),
            producer: None,
            outputs: wanted_outputs(&params, &block, &outputs),
            node_keys: keys.collect(),
            payees: Some(state.next_payees()),
            now: NOW,
        };
        let check = check_block(&params, &raw, &known);
        let open: Vec<_> = check
            .report
            .steps
            .iter()
            .filter(|step| step.outcome != Outcome::Passed)
            .collect();
        assert!(open.is_empty(), "block {height}: {open:?}");
        let has = |name: &str| check.report.steps.iter().any(|step| step.step == name);
        starts += u32::from(has("starts"));
        confirms += u32::from(has("confirms"));
        inputs += block
            .transactions
            .iter()
            .skip(1)
            .map(|one| one.inputs().len())
            .sum::<usize>();

        let collaterals: std::collections::HashMap<OutPoint, Collateral> = known
            .outputs
            .iter()
            .map(|(out, known)| {
                let collateral = Collateral {
                    value: known.value,
                    height: 0,
                    script: known.script.clone(),
                };
                (*out, collateral)
            })
            .collect();
        if height > 0 {
            let view = BlockView::new(height, &block);
            state
                .apply_block(&view, &collaterals, Mode::Follow)
                .unwrap();
        }
        for transaction in &block.transactions {
            let txid = transaction.txid();
            for (n, output) in (0..).zip(transaction.outputs()) {
                let (value, script) = (output.value, output.script.to_owned());
                outputs.insert(OutPoint::new(txid, n), KnownOutput { value, script });
            }
        }
        headers.push(Ancestor {
            hash: block.header.hash(),
            time: block.header.time,
            bits: block.header.bits,
        });
    }
    assert_eq!(headers.len(), 961);
    assert_eq!(
        (starts, confirms),
        (1, 5),
        "blocks with starts and confirms"
    );
    assert!(inputs > 5, "{inputs}");
}

#[test]
fn whatever_is_altered_fails_its_own_step() {
    let params = ChainParams::main();
    let raw = hex::decode(mainnet("mainnet_2996914")).unwrap();
    let block = Block::parse(&raw).unwrap();
    let wanted = wanted(&params, &block);
    let parent = Ancestor {
        hash: block.header.previous,
        time: block.header.time - 30,
        bits: block.header.bits,
    };
    assert_eq!(wanted.parent, Some(parent.hash));
    assert_eq!(wanted.window_start, Some(2_996_884));
    let known = Known {
        hash: Some(block.header.hash()),
        height: Some(2_996_914),
        parent: Some(parent),
        now: NOW,
        ..Known::default()
    };
    let fails = |raw: &[u8], known: &Known| -> Vec<&'static str> {
        let check = check_block(&params, raw, known);
        let steps = check.report.steps.into_iter();
        steps
            .filter(|step| step.outcome == Outcome::Failed)
            .map(|step| step.step)
            .collect()
    };
    assert!(fails(&raw, &known).is_empty());

    // The last byte belongs to the last transaction, the 69th to the merkle root and the 101st to the time.
    let altered = |position: usize| {
        let mut bytes = raw.clone();
        bytes[position] ^= 1;
        bytes
    };
    assert!(fails(&altered(40), &known).contains(&"merkle"));
    assert!(fails(&altered(40), &known).contains(&"hash"));
    let other_slot = altered(102);
    assert!(fails(&other_slot, &known).contains(&"lot"));
    let mut late = known.clone();
    late.parent = Some(Ancestor {
        time: block.header.time,
        ..parent
    });
    assert_eq!(fails(&raw, &late), ["time"]);
    let mut early = known.clone();
    early.now = block.header.time - 301;
    assert_eq!(fails(&raw, &early), ["time"]);
    let mut orphan = known.clone();
    orphan.parent = Some(Ancestor {
        hash: block.header.hash(),
        ..parent
    });
    assert_eq!(fails(&raw, &orphan), ["parent"]);
    let mut window = known.clone();
    window.window_start = Some(parent);
    assert_eq!(fails(&raw, &window), ["bits"]);
    let mut payees = known.clone();
    payees.payees = Some(Vec::new());
    assert_eq!(fails(&raw, &payees), ["payees"]);

    // An output that is said to hold less than it does: the signature does not cover that amount, and coins appear.
    let spent = block
        .transactions
        .iter()
        .skip(1)
        .find_map(|one| one.inputs().first())
        .map(|input| input.previous);
    if let Some(spent) = spent {
        let mut poor = known.clone();
        let script = ScriptBuf::new(vec![0x51]);
        poor.outputs.insert(
            spent,
            KnownOutput {
                value: Sat::ZERO,
                script,
            },
        );
        assert_eq!(fails(&raw, &poor), ["amounts"]);
    }
    assert_eq!(fails(&raw[..raw.len() - 1], &known), ["format"]);
}

#[tokio::test]
async fn a_file_is_checked_with_nobody_at_hand() {
    let cli = Cli::new(None);
    let file = cli.file("block.hex", mainnet("mainnet_2996914"));
    let screen = cli
        .run(&["chain", "verify-block", "2996914", "--file", &file])
        .await;
    insta::assert_snapshot!(screen.screen());
    let strict = ["chain", "verify-block", "--file", &file, "--complete"];
    assert_eq!(cli.run(&strict).await.code, 1);

    let key = producer();
    let signed = [
        "chain",
        "verify-block",
        "--file",
        &file,
        "--node-key",
        &key,
        "-o",
        "json",
    ];
    let run = cli.run(&signed).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(outcomes(&run)["signature"], "passed");
    assert_eq!(run.json()["height"], 2_996_914);
    assert_eq!(run.json()["complete"], false);

    let other = format!("02{}", "11".repeat(32));
    let other = fluxplane_flux_chain::key::PrivateKey::from_bytes(&[7; 32], true)
        .map_or(other, |key| key.public_key().to_string());
    let forged = [
        "chain",
        "verify-block",
        "--file",
        &file,
        "--node-key",
        &other,
        "-o",
        "json",
    ];
    let run = cli.run(&forged).await;
    assert_eq!((run.code, failed(&run)), (1, vec!["signature".to_owned()]));
}

#[tokio::test]
async fn the_input_may_be_hexadecimal_or_bytes() {
    let cli = Cli::new(None);
    let hex = mainnet("mainnet_2020000");
    let bytes = hex::decode(&hex).unwrap();
    for input in [format!("{hex}\n").into_bytes(), bytes] {
        let arguments = ["chain", "verify-block", "--file", "-", "-o", "json"];
        let run = cli.run_with(&arguments, &input).await;
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(run.json()["height"], 2_020_000);
    }
}

#[tokio::test]
async fn a_block_that_is_not_the_one_asked_for_fails() {
    let cli = Cli::new(None);
    let file = cli.file("block.hex", mainnet("mainnet_2996914"));
    let hash = "ab".repeat(32);
    for key in ["2996915", &hash] {
        let run = cli
            .run(&["chain", "verify-block", key, "--file", &file, "-o", "json"])
            .await;
        assert_eq!(run.code, 1, "{key}");
        assert!(failed(&run).contains(&"hash".to_owned()), "{key}");
    }
    for (arguments, field) in [
        (
            vec![
                "chain",
                "verify-block",
                "newest",
                "--file",
                &file,
                "-o",
                "json",
            ],
            "HEIGHT|HASH",
        ),
        (
            vec!["chain", "verify-block", "5", "-o", "json"],
            "--rpc-url",
        ),
    ] {
        let run = cli.run(&arguments).await;
        assert_eq!(
            (run.code, &run.error()["violations"][0]["field"]),
            (2, &json!(field))
        );
    }
}

/// A chain node with the recorded chain up to a height.
async fn node(height: u32) -> ChainNode {
    let node = ChainNode::start("regtest", height).await;
    let count = usize::try_from(height).unwrap() + 1;
    let blocks: Vec<String> = recorded().into_iter().take(count).collect();
    for (height, hex) in (0_u32..).zip(&blocks) {
        let raw = hex::decode(hex).unwrap();
        for transaction in &Block::parse(&raw).unwrap().transactions {
            node.add(transaction.raw(), Some(height));
        }
    }
    let params = ChainParams::regtest_nodes();
    let mut chain = node.chain();
    chain.blocks = blocks;
    chain.devnet = Some(json!({
        "network": "devnet", "genesis_hash": params.genesis.hash,
        "benchmark_key": params.benchmark_key(0), "dev_fund": params.funds.dev_fund,
        "exchange_fund": params.funds.exchange.address, "reduction_interval": 1_000,
        "max_reductions": 10, "spacing_s": 30, "payments_from": 100, "collateral_depth": 100,
        "start_expires_after": null, "dos_leaves_after": null, "confirm_expires_after": null,
        "update_distance": null, "check_lots": false,
    }));
    drop(chain);
    node
}

/// The recorded state before a block, as node and plane tell of it.
fn state_before(height: u32) -> FluxnodeState {
    let mut state = FluxnodeState::genesis(Arc::new(ChainParams::regtest_nodes()));
    let mut coins = std::collections::HashMap::new();
    for (at, hex) in (0_u32..height).zip(recorded()) {
        let raw = hex::decode(hex).unwrap();
        let block = Block::parse(&raw).unwrap();
        if at > 0 {
            let view = BlockView::new(at, &block);
            state.apply_block(&view, &coins, Mode::Follow).unwrap();
        }
        for transaction in &block.transactions {
            let txid = transaction.txid();
            for (n, output) in (0..).zip(transaction.outputs()) {
                let collateral = Collateral {
                    value: output.value,
                    height: at,
                    script: output.script.to_owned(),
                };
                coins.insert(OutPoint::new(txid, n), collateral);
            }
        }
    }
    state
}

/// A block of the recorded chain in which nodes confirm themselves.
const CONFIRMS: u32 = 219;

#[tokio::test]
async fn a_chain_node_and_a_plane_together_leave_nothing_open() {
    let node = node(CONFIRMS).await;
    let state = state_before(CONFIRMS);
    let params = ChainParams::regtest_nodes();
    let listed: Vec<Value> = state
        .nodes()
        .map(|entry| {
            json!({
                "txhash": entry.collateral.txid, "outidx": entry.collateral.n.to_string(),
                "pubkey": entry.node_key, "added_height": entry.added_height,
            })
        })
        .collect();
    assert!(!listed.is_empty());
    node.chain().listed = listed;
    let plane = Plane::start().await;
    let items: Vec<Value> = state
        .next_payees()
        .iter()
        .map(|payee| {
            let address = fluxplane_flux_chain::Address::of_script(
                payee.script.as_script(),
                params.addresses,
            );
            json!({
                "height": CONFIRMS, "tier": payee.tier.name().to_lowercase(),
                "collateral": { "txid": payee.collateral.txid, "vout": payee.collateral.n },
                "payment_address": address.unwrap(), "amount": flux(payee.amount.get()),
                "expected_at": "2026-11-22T09:00:00Z",
            })
        })
        .collect();
    let block =
        json!({ "height": CONFIRMS - 1, "hash": "11".repeat(32), "time": "2026-11-22T09:00:00Z" });
    plane.says(
        "GET /v1/chain/next-payees",
        json!({ "items": items, "block": block }),
    );
    let cli = Cli::new(Some(&plane.url));
    let height = CONFIRMS.to_string();
    let run = cli
        .run(&[
            "chain",
            "verify-block",
            &height,
            "--rpc-url",
            &node.url,
            "--plane",
            "--complete",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert_eq!(
        (&run.json()["verified"], &run.json()["network"]),
        (&json!(true), &json!("devnet"))
    );
    let asked = &plane.seen_of("GET /v1/chain/next-payees")[0].path;
    assert!(
        asked.contains(&format!("height={}", CONFIRMS - 1)),
        "{asked}"
    );
    assert!(outcomes(&run).contains_key("confirms"));
}

#[tokio::test]
async fn a_chain_node_that_lies_about_a_transaction_is_not_believed() {
    let node = node(CONFIRMS).await;
    let raw = recorded().swap_remove(usize::try_from(CONFIRMS).unwrap());
    let mut forged = hex::decode(&raw).unwrap();
    // Inside the coinbase's outputs, near the end of the block or in a transaction: the merkle root no longer fits.
    let last = forged.len() - 1;
    forged[last] ^= 1;
    node.chain().blocks.pop();
    node.chain().blocks.push(hex::encode(forged));
    let cli = Cli::new(None);
    let height = CONFIRMS.to_string();
    let run = cli
        .run(&[
            "chain",
            "verify-block",
            &height,
            "--rpc-url",
            &node.url,
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(!failed(&run).is_empty());
    let unknown = cli
        .run(&["chain", "verify-block", "5000", "--rpc-url", &node.url])
        .await;
    assert_eq!(unknown.code, 4, "{unknown:?}");
}
