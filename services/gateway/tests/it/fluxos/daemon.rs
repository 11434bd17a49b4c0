//! `/daemon/…` and `/flux/…`.

use serde_json::json;

use crate::{
    peers::{PAYMENT_ADDRESS, fluxnode},
    support::start,
};

#[tokio::test]
async fn blocks_are_shown_with_the_fields_the_index_knows() {
    let gateway = start().await;
    let hash = hex::encode([2; 32]);
    assert_eq!(gateway.get("/daemon/getblockcount").await.data(), 2_100_000);
    assert_eq!(gateway.get("/daemon/getbestblockhash").await.data(), hash);
    assert_eq!(
        gateway.get("/daemon/getblockhash/2100000").await.data(),
        hash
    );
    let wanted = json!({
        "hash": hash,
        "confirmations": 1,
        "size": 1_000,
        "height": 2_100_000,
        "tx": [hex::encode([8; 32])],
        "time": 1_767_614_400,
        "previousblockhash": hex::encode([3; 32]),
    });
    for path in [
        "/daemon/getblock/2100000/1".to_owned(),
        format!("/daemon/getblock/{hash}/1"),
        "/daemon/getblock?hashheight=2100000&verbosity=1".to_owned(),
    ] {
        assert_eq!(gateway.get(&path).await.data(), wanted, "{path}");
    }
    for (path, text) in [
        ("/daemon/getblock", "No hashheight provided"),
        ("/daemon/getblock/-1", "Block height out of range"),
        ("/daemon/getblockhash/soon", "Block height out of range"),
        (
            "/daemon/getblock/5/7",
            "Verbosity must be in range from 0 to 2",
        ),
    ] {
        assert_eq!(gateway.get(path).await.error(), text);
    }
    let raw = gateway.get("/daemon/getblock/5/0").await;
    assert_eq!(raw.status, 501);
    assert_eq!(raw.body["data"]["code"], 501);
}

#[tokio::test]
async fn a_transaction_is_hex_or_described_as_fluxd_does() {
    let gateway = start().await;
    let txid = hex::encode([8; 32]);
    let path = format!("/daemon/getrawtransaction/{txid}");
    let raw = gateway.get(&path).await.data();
    assert_eq!(raw, crate::peers::RAW_TRANSACTION);
    let shown = gateway.get(&format!("{path}/1")).await.data();
    assert_eq!(shown["hex"], raw);
    assert_eq!(shown["vin"][0]["coinbase"], "02cc0000");
    assert_eq!(shown["vout"][0]["valueSat"], 1_134_020_000);
    assert!(shown.get("blockhash").is_none(), "it waits for a block");
    let block = gateway.get("/daemon/getblock/2100000").await.data();
    assert_eq!(block["tx"][0]["vin"][0]["coinbase"], "02cc0000");
    assert_eq!(
        gateway.get("/daemon/getrawtransaction").await.error(),
        "No txid provided"
    );
    gateway.world.refuse(
        "get_transaction",
        crate::peers::refusal(
            fluxplane_core::ErrorKind::NotFound,
            fluxplane_core::error::Reason::NotFound,
            "there is none",
            Vec::new(),
        ),
    );
    let answer = gateway.get(&path).await;
    assert_eq!(answer.body["data"]["code"], -5);
    assert_eq!(answer.error(), "No information available about transaction");
}

#[tokio::test]
async fn the_fluxnode_list_has_the_fields_of_fluxd() {
    let gateway = start().await;
    gateway.world.state().fluxnodes.push(fluxnode(1));
    let txid = hex::encode([1; 32]);
    let wanted = json!([{
        "collateral": format!("COutPoint({txid}, 0)"),
        "txhash": txid,
        "outidx": "0",
        "ip": "203.0.113.9:16127",
        "network": "",
        "added_height": 100,
        "confirmed_height": 110,
        "last_confirmed_height": 200,
        "last_paid_height": 150,
        "tier": "NIMBUS",
        "payment_address": PAYMENT_ADDRESS,
        "pubkey": hex::encode([2; 33]),
        "activesince": "1767614410",
        "lastpaid": "1767614420",
        "amount": "12500.00",
        "rank": 0,
    }]);
    for path in [
        "/daemon/viewdeterministicfluxnodelist",
        "/daemon/viewdeterministiczelnodelist",
        "/daemon/listfluxnodes",
        "/daemon/viewdeterministicfluxnodelist/203.0.113.9",
        "/daemon/viewdeterministicfluxnodelist?filter=t3Nry",
    ] {
        assert_eq!(gateway.get(path).await.data(), wanted, "{path}");
    }
    let other = "/daemon/viewdeterministicfluxnodelist/198.51.100.1";
    assert_eq!(gateway.get(other).await.data(), json!([]));
}

#[tokio::test]
async fn a_client_learns_which_fluxos_this_is() {
    let gateway = start().await;
    assert_eq!(gateway.get("/flux/version").await.data(), "8.17.0");
    let info = gateway.get("/flux/info").await.data();
    assert_eq!(info["flux"]["version"], "8.17.0");
    assert_eq!(info["daemon"]["info"]["blocks"], 2_100_000);
    assert_eq!(info["daemon"]["info"]["testnet"], true);
}
