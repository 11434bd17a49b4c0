//! Methods beside the recorded shapes: what they answer and what they refuse.

use std::slice::from_ref;

use fluxplane_core::Tier;
use fluxplane_devnet::{ChainHandle, ChainRules};
use serde_json::{Value, json};

use crate::ground::{chain, confirmed_node, payment, refused, sent};

fn call(chain: &ChainHandle, method: &str, params: &[Value]) -> Value {
    match chain.call(method, params) {
        Ok(answer) => answer,
        Err(error) => panic!("{method}: {error}"),
    }
}

#[test]
fn upgrades_repeat_their_key_as_the_daemon_prints_them() {
    let chain = chain();
    let text = chain.call_text("getblockchaininfo", &[]).unwrap();
    assert_eq!(text.matches("\"76b809bb\":{").count(), 7, "{text}");
    for name in [
        "Acadia",
        "Kamiooka",
        "Kamata",
        "Flux",
        "Halving",
        "P2SHNodes",
        "PON",
    ] {
        assert!(text.contains(&format!("\"name\":\"{name}\"")), "{name}");
    }
}

#[test]
fn amounts_have_eight_decimals() {
    let chain = chain();
    let built = payment(&chain, 0, &chain.account(1).1);
    sent(&chain, &built).unwrap();
    chain.mine(1).unwrap();
    let text = chain
        .call_text("getrawtransaction", &[json!(built.txid), json!(1)])
        .unwrap();
    assert!(
        text.contains("\"value\":5.00000000,\"valueZat\":500000000,\"valueSat\":500000000"),
        "{text}"
    );
}

#[test]
fn blocks_are_found_by_hash_and_by_height_as_text() {
    let chain = chain();
    let hash = call(&chain, "getblockhash", &[json!(50)]);
    let by_hash = call(&chain, "getblock", from_ref(&hash));
    assert_eq!(call(&chain, "getblock", &[json!("50")]), by_hash);
    assert_eq!(by_hash["height"], 50);
    assert_eq!(by_hash["confirmations"], 61);
    let raw = call(&chain, "getblock", &[json!("50"), json!(0)]);
    assert_eq!(raw, json!(hex::encode(chain.block(50).unwrap())));
    for (params, code, message) in [
        (json!(["111"]), -8, "Block height out of range"),
        (json!(["-1"]), -8, "Invalid block height parameter"),
        (json!(["00".repeat(32)]), -5, "Block not found"),
        (json!([50]), -1, "JSON value is not a string as expected"),
        (
            json!(["50", 3]),
            -8,
            "Verbosity must be in range from 0 to 2",
        ),
    ] {
        let error = refused(&chain, "getblock", params.as_array().unwrap());
        assert_eq!((error.code, &*error.message), (code, message), "{params}");
    }
    let error = refused(&chain, "getblockhash", &[json!(111)]);
    assert_eq!(
        (error.code, &*error.message),
        (-8, "Block height out of range")
    );
    assert_eq!(
        hash,
        call(&chain, "getblockheader", from_ref(&hash))["hash"]
    );
}

#[test]
fn the_wrong_number_of_parameters_brings_the_help() {
    let chain = chain();
    for (method, params) in [
        ("getblockcount", vec![json!(1)]),
        ("getblock", vec![]),
        ("devnet_reorg", vec![json!(1), json!(2), json!(3)]),
    ] {
        let error = refused(&chain, method, &params);
        assert_eq!(error.code, -1);
        assert!(error.message.starts_with(method), "{error}");
    }
    let all = call(&chain, "help", &[]);
    let lines = all.as_str().unwrap().lines();
    let mut names = 0;
    for line in lines {
        let name = line.split(' ').next().unwrap();
        let one = call(&chain, "help", &[json!(name)]);
        assert!(one.as_str().unwrap().starts_with(line), "{line}");
        names += 1;
    }
    assert!(names > 80, "{names}");
}

#[test]
fn unknown_methods_are_named_as_such() {
    let error = refused(&chain(), "getnothing", &[]);
    assert_eq!((error.code, &*error.message), (-32_601, "Method not found"));
}

#[test]
fn addresses_are_told_what_they_are() {
    let chain = chain();
    let (key, address) = chain.account(4);
    let known = call(&chain, "validateaddress", &[json!(address.to_string())]);
    assert_eq!(known["isvalid"], true);
    assert_eq!(known["ismine"], true);
    assert_eq!(known["pubkey"], key.public_key().to_string());
    let text = chain
        .call_text("validateaddress", &[json!("t1nothing")])
        .unwrap();
    assert_eq!(text, r#"{"isvalid":false}"#);
}

#[test]
fn messages_are_signed_and_verified() {
    let chain = chain();
    let address = json!(chain.account(4).1.to_string());
    let message = json!("Grüße vom Knoten");
    let signature = call(&chain, "signmessage", &[address.clone(), message.clone()]);
    let verify = |address: &Value, message: Value| {
        call(
            &chain,
            "verifymessage",
            &[address.clone(), signature.clone(), message],
        )
    };
    assert_eq!(verify(&address, message.clone()), true);
    assert_eq!(verify(&address, json!("Grüße")), false);
    let other = json!(chain.account(5).1.to_string());
    assert_eq!(verify(&other, message.clone()), false);
    let error = refused(
        &chain,
        "verifymessage",
        &[address, json!("not base64!"), message],
    );
    assert_eq!(
        (error.code, &*error.message),
        (-5, "Malformed base64 encoding")
    );
}

#[test]
fn an_address_knows_its_balance_history_and_coins() {
    let chain = chain();
    let (_, address) = chain.account(1);
    let query = json!({"addresses": [address.to_string()]});
    let first = payment(&chain, 0, &address);
    sent(&chain, &first).unwrap();
    let waiting = call(&chain, "getaddressmempool", from_ref(&query));
    assert_eq!(waiting[0]["satoshis"], 500_000_000);
    chain.mine(1).unwrap();
    assert_eq!(
        call(&chain, "getaddressmempool", from_ref(&query)),
        json!([])
    );
    let start = 10_000_000_000_000_i64;
    assert_eq!(
        call(&chain, "getaddressbalance", from_ref(&query)),
        json!({"balance": start + 500_000_000, "received": start + 500_000_000})
    );
    let ids = call(&chain, "getaddresstxids", &[query]);
    assert_eq!(ids.as_array().unwrap().len(), 2);
    assert_eq!(ids[1], json!(first.txid));
    let range = |start: u32, end: u32| json!({"addresses": [address.to_string()], "start": start, "end": end});
    let later = call(&chain, "getaddresstxids", &[range(2, 111)]);
    assert_eq!(later, json!([first.txid]));
    let error = refused(&chain, "getaddressdeltas", &[range(2, 112)]);
    assert_eq!(
        (error.code, &*error.message),
        (-5, "Start or end is outside chain range")
    );
    let error = refused(
        &chain,
        "getaddressbalance",
        &[json!({"addresses": ["t1no"]})],
    );
    assert_eq!((error.code, &*error.message), (-5, "Invalid address"));
}

#[test]
fn the_subsidy_falls_by_a_tenth_at_the_chosen_interval() {
    let rules = ChainRules {
        reduction_interval: 60,
        max_reductions: 2,
        ..ChainRules::default()
    };
    let clock = std::sync::Arc::new(crate::ground::clock());
    let chain = ChainHandle::grown(rules, clock).unwrap();
    let at = |height: u32| {
        chain
            .call_text("getblocksubsidy", &[json!(height)])
            .unwrap()
    };
    let first = at(20);
    assert_eq!(first, r#"{"miner":14.00000000}"#);
    let cut: Vec<String> = [70, 130, 190, 500].into_iter().map(at).collect();
    assert_eq!(cut[0], r#"{"miner":12.60000000}"#);
    assert_eq!(cut[1], r#"{"miner":11.34000000}"#);
    assert_eq!(
        cut[1..]
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        1
    );
    // The coinbases follow.
    chain.mine(100).unwrap();
    let block = call(&chain, "getblock", &[json!("200"), json!(2)]);
    assert_eq!(block["tx"][0]["vout"][0]["valueSat"], 1_134_000_000);
}

#[test]
fn an_emergency_block_needs_signatures() {
    let chain = chain();
    let (key, _) = chain.account(0);
    let created = call(&chain, "createemergencyblock", &[]);
    assert_eq!(created["height"], 111);
    let verify = |hex: &Value| call(&chain, "verifyemergencyblock", from_ref(hex));
    assert_eq!(verify(&created["hex"])["valid"], false);
    let error = refused(&chain, "submitemergencyblock", &[created["hex"].clone()]);
    assert_eq!(error.code, -25);
    let wif = json!(key.to_wif(fluxplane_flux_chain::address::AddressSpace::Test));
    let signed = call(
        &chain,
        "signemergencyblock",
        &[created["hex"].clone(), wif.clone()],
    );
    assert_eq!(signed["complete"], true);
    assert_eq!(signed["hash"], created["hash"]);
    assert_eq!(verify(&signed["hex"])["valid"], true);
    let error = refused(&chain, "signemergencyblock", &[signed["hex"].clone(), wif]);
    assert_eq!(error.code, -8);
    let hash = call(&chain, "submitemergencyblock", &[signed["hex"].clone()]);
    assert_eq!(hash, created["hash"]);
    assert_eq!(json!(chain.tip().hash), hash);
    let block = call(&chain, "getblock", &[hash]);
    assert_eq!(block["collateral"], "COutPoint(1111111111, 0)");
    let ordinary = call(&chain, "getblock", &[json!("110"), json!(0)]);
    let error = refused(&chain, "verifyemergencyblock", &[ordinary]);
    assert_eq!(error.code, -8);
}

#[test]
fn the_coin_set_has_a_fingerprint_that_follows_it() {
    let chain = chain();
    let before = call(&chain, "gettxoutsetinfo", &[]);
    let built = payment(&chain, 0, &chain.account(1).1);
    sent(&chain, &built).unwrap();
    chain.mine(1).unwrap();
    let after = call(&chain, "gettxoutsetinfo", &[]);
    assert_ne!(before["hash_serialized"], after["hash_serialized"]);
    // One coin less, two from the payment, one from the coinbase.
    let outputs = |info: &Value| info["txouts"].as_i64().unwrap();
    assert_eq!(outputs(&after), outputs(&before) + 2);
    let tip = chain.tip().hash;
    chain.call("invalidateblock", &[json!(tip)]).unwrap();
    let back = call(&chain, "gettxoutsetinfo", &[]);
    assert_eq!(back, before);
}

#[test]
fn the_balance_of_the_wallet_is_that_of_its_keys() {
    let chain = chain();
    let total: i64 = chain.accounts().iter().map(|key| key.balance.get()).sum();
    let text = chain.call_text("getinfo", &[]).unwrap();
    let balance = format!(
        "\"balance\":{}.{:08},",
        total / 100_000_000,
        total % 100_000_000
    );
    assert!(text.contains(&balance), "{balance} {text}");
    assert!(total > 51_000_000 * 100_000_000, "{total}");
}

#[test]
fn networks_of_nodes_are_told_by_their_addresses() {
    let chain = chain();
    confirmed_node(&chain, Tier::Cumulus, "8.8.4.4");
    confirmed_node(&chain, Tier::Cumulus, "8.8.8.8:16137");
    confirmed_node(&chain, Tier::Cumulus, "198.51.100.50");
    let nodes = call(&chain, "viewdeterministicfluxnodelist", &[]);
    let network = |ip: &str| {
        let nodes = nodes.as_array().unwrap();
        let node = nodes.iter().find(|node| node["ip"] == ip).unwrap();
        node["network"].as_str().unwrap().to_owned()
    };
    assert_eq!(network("8.8.4.4"), "ipv4");
    // Addresses for documentation cannot be routed.
    assert_eq!(network("198.51.100.50"), "");
    let count = call(&chain, "getfluxnodecount", &[]);
    assert_eq!(count["total"], 3);
    assert_eq!(count["cumulus-enabled"], 3);
    assert_eq!(count["ipv4"], 1);
}
