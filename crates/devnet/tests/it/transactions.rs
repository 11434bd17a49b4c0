//! Transactions made, signed, decoded and told through JSON-RPC.

use std::slice::from_ref;

use fluxplane_core::Sat;
use fluxplane_devnet::ChainHandle;
use fluxplane_flux_chain::{PrivateKey, Transaction, address::AddressSpace};
use serde_json::{Value, json};

use crate::ground::{account_coin, chain, payment, refused, sent};

fn wif(key: &PrivateKey) -> Value {
    json!(key.to_wif(AddressSpace::Test))
}

fn call(chain: &ChainHandle, method: &str, params: &[Value]) -> Value {
    match chain.call(method, params) {
        Ok(answer) => answer,
        Err(error) => panic!("{method}: {error}"),
    }
}

/// An unsigned payment of account 0 through `createrawtransaction`.
fn created(chain: &ChainHandle, outputs: Value) -> Value {
    let (_, coin) = account_coin(chain, 0);
    let input = json!({"txid": coin.outpoint.txid, "vout": coin.outpoint.n});
    call(chain, "createrawtransaction", &[json!([input]), outputs])
}

#[test]
fn a_transaction_is_created_signed_with_a_given_key_and_sent() {
    let chain = chain();
    let (_, to) = chain.account(1);
    let raw = created(&chain, json!({to.to_string(): 99_999.999}));
    let decoded = call(&chain, "decoderawtransaction", from_ref(&raw));
    // It may be mined for another twenty blocks.
    assert_eq!(decoded["expiryheight"], 131);
    assert_eq!(decoded["vout"][0]["valueSat"], json!(9_999_999_900_000_i64));
    let (other, _) = chain.account(2);
    let missing = call(
        &chain,
        "signrawtransaction",
        &[raw.clone(), Value::Null, json!([wif(&other)])],
    );
    assert_eq!(missing["complete"], false);
    assert_eq!(
        missing["errors"][0]["error"],
        "Operation not valid with the current stack size"
    );
    let (owner, _) = chain.account(0);
    let signed = call(
        &chain,
        "signrawtransaction",
        &[raw.clone(), Value::Null, json!([wif(&owner)])],
    );
    assert_eq!(signed["complete"], true);
    assert!(signed.get("errors").is_none());
    // The wallet has the key, too.
    assert_eq!(call(&chain, "signrawtransaction", &[raw]), signed);
    let txid = call(&chain, "sendrawtransaction", &[signed["hex"].clone()]);
    chain.mine(1).unwrap();
    let mined = call(&chain, "getrawtransaction", &[txid, json!(1)]);
    assert_eq!(mined["height"], 111);
    assert_eq!(mined["vin"][0]["valueSat"], json!(10_000_000_000_000_i64));
}

#[test]
fn there_is_no_key_for_data() {
    let chain = chain();
    let error = refused(
        &chain,
        "createrawtransaction",
        &[json!([]), json!({"data": "00"})],
    );
    assert_eq!(
        (error.code, &*error.message),
        (-5, "Invalid Flux address: data")
    );
}

#[test]
fn outputs_keep_their_order_and_every_digit() {
    let chain = chain();
    let addresses: Vec<String> = (0..4).map(|n| chain.account(n).1.to_string()).collect();
    let text = format!(
        r#"{{"{}": 0.00000546, "{}": "1.10000001", "{}": 3, "{}": 1e-3}}"#,
        addresses[2], addresses[0], addresses[3], addresses[1]
    );
    // Parsed as raw text on its way in, so the order of the keys holds only when they do not pass through a map.
    let outputs: Box<serde_json::value::RawValue> = serde_json::from_str(&text).unwrap();
    let body = format!(
        r#"{{"id":1,"method":"createrawtransaction","params":[[{{"txid":"{}","vout":0}}],{}]}}"#,
        "11".repeat(32),
        outputs.get()
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let devnet = crate::ground::served().await;
        let client =
            fluxplane_devnet::client::Client::new(&devnet.rpc_url(), devnet.credentials()).unwrap();
        let (status, text) = client.post(body).await.unwrap();
        assert_eq!(status, 200, "{text}");
        let reply: Value = serde_json::from_str(&text).unwrap();
        let bytes = hex::decode(reply["result"].as_str().unwrap()).unwrap();
        let made = Transaction::parse(&bytes).unwrap();
        let values: Vec<i64> = made.outputs().iter().map(|out| out.value.get()).collect();
        assert_eq!(values, [546, 110_000_001, 300_000_000, 100_000]);
        devnet.shutdown().await.unwrap();
    });
}

#[test]
fn two_of_three_keys_spend_a_multisig_output_wherever_they_sign() {
    let chain = chain();
    let keys: Vec<PrivateKey> = (3..6).map(|n| chain.account(n).0).collect();
    let public: Vec<String> = keys
        .iter()
        .map(|key| key.public_key().to_string())
        .collect();
    let multisig = call(&chain, "createmultisig", &[json!(2), json!(public)]);
    let address = multisig["address"].as_str().unwrap().parse().unwrap();
    let outpoint = chain.faucet(&address, Sat::from_flux(100)).unwrap();
    chain.mine(1).unwrap();
    let coin = call(
        &chain,
        "gettxout",
        &[json!(outpoint.txid), json!(outpoint.n)],
    );
    assert_eq!(coin["scriptPubKey"]["type"], "scripthash");

    let raw = call(
        &chain,
        "createrawtransaction",
        &[
            json!([{"txid": outpoint.txid, "vout": outpoint.n}]),
            json!({chain.account(9).1.to_string(): 99.999}),
        ],
    );
    let previous = json!([{
        "txid": outpoint.txid,
        "vout": outpoint.n,
        "scriptPubKey": coin["scriptPubKey"]["hex"],
        "redeemScript": multisig["redeemScript"],
        "amount": 100,
    }]);
    let sign = |raw: &Value, key: &PrivateKey| {
        call(
            &chain,
            "signrawtransaction",
            &[raw.clone(), previous.clone(), json!([wif(key)])],
        )
    };
    // The second signer adds to what the first made; the third key signs first.
    let half = sign(&raw, &keys[2]);
    assert_eq!(half["complete"], false);
    let error = refused(&chain, "sendrawtransaction", &[half["hex"].clone()]);
    assert_eq!(error.code, -26);
    let whole = sign(&half["hex"], &keys[0]);
    assert_eq!(whole["complete"], true);
    let txid = call(&chain, "sendrawtransaction", &[whole["hex"].clone()]);
    chain.mine(1).unwrap();
    let shown = call(&chain, "getrawtransaction", &[txid, json!(1)]);
    assert_eq!(shown["vin"][0]["address"], multisig["address"]);
    assert_eq!(shown["confirmations"], 1);
}

#[test]
fn what_nobody_knows_is_said_so() {
    let chain = chain();
    let error = refused(
        &chain,
        "getrawtransaction",
        &[json!("00".repeat(32)), json!(1)],
    );
    assert_eq!(
        (error.code, &*error.message),
        (-5, "No information available about transaction")
    );
    let error = refused(&chain, "decoderawtransaction", &[json!("0011")]);
    assert_eq!((error.code, &*error.message), (-22, "TX decode failed"));
    let unspent = call(&chain, "gettxout", &[json!("00".repeat(32)), json!(0)]);
    assert_eq!(unspent, Value::Null);
}

#[test]
fn a_spent_output_tells_by_whom_also_while_its_spender_waits() {
    let chain = chain();
    let built = payment(&chain, 0, &chain.account(1).1);
    let parsed = Transaction::parse(&built.bytes).unwrap();
    let spent = parsed.inputs()[0].previous;
    sent(&chain, &built).unwrap();
    let query = json!({"txid": spent.txid, "index": spent.n});
    let expected = |height: i64| json!({"txid": built.txid, "index": 0, "height": height});
    assert_eq!(call(&chain, "getspentinfo", from_ref(&query)), expected(-1));
    let hidden = call(
        &chain,
        "gettxout",
        &[json!(spent.txid), json!(spent.n), json!(true)],
    );
    assert_eq!(hidden, Value::Null);
    chain.mine(1).unwrap();
    assert_eq!(call(&chain, "getspentinfo", &[query]), expected(111));
    let never = json!({"txid": built.txid, "index": 0});
    let error = refused(&chain, "getspentinfo", &[never]);
    assert_eq!(
        (error.code, &*error.message),
        (-5, "Unable to get spent info")
    );
}

#[test]
fn a_proof_shows_that_a_transaction_is_in_its_block() {
    let chain = chain();
    for from in 0..6 {
        sent(&chain, &payment(&chain, from, &chain.account(9).1)).unwrap();
    }
    chain.mine(1).unwrap();
    let ids = crate::ground::mined_at(&chain, 111);
    assert_eq!(ids.len(), 7);
    for chosen in [
        vec![ids[0]],
        vec![ids[6]],
        vec![ids[2], ids[5]],
        ids.clone(),
    ] {
        let proof = call(&chain, "gettxoutproof", &[json!(chosen)]);
        let proven = call(&chain, "verifytxoutproof", &[proof]);
        assert_eq!(proven, json!(chosen));
    }
    let mixed = json!([ids[0], "22".repeat(32)]);
    assert_eq!(refused(&chain, "gettxoutproof", &[mixed]).code, -5);
}
