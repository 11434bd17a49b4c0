//! The verbs for developers: coins, nodes, the pace of blocks.

use std::{slice::from_ref, time::Duration};

use fluxplane_core::{Sat, Tier};
use fluxplane_devnet::{BlockRef, ChainHandle, ChainRules, Devnet, NewNode, Options};
use fluxplane_flux_chain::{PrivateKey, address::AddressSpace, params::Devnet as Params};
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

use crate::ground::{PATIENCE, chain, clock, coins, confirmed_node, refused};

fn call(chain: &ChainHandle, method: &str, params: &[Value]) -> Value {
    match chain.call(method, params) {
        Ok(answer) => answer,
        Err(error) => panic!("{method}: {error}"),
    }
}

#[test]
fn the_same_seed_and_time_give_the_same_chain() {
    let (one, two) = (chain(), chain());
    assert_eq!(one.tip(), two.tip());
    one.mine(3).unwrap();
    two.mine(3).unwrap();
    assert_eq!(one.tip(), two.tip());
    let other = ChainRules {
        seed: "other".to_owned(),
        ..ChainRules::default()
    };
    let other = ChainHandle::grown(other, std::sync::Arc::new(clock())).unwrap();
    assert_ne!(other.account(0), one.account(0));
    assert_ne!(other.tip(), chain().tip());
}

#[test]
fn a_follower_can_be_configured_from_the_parameters_alone() {
    let rules = ChainRules {
        seed: "shop".to_owned(),
        reduction_interval: 300,
        update_distance: Some(20),
        ..ChainRules::default()
    };
    let chain = ChainHandle::grown(rules, std::sync::Arc::new(clock())).unwrap();
    let told = call(&chain, "devnet_params", &[]);
    let number = |key: &str| u32::try_from(told[key].as_u64().unwrap()).unwrap();
    let choice = |key: &str| {
        told[key]
            .as_u64()
            .map(|value| u32::try_from(value).unwrap())
    };
    let text = |key: &str| told[key].as_str().unwrap();
    let params = Params {
        benchmark_key: text("benchmark_key").parse().unwrap(),
        dev_fund: Some(text("dev_fund").parse().unwrap()),
        exchange_fund: Some(text("exchange_fund").parse().unwrap()),
        reduction_interval: number("reduction_interval"),
        max_reductions: number("max_reductions"),
        spacing_s: number("spacing_s"),
        payments_from: number("payments_from"),
        collateral_depth: number("collateral_depth"),
        start_expires_after: choice("start_expires_after"),
        dos_leaves_after: choice("dos_leaves_after"),
        confirm_expires_after: choice("confirm_expires_after"),
        update_distance: choice("update_distance"),
        check_lots: told["check_lots"].as_bool().unwrap(),
    };
    assert_eq!(params.params(), *chain.params());
}

#[test]
fn the_faucet_pays_in_the_next_block() {
    let chain = chain();
    let (_, to) = chain.account(7);
    let paid = call(
        &chain,
        "devnet_faucet",
        &[json!(to.to_string()), json!("12.34567891")],
    );
    assert_eq!(paid["vout"], 0);
    chain.mine(1).unwrap();
    let found = coins(&chain, &to);
    let coin = found
        .iter()
        .find(|coin| json!(coin.outpoint.txid) == paid["txid"])
        .unwrap();
    assert_eq!(coin.value, Sat::new(1_234_567_891));
    for (amount, code) in [(json!(0), -8), (json!("-1"), -3), (json!("x"), -3)] {
        let error = refused(&chain, "devnet_faucet", &[json!(to.to_string()), amount]);
        assert_eq!(error.code, code, "{error}");
    }
    let error = refused(&chain, "devnet_faucet", &[json!("t1nobody"), json!(1)]);
    assert_eq!(error.code, -5);
}

#[test]
fn the_faucet_pays_many_at_once() {
    let chain = chain();
    for number in 0..120_u32 {
        let to = chain.account(number % 10).1;
        chain.faucet(&to, Sat::from_flux(100)).unwrap();
    }
    assert_eq!(chain.waiting().len(), 120);
    chain.mine(1).unwrap();
    assert_eq!(chain.waiting(), []);
    let most = chain.accounts().remove(0).balance;
    let all = chain.faucet(&chain.account(0).1, Sat::new(most.get() - 1_000_000));
    all.unwrap();
    chain.mine(1).unwrap();
    let error = chain
        .faucet(&chain.account(0).1, Sat::from_flux(10))
        .unwrap_err();
    assert!(
        error.to_string().contains("FLUX can be spent by"),
        "{error}"
    );
}

#[test]
fn a_node_of_the_wallet_is_confirmed_in_two_blocks() {
    let chain = chain();
    let node = call(
        &chain,
        "devnet_addnode",
        &[json!({"tier": "stratus", "ip": "198.51.100.60", "fast": true})],
    );
    assert_eq!(chain.height(), 112);
    assert_eq!(node["stage"], "confirmed");
    assert_eq!(node["tier"], "STRATUS");
    let listed = call(&chain, "viewdeterministicfluxnodelist", &[]);
    assert_eq!(listed[0]["payment_address"], node["payment_address"]);
    assert_eq!(listed[0]["txhash"], node["txhash"]);
    assert_eq!(listed[0]["pubkey"], node["node_pubkey"]);
    let key = PrivateKey::from_wif(node["node_key"].as_str().unwrap(), AddressSpace::Test);
    assert_eq!(key.unwrap().public_key().to_string(), node["node_pubkey"]);
}

#[test]
fn a_node_with_given_keys_gets_its_collateral_from_the_faucet_and_matures() {
    let chain = chain();
    let owner = PrivateKey::from_bytes(&[0x42; 32], true).unwrap();
    let machine = PrivateKey::from_bytes(&[0x43; 32], true).unwrap();
    let node = chain
        .add_node(NewNode {
            tier: Tier::Nimbus,
            ip: "198.51.100.61".to_owned(),
            collateral_key: Some(owner.clone()),
            node_key: Some(machine.clone()),
            fast: false,
        })
        .unwrap();
    assert_eq!(node.stage, "funding");
    chain.mine(1).unwrap();
    assert_eq!(chain.nodes()[0].stage, "maturing");
    chain.mine(98).unwrap();
    assert_eq!(chain.nodes()[0].stage, "maturing");
    chain.mine(1).unwrap();
    assert_eq!(chain.nodes()[0].stage, "starting");
    chain.mine(1).unwrap();
    assert_eq!(chain.nodes()[0].stage, "started");
    chain.mine(1).unwrap();
    let node = chain.nodes().remove(0);
    assert_eq!(node.stage, "confirmed");
    let listed = node.listed.unwrap();
    assert_eq!(listed.collateral_key, owner.public_key());
    assert_eq!(listed.node_key, machine.public_key());
    assert_eq!(listed.added_height + 1, listed.confirmed_height);
}

#[test]
fn a_node_stays_confirmed_for_thousands_of_blocks() {
    let chain = chain();
    let node = confirmed_node(&chain, Tier::Cumulus, "198.51.100.62");
    chain.mine(1_600).unwrap();
    let listed = chain.nodes().remove(0);
    assert_eq!(listed.stage, "confirmed");
    let entry = listed.listed.unwrap();
    // Three updates, each at the shortest distance.
    assert_eq!(entry.last_confirmed_height, 112 + 3 * 501);
    assert_eq!(entry.confirmed_height, 112);
    chain.set_node_running(&node.collateral, false).unwrap();
    chain.mine(700).unwrap();
    assert_eq!(chain.nodes()[0].stage, "starting");
    assert!(!chain.nodes()[0].running);
    // Once it runs again it starts anew.
    chain.set_node_running(&node.collateral, true).unwrap();
    chain.mine(2).unwrap();
    assert_eq!(chain.nodes()[0].stage, "confirmed");
}

#[test]
fn a_node_moves_as_soon_as_the_rules_allow() {
    let chain = chain();
    let node = confirmed_node(&chain, Tier::Cumulus, "198.51.100.63");
    let id = json!(node.collateral.to_string());
    call(
        &chain,
        "devnet_setnodeip",
        &[id.clone(), json!("198.51.100.64:16137")],
    );
    let ip = || {
        let listed = call(&chain, "viewdeterministicfluxnodelist", &[]);
        listed[0]["ip"].as_str().unwrap().to_owned()
    };
    chain.mine(4).unwrap();
    assert_eq!(ip(), "198.51.100.63");
    chain.mine(1).unwrap();
    assert_eq!(ip(), "198.51.100.64:16137");
    let error = refused(&chain, "devnet_setnodeip", &[id, json!("")]);
    assert_eq!(error.code, -8);
}

#[test]
fn what_is_asked_of_an_unknown_node_or_tier_is_refused() {
    let chain = chain();
    let nobody = json!(format!("{}:0", "00".repeat(32)));
    for method in ["devnet_removenode", "devnet_stopnode", "devnet_startnode"] {
        assert_eq!(refused(&chain, method, from_ref(&nobody)).code, -5);
        assert_eq!(refused(&chain, method, &[json!("no")]).code, -8);
    }
    for request in [
        json!({"tier": "giant", "ip": "198.51.100.65"}),
        json!({"tier": "cumulus", "ip": ""}),
        json!({"tier": "cumulus", "ip": "x".repeat(61)}),
        json!({"tier": "cumulus"}),
        json!({"tier": "cumulus", "ip": "198.51.100.65", "colour": "red"}),
    ] {
        let error = refused(&chain, "devnet_addnode", from_ref(&request));
        assert_eq!(error.code, -8, "{request}: {error}");
    }
    let key = json!({"tier": "cumulus", "ip": "198.51.100.65", "node_key": "L1"});
    assert_eq!(refused(&chain, "devnet_addnode", &[key]).code, -5);
    assert_eq!(chain.nodes(), []);
}

#[test]
fn more_nodes_than_ready_collaterals_are_funded_by_the_faucet() {
    let chain = chain();
    for number in 0..17 {
        let node = confirmed_node(&chain, Tier::Stratus, &format!("198.51.100.{number}"));
        assert_eq!(node.stage, "confirmed");
    }
    assert_eq!(chain.fluxnodes().queue(Tier::Stratus).len(), 17);
    let distinct: std::collections::BTreeSet<_> = chain
        .nodes()
        .iter()
        .map(|node| node.payment_address)
        .collect();
    assert_eq!(distinct.len(), 17);
}

#[test]
fn collateral_that_was_spent_is_not_given_to_another_node() {
    let chain = chain();
    let first = confirmed_node(&chain, Tier::Cumulus, "198.51.100.70");
    chain.remove_node(&first.collateral).unwrap();
    let second = confirmed_node(&chain, Tier::Cumulus, "198.51.100.71");
    assert_ne!(first.collateral, second.collateral);
    assert!(chain.fluxnodes().node(&first.collateral).is_none());
}

#[test]
fn the_clock_can_be_set() {
    let chain = chain();
    let time = |chain: &ChainHandle| {
        let block = call(chain, "getblock", &[json!(chain.height().to_string())]);
        block["time"].as_i64().unwrap()
    };
    call(&chain, "setmocktime", &[json!(1_900_000_000)]);
    chain.mine(1).unwrap();
    assert_eq!(time(&chain), 1_900_000_000);
    // Blocks never go back in time.
    call(&chain, "setmocktime", &[json!(0)]);
    chain.mine(1).unwrap();
    assert_eq!(time(&chain), 1_900_000_001);
}

/// Waits until no block comes any more. One may have come unseen, and one that was under way may still come.
async fn falls_silent(tip: &mut watch::Receiver<BlockRef>) {
    let mut late = 0;
    while timeout(Duration::from_millis(300), tip.changed())
        .await
        .is_ok()
    {
        late += 1;
        assert!(late <= 2, "blocks go on coming");
    }
}

#[tokio::test]
async fn blocks_come_by_the_clock_until_they_are_turned_off() {
    let devnet = Devnet::start(Options {
        block_interval: Duration::from_millis(20),
        ..Options::default()
    })
    .await
    .unwrap();
    let chain = devnet.chain();
    let mut tip = chain.watch_tip();
    for _ in 0..3 {
        timeout(PATIENCE, tip.changed()).await.unwrap().unwrap();
    }
    let said = chain.call("devnet_mine", &[json!(false)]).unwrap();
    assert_eq!(said, json!({"on": false, "interval_ms": 20}));
    assert_eq!(chain.call("getgenerate", &[]).unwrap(), false);
    falls_silent(&mut tip).await;
    let said = chain.call("devnet_setinterval", &[json!(10)]).unwrap();
    assert_eq!(said, json!({"on": false, "interval_ms": 10}));
    chain.call("devnet_mine", &[json!(true)]).unwrap();
    for _ in 0..3 {
        timeout(PATIENCE, tip.changed()).await.unwrap().unwrap();
    }
    chain.call("devnet_setinterval", &[json!(0)]).unwrap();
    falls_silent(&mut tip).await;
    assert_eq!(refused(&chain, "devnet_setinterval", &[json!(-1)]).code, -8);
    devnet.shutdown().await.unwrap();
}
