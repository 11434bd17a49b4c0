//! Nodes and the chain.

use fluxplane_proto::node_registry::v1::NodeState;
use fluxplane_testkit::eventually;
use serde_json::json;

use crate::{
    peers,
    support::{SOON, start, start_with},
    wallets::Wallet,
};

#[tokio::test]
async fn nodes_are_listed_with_their_filters() {
    let gateway = start().await;
    let nodes = vec![
        peers::node(1, NodeState::Ready),
        peers::node(2, NodeState::Lost),
    ];
    gateway.world.state().nodes = nodes;
    let all = gateway.get("/v1/nodes").await.expect(200);
    insta::assert_json_snapshot!("nodes", all.body);
    let operator = Wallet::ethereum(1).address();
    let path = format!("/v1/nodes?state=lost&operator={}", operator.to_lowercase());
    let lost = gateway.get(&path).await.expect(200);
    assert_eq!(lost.body["items"].as_array().unwrap().len(), 1);
    let seen = gateway.world.seen("list_nodes").pop().unwrap();
    assert!(seen.request.contains(&operator), "{}", seen.request);
    let wrong = gateway.get("/v1/nodes?state=happy").await.expect(400);
    assert_eq!(wrong.body["violations"][0]["value"], "happy");
    let wrong = gateway.get("/v1/nodes?operator=nobody").await.expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "operator");
    let one = gateway
        .get(&format!("/v1/nodes/{}", peers::uuid(1)))
        .await
        .expect(200);
    assert_eq!(one.body["state"], "ready");
    gateway
        .get(&format!("/v1/nodes/{}", peers::uuid(9)))
        .await
        .expect(404);
}

#[tokio::test]
async fn nodes_are_counted() {
    let gateway = start_with(|_, _| ()).await;
    let nodes = vec![
        peers::node(1, NodeState::Ready),
        peers::node(2, NodeState::Ready),
        peers::node(3, NodeState::Retired),
    ];
    gateway.world.state().nodes = nodes;
    let summary = eventually(SOON, async || {
        let answer = gateway.get("/v1/nodes/summary").await;
        if answer.status == 200 {
            Ok(answer)
        } else {
            Err(answer)
        }
    })
    .await;
    assert!(summary.body["total"].is_u64() && summary.body["counted_at"].is_string());
    let total: u64 = summary.body["by_tier"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(summary.body["total"], total);
}

#[tokio::test]
async fn an_operator_gets_a_join_token() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let txid = hex::encode([5; 32]);
    let body = json!({ "collateral": { "txid": txid, "vout": 3 }, "ttl_seconds": 600 });
    let answer = gateway
        .post_as(&session, "/v1/nodes/join-tokens", "k", body)
        .await
        .expect(201);
    assert_eq!(answer.body["token"], "fxj_secret");
    assert_eq!(answer.header("cache-control"), "no-store");
    let [seen] = gateway.world.seen("create_join_token").try_into().unwrap();
    assert_eq!(
        (seen.caller.principal, seen.key.as_str()),
        (session.principal.clone(), "k")
    );
    for part in [txid.as_str(), "vout: 3", "ttl_seconds: 600"] {
        assert!(seen.request.contains(part), "{part}: {}", seen.request);
    }
    let body = json!({ "collateral": { "txid": "aa", "vout": 0, "tier": 1 } });
    let wrong = gateway
        .post_as(&session, "/v1/nodes/join-tokens", "k2", body)
        .await
        .expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "collateral.tier");
}

#[tokio::test]
async fn the_chain_is_shown() {
    let gateway = start().await;
    gateway.world.state().fluxnodes.push(peers::fluxnode(6));
    gateway.world.state().payments.push(peers::payment());
    let collateral = hex::encode([6; 32]);
    for (name, path) in [
        ("chain_status", "/v1/chain/status".to_owned()),
        ("block", "/v1/chain/blocks/2100000".to_owned()),
        (
            "transaction",
            format!("/v1/chain/transactions/{}", hex::encode([8; 32])),
        ),
        (
            "fluxnodes",
            "/v1/chain/fluxnodes?tier=nimbus&page_size=1".to_owned(),
        ),
        ("fluxnode", format!("/v1/chain/fluxnodes/{collateral}/0")),
        (
            "payments",
            format!("/v1/chain/payments/{}", peers::MESSAGE_HASH),
        ),
    ] {
        let answer = gateway.get(&path).await.expect(200);
        insta::assert_json_snapshot!(name, answer.body);
    }
    gateway
        .get(&format!("/v1/chain/fluxnodes/{collateral}/1"))
        .await
        .expect(404);
    let wrong = gateway.get("/v1/chain/blocks/newest").await.expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "height_or_hash");
}
