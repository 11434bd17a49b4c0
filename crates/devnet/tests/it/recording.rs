//! A chain made by a real daemon, shown block by block: what it told then is what is told now, letter for letter.

use std::sync::Arc;

use fluxplane_core::{FixedClock, SystemClock};
use fluxplane_devnet::{ChainHandle, Credentials, Devnet, Message, Recording, Topic};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

use crate::ground::{PATIENCE, fixture, read_fixture, refused};

fn recording() -> Recording {
    Recording::read(&fixture("fluxd-regtest-nodes.json")).unwrap()
}

fn shown() -> ChainHandle {
    // The daemon's clock when it told the snapshots: it matters for ages only.
    let clock = FixedClock::at("2026-11-22T08:37:19Z".parse().unwrap());
    ChainHandle::recorded(recording(), Arc::new(clock))
}

fn name_of(nodes: &Value, listed: &Value) -> String {
    let nodes = nodes.as_array().unwrap();
    let n: u64 = listed["outidx"].as_str().unwrap().parse().unwrap();
    let found = nodes.iter().find(|node| {
        node["collateral"]["txid"] == listed["txhash"] && node["collateral"]["n"] == n
    });
    found.unwrap()["name"].as_str().unwrap().to_owned()
}

#[test]
fn the_lists_are_those_of_the_daemon() {
    let recorded = read_fixture("fluxd-regtest-nodes.json");
    let chain = shown();
    let snapshots = recorded["list_snapshots"].as_array().unwrap();
    assert_eq!(snapshots.len(), 8);
    for snapshot in snapshots {
        let height = u32::try_from(snapshot["height"].as_u64().unwrap()).unwrap();
        chain.step(height - chain.height()).unwrap();
        let listed = chain.call("viewdeterministicfluxnodelist", &[]).unwrap();
        let ours: Vec<Value> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|node| {
                json!({
                    "tier": node["tier"],
                    "rank": node["rank"],
                    "name": name_of(&recorded["nodes"], node),
                    "confirmed_height": node["confirmed_height"],
                    "last_paid_height": node["last_paid_height"],
                    "last_confirmed_height": node["last_confirmed_height"],
                })
            })
            .collect();
        assert_eq!(json!(ours), snapshot["list"], "height {height}");
    }
}

#[test]
fn answers_at_height_227_are_the_recorded_ones() {
    let shapes = read_fixture("fluxd-rpc-shapes.json");
    let chain = shown();
    chain.step(227).unwrap();
    for method in [
        "viewdeterministicfluxnodelist",
        "getfluxnodecount",
        "fluxnodecurrentwinner",
        "getfluxnodesnapshot",
        "getstartlist",
        "getdoslist",
        "getmigrationcount",
    ] {
        let recorded = &shapes["methods"][method]["result"];
        assert_recorded(&chain.call(method, &[]).unwrap(), recorded, method);
    }
}

/// Compares an answer with a recorded one, whose lists may end in a note of how many items there were.
fn assert_recorded(ours: &Value, recorded: &Value, place: &str) {
    match (ours, recorded) {
        (Value::Array(ours), Value::Array(recorded)) => {
            let note = recorded.last().and_then(Value::as_str);
            let note = note.and_then(|text| text.strip_prefix("…("));
            let (items, count) = match note {
                Some(note) => {
                    let count = note.trim_end_matches(" items)").parse().unwrap();
                    (&recorded[..recorded.len() - 1], count)
                }
                None => (&recorded[..], recorded.len()),
            };
            assert_eq!(ours.len(), count, "{place}");
            for (ours, recorded) in ours.iter().zip(items) {
                assert_recorded(ours, recorded, place);
            }
        }
        (Value::Object(ours), Value::Object(recorded)) => {
            assert!(ours.keys().eq(recorded.keys()), "{place}");
            for (key, recorded) in recorded {
                assert_recorded(&ours[key], recorded, &format!("{place}.{key}"));
            }
        }
        (ours, recorded) => assert_eq!(ours, recorded, "{place}"),
    }
}

#[test]
fn start_transactions_are_described_as_recorded() {
    let shapes = read_fixture("fluxd-rpc-shapes.json");
    let chain = shown();
    chain.step(960).unwrap();
    let mut compared = 0;
    for name in [
        "fluxnode start tx v5 (inside getblock 2)",
        "fluxnode start tx v6 P2SH (inside getblock 2)",
    ] {
        let recorded = &shapes["methods"][name]["result"];
        for height in 217..=220 {
            let block = chain
                .call("getblock", &[json!(height.to_string()), json!(2)])
                .unwrap();
            let transactions = block["tx"].as_array().unwrap();
            if let Some(ours) = transactions
                .iter()
                .find(|tx| tx["txid"] == recorded["txid"])
            {
                assert_eq!(ours, recorded);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2);
}

#[test]
fn messages_about_the_lists_are_the_recorded_bytes() {
    let recorded = read_fixture("fluxd-regtest-nodes.json");
    let recorded = recorded["zmq_fluxnodelistdelta"].as_array().unwrap();
    let chain = shown();
    let mut messages = chain.subscribe();
    chain.step(227).unwrap();
    let mut deltas: Vec<Message> = Vec::new();
    while let Ok(message) = messages.try_recv() {
        if message.topic == Topic::FluxnodeListDelta {
            deltas.push(message);
        }
    }
    assert_eq!(deltas.len(), 227);
    assert_eq!(recorded.len(), 10);
    for expected in recorded {
        let body = hex::decode(expected["body_hex"].as_str().unwrap()).unwrap();
        let ours = deltas
            .iter()
            .find(|delta| delta.body[..8] == body[..8])
            .unwrap();
        assert_eq!(hex::encode(&ours.body), hex::encode(&body));
        let sequence = hex::encode(ours.sequence.to_le_bytes());
        assert_eq!(sequence, expected["sequence_hex"]);
    }
}

#[test]
fn a_recording_takes_nothing_from_outside() {
    let chain = shown();
    chain.step(300).unwrap();
    for (method, params) in [
        ("generate", json!([1])),
        ("devnet_faucet", json!([chain.account(0).1.to_string(), 1])),
        ("devnet_reorg", json!([1])),
        (
            "devnet_addnode",
            json!([{"tier": "cumulus", "ip": "198.51.100.95"}]),
        ),
        ("invalidateblock", json!([chain.tip().hash])),
        ("submitblock", json!([hex::encode(chain.block(5).unwrap())])),
    ] {
        let error = refused(&chain, method, params.as_array().unwrap());
        assert_eq!(error.code, -1, "{method}: {error}");
        assert!(error.message.contains("recording"), "{method}: {error}");
    }
    assert_eq!(chain.height(), 300);
}

#[test]
fn a_grown_chain_has_nothing_to_step_through() {
    let chain = crate::ground::chain();
    let error = refused(&chain, "devnet_step", &[]);
    assert!(error.message.contains("devnet replay"), "{error}");
    let height = chain.call("devnet_height", &[]).unwrap();
    assert_eq!(height["until"], Value::Null);
}

#[tokio::test]
async fn a_recording_is_shown_at_its_pace_until_its_end() {
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let devnet = Devnet::replay(
        recording().until(40).unwrap(),
        Duration::from_millis(2),
        loopback,
        None,
        Credentials::default(),
        Arc::new(SystemClock),
    )
    .await
    .unwrap();
    assert_eq!(devnet.zmq_address(), None);
    let mut tip = devnet.chain().watch_tip();
    timeout(PATIENCE, tip.wait_for(|tip| tip.height == 40))
        .await
        .unwrap()
        .unwrap();
    let more = timeout(Duration::from_millis(100), tip.changed()).await;
    assert!(more.is_err(), "{more:?}");
    devnet.shutdown().await.unwrap();
}

#[test]
fn a_recording_ends_where_it_ends() {
    let error = recording().until(961).unwrap_err();
    assert!(error.to_string().contains("960"), "{error}");
    let error = Recording::of_blocks(vec![vec![0; 10]]).unwrap_err();
    assert!(error.to_string().contains("block 0"), "{error}");
}
