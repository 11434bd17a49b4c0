//! What the gateway says of the chain: each question reaches the service that knows, and each answer has its shape.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use serde_json::{Value, json};

use crate::{
    peers::{self, PAYMENT_ADDRESS},
    support::start,
};

#[tokio::test]
async fn money_of_addresses_is_shown() {
    let gateway = start().await;
    let address = format!("/v1/chain/addresses/{PAYMENT_ADDRESS}");
    let txid = hex::encode([8; 32]);
    for (name, path) in [
        ("address", address.clone()),
        (
            "address_transactions",
            format!("{address}/transactions?page_size=1"),
        ),
        ("address_unspent", format!("{address}/unspent")),
        ("output", format!("/v1/chain/outputs/{txid}/0")),
        ("output_spent", format!("/v1/chain/outputs/{txid}/1")),
        ("rich_list", "/v1/chain/rich-list".to_owned()),
        ("supply", "/v1/chain/supply".to_owned()),
    ] {
        let answer = gateway.get(&path).await.expect(200);
        insta::assert_json_snapshot!(name, answer.body);
    }
    let nobody = "/v1/chain/addresses/t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6";
    assert_eq!(gateway.get(nobody).await.expect(404).code(), "not-found");
}

#[tokio::test]
async fn a_script_without_an_address_is_named_by_its_bytes() {
    let gateway = start().await;
    let answer = gateway.get("/v1/chain/addresses/51AB").await.expect(200);
    assert_eq!(answer.body["summary"]["address"], Value::Null);
    assert_eq!(answer.body["summary"]["script"], "51ab");
}

#[tokio::test]
async fn the_supply_of_an_earlier_block_is_asked_for_by_height() {
    let gateway = start().await;
    let answer = gateway.get("/v1/chain/supply?height=5").await.expect(200);
    assert_eq!(answer.body["height"], 5);
    let wrong = gateway.get("/v1/chain/supply?height=now").await.expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "height");
    let unknown = gateway.get("/v1/chain/supply?at=5").await.expect(400);
    assert_eq!(unknown.body["violations"][0]["field"], "at");
}

#[tokio::test]
async fn emission_is_forecast_for_whole_ranges_only() {
    let gateway = start().await;
    let path = "/v1/chain/emission?from=2036&to=2036&below_ppm=9000&spacing_ms=30076";
    let answer = gateway.get(path).await.expect(200);
    insta::assert_json_snapshot!("emission", answer.body);
    let seen = gateway.world.seen("get_emission").pop().unwrap().request;
    for part in [
        "from_year: 2036",
        "to_year: 2036",
        "below_ppm: 9000",
        "spacing_ms: 30076",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    gateway.get("/v1/chain/emission").await.expect(200);
    for (query, field) in [
        ("from=2025", "to"),
        ("to=2040", "from"),
        ("below_ppm=0", "below_ppm"),
        ("spacing_ms=0", "spacing_ms"),
        ("from=soon&to=2040", "from"),
    ] {
        let path = format!("/v1/chain/emission?{query}");
        let wrong = gateway.get(&path).await.expect(400);
        assert_eq!(wrong.body["violations"][0]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn lists_of_nodes_are_shown_as_they_were_after_a_block() {
    let gateway = start().await;
    gateway.world.state().fluxnodes.push(peers::fluxnode(6));
    let path = "/v1/chain/fluxnodes?height=2099990&tier=nimbus&status=dos&page_size=7&cursor=abc";
    let answer = gateway.get(path).await.expect(200);
    assert_eq!(
        (&answer.body["height"], &answer.body["next_cursor"]),
        (&json!(2_099_990), &json!("more"))
    );
    let seen = gateway
        .world
        .seen("list_fluxnodes_at")
        .pop()
        .unwrap()
        .request;
    for part in [
        "Some(2099990)",
        "tier: Nimbus",
        "status: Dos",
        "size: 7",
        "\"abc\"",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    let old = gateway
        .get("/v1/chain/fluxnodes?height=7")
        .await
        .expect(400);
    let violation = &old.body["violations"][0];
    assert_eq!(violation["field"], "height");
    assert!(
        violation["rule"].as_str().unwrap().contains("2099960"),
        "{violation}"
    );
}

#[tokio::test]
async fn nodes_are_found_by_what_is_known_of_them() {
    let gateway = start().await;
    gateway.world.state().fluxnodes.push(peers::fluxnode(6));
    for (query, part) in [
        (
            "ip=203.0.113.9:16127",
            "Ip(\"203.0.113.9:16127\")".to_owned(),
        ),
        ("node_pubkey=02ab", "NodePubkey(\"02ab\")".to_owned()),
        (
            &format!("payment_address={PAYMENT_ADDRESS}"),
            format!("PaymentAddress(\"{PAYMENT_ADDRESS}\")"),
        ),
    ] {
        let path = format!("/v1/chain/fluxnodes?{query}");
        let found = gateway.get(&path).await.expect(200);
        assert_eq!(found.body["items"].as_array().unwrap().len(), 1);
        assert_eq!(found.body["height"], 2_100_000);
        let seen = gateway.world.seen("find_fluxnodes").pop().unwrap().request;
        assert!(seen.contains(&part), "{part}: {seen}");
    }
    let two = gateway
        .get("/v1/chain/fluxnodes?ip=203.0.113.9&height=7")
        .await
        .expect(400);
    assert_eq!(two.body["violations"][0]["field"], "height");
}

#[tokio::test]
async fn the_queue_the_tiers_and_the_capacity_are_shown() {
    let gateway = start().await;
    for (name, path) in [
        ("next_payees", "/v1/chain/next-payees?tier=stratus&blocks=3"),
        ("tiers", "/v1/chain/tiers?height=2100000"),
        ("capacity", "/v1/chain/capacity"),
    ] {
        let answer = gateway.get(path).await.expect(200);
        insta::assert_json_snapshot!(name, answer.body);
    }
    let seen = gateway
        .world
        .seen("list_next_payees")
        .pop()
        .unwrap()
        .request;
    assert!(
        seen.contains("blocks: 3") && seen.contains("tier: Stratus"),
        "{seen}"
    );
    for blocks in ["0", "721"] {
        let path = format!("/v1/chain/next-payees?blocks={blocks}");
        let wrong = gateway.get(&path).await.expect(400);
        assert_eq!(wrong.body["violations"][0]["field"], "blocks");
    }
}

#[tokio::test]
async fn what_payments_and_the_foundation_say_is_shown() {
    let gateway = start().await;
    let txid = hex::encode([8; 32]);
    for (name, path) in [
        (
            "unmatched_payments",
            "/v1/chain/unmatched-payments?problem=length".to_owned(),
        ),
        (
            "payment_of_a_transaction",
            format!("/v1/chain/transactions/{txid}/payment"),
        ),
        ("anchors", "/v1/chain/anchors?epoch=12".to_owned()),
        ("price_messages", "/v1/chain/price-messages".to_owned()),
    ] {
        let answer = gateway.get(&path).await.expect(200);
        insta::assert_json_snapshot!(name, answer.body);
    }
    let seen = gateway.world.seen("list_unmatched_payments").pop().unwrap();
    assert!(seen.request.contains("problem: Length"), "{}", seen.request);
    for (query, field) in [
        ("unmatched-payments?problem=rude", "problem"),
        ("unmatched-payments?page_size=500", "page_size"),
        ("anchors?epoch=0", "epoch"),
    ] {
        let wrong = gateway.get(&format!("/v1/chain/{query}")).await.expect(400);
        assert_eq!(wrong.body["violations"][0]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn tokens_on_other_chains_are_shown() {
    let gateway = start().await;
    for (name, path) in [
        ("evm_assets", "/v1/chain/evm/assets"),
        ("evm_asset", "/v1/chain/evm/assets/ethereum"),
        (
            "evm_transfers",
            "/v1/chain/evm/transfers?asset=ethereum&address=0xAB&min_height=5&max_height=9&page_size=2",
        ),
    ] {
        let answer = gateway.get(path).await.expect(200);
        insta::assert_json_snapshot!(name, answer.body);
    }
    let seen = gateway.world.seen("list_transfers").pop().unwrap().request;
    for part in [
        "\"ethereum\"",
        "\"0xAB\"",
        "min_height: 5",
        "Some(9)",
        "size: 2",
    ] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    gateway.get("/v1/chain/evm/assets/moon").await.expect(404);
    let path = "/v1/chain/evm/transfers?max_height=9";
    let wrong = gateway.get(path).await.expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "max_height");
}

#[tokio::test]
async fn refusals_name_fields_as_this_api_does() {
    let gateway = start().await;
    for (method, theirs, path, ours) in [
        ("get_address", "owner.address", "addresses/t1x", "address"),
        (
            "list_unspent",
            "owner.script_hex",
            "addresses/ab/unspent",
            "address",
        ),
        ("get_output", "outpoint.txid", "outputs/aa/0", "txid"),
        (
            "get_emission",
            "to_year",
            "emission?from=2025&to=2024",
            "to",
        ),
    ] {
        let violation = Violation::new(theirs, "x", "a rule", "a remedy");
        let (kind, reason) = (ErrorKind::Invalid, Reason::InvalidRequest);
        let refused = peers::refusal(kind, reason, "wrong", vec![violation]);
        gateway.world.refuse(method, refused);
        let answer = gateway.get(&format!("/v1/chain/{path}")).await.expect(400);
        assert_eq!(answer.body["violations"][0]["field"], ours, "{method}");
    }
}

#[tokio::test]
async fn an_index_that_keeps_less_says_so() {
    let gateway = start().await;
    let text = "this index has no addresses";
    let refused = peers::refusal(ErrorKind::Conflict, Reason::NotIndexed, text, Vec::new());
    gateway.world.refuse("list_rich", refused);
    let answer = gateway.get("/v1/chain/rich-list").await.expect(409);
    assert_eq!(answer.body["detail"], text);
}
