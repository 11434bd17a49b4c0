//! Nodes that lie, fall silent or go back: nothing half-done, a problem that says what it is, and on when it is over.

use std::{sync::Arc, time::Duration};

use alloy_primitives::{Address, B256, U256};
use serde_json::{Value, json};

use super::{
    node::{CHAIN_ID, CONTRACT, Moved, Node},
    parties::address,
    place::{Place, assert_same, level, settle, token},
};

/// Blocks 1 to 20, each with a transfer.
async fn node() -> Node {
    let node = Node::start().await;
    grow(&node, 0, 20);
    node
}

fn grow(node: &Node, branch: u64, blocks: u64) {
    for number in 0..blocks {
        let moved = Moved {
            from: address(0),
            to: address(1),
            amount: U256::from(100 + number),
        };
        node.world().extend(branch, vec![moved]);
    }
}

fn change_logs(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> super::node::Tamper {
    Arc::new(move |method, result| {
        if method == "eth_getLogs"
            && let Value::Array(logs) = result
        {
            change(logs);
        }
    })
}

/// What is wrong with a node.
type Change = fn(&mut super::node::World);

/// Follows to the end, lets the node `lie` over three more blocks, and expects a problem that says `words` and nothing else.
async fn refuses(lie: super::node::Tamper, words: &[&str]) {
    let node = node().await;
    let place = Place::new().await;
    let mut follower = place
        .follower(&token(CHAIN_ID, CONTRACT), &node.url())
        .await;
    level(&mut follower).await;
    let before = place.dump().await;
    place.announced().await;
    grow(&node, 0, 3);
    node.world().tamper = Some(lie);
    let said = settle(&mut follower).await;
    let problem = place.asset("n.problem").await;
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
        assert!(problem.contains(word), "{word}: {problem}");
    }
    assert_same(&place.dump().await, &before, &problem);
    assert!(place.announced().await.is_empty());
    node.world().tamper = None;
    level(&mut follower).await;
    assert_eq!(place.asset("n.problem").await, "");
    assert_eq!(place.asset("a.transfer_count").await, "23");
}

#[tokio::test]
async fn logs_of_another_contract_are_refused() {
    let foreign = Address::repeat_byte(0xee);
    let lie = change_logs(move |logs| logs[1]["address"] = json!(foreign.to_string()));
    refuses(
        lie,
        &[
            "log 0 of block 22",
            &foreign.to_string(),
            &CONTRACT.to_string(),
        ],
    )
    .await;
}

#[tokio::test]
async fn logs_of_another_event_are_refused() {
    let lie = change_logs(|logs| logs[0]["topics"][0] = json!(B256::repeat_byte(9).to_string()));
    refuses(lie, &["log 0 of block 21", "first topic"]).await;
}

#[tokio::test]
async fn logs_that_were_taken_back_are_refused() {
    let lie = change_logs(|logs| logs[2]["removed"] = json!(true));
    refuses(lie, &["log 0 of block 23", "removed"]).await;
}

#[tokio::test]
async fn logs_of_blocks_that_are_not_on_the_chain_are_refused() {
    let hash = B256::repeat_byte(9);
    let lie = change_logs(move |logs| logs[0]["blockHash"] = json!(hash.to_string()));
    refuses(lie, &["log 0 of block 21", &hash.to_string()]).await;
}

#[tokio::test]
async fn logs_of_other_heights_are_refused() {
    let lie = change_logs(|logs| logs[0]["blockNumber"] = json!("0x2"));
    refuses(lie, &["log 0 of block 2 ", "21 to 23"]).await;
}

#[tokio::test]
async fn logs_that_come_twice_are_refused() {
    let lie = change_logs(|logs| logs.push(logs[0].clone()));
    refuses(lie, &["log 0 of block 21", "twice"]).await;
}

#[tokio::test]
async fn logs_of_a_collectible_are_refused() {
    let lie = change_logs(|logs| {
        let topics = logs[0]["topics"].as_array_mut().unwrap();
        topics.push(json!(B256::ZERO.to_string()));
        logs[0]["data"] = json!("0x");
    });
    refuses(lie, &["log 0 of block 21", "4 topics"]).await;
}

#[tokio::test]
async fn logs_without_a_block_are_refused() {
    let lie = change_logs(|logs| logs[0]["blockHash"] = Value::Null);
    refuses(lie, &["eth_getLogs", "blockHash"]).await;
}

#[tokio::test]
async fn something_else_than_logs_is_refused() {
    let lie: super::node::Tamper = Arc::new(|method, result| {
        if method == "eth_getLogs" {
            *result = json!({ "logs": [] });
        }
    });
    refuses(lie, &["eth_getLogs", "no list"]).await;
}

#[tokio::test]
async fn another_block_than_asked_for_is_refused() {
    let lie: super::node::Tamper = Arc::new(|method, result| {
        if method == "eth_getBlockByNumber" {
            result["number"] = json!("0x3");
        }
    });
    refuses(lie, &["eth_getBlockByNumber", "block 3"]).await;
}

#[tokio::test]
async fn a_height_beyond_all_chains_is_refused() {
    let lie: super::node::Tamper = Arc::new(|method, result| {
        if method == "eth_blockNumber" {
            *result = json!("0xffffffffffffffff");
        }
    });
    refuses(lie, &["eth_blockNumber", "18446744073709551615"]).await;
}

#[tokio::test]
async fn answers_that_are_none_are_named_and_survived() {
    let page = "<html>bad gateway</html>".to_owned();
    for (status, text, words) in [
        (200, page.clone(), "no JSON-RPC reply"),
        (200, String::new(), "no JSON-RPC reply"),
        (
            200,
            "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":".to_owned(),
            "no JSON-RPC reply",
        ),
        (502, page, "status 502"),
        (401, String::new(), "status 401"),
        (429, String::new(), "status 429"),
        (
            500,
            "{\"id\":1,\"error\":{\"code\":-32000,\"message\":\"header not found\"}}".to_owned(),
            "header not found",
        ),
        (
            200,
            "{\"id\":999,\"result\":\"0x1\"}".to_owned(),
            "call 999",
        ),
    ] {
        let node = node().await;
        let place = Place::new().await;
        let mut follower = place
            .follower(&token(CHAIN_ID, CONTRACT), &node.url())
            .await;
        node.world().answer = Some((status, text.clone()));
        let said = settle(&mut follower).await;
        assert!(said.contains(words), "{status} {text}: {said}");
        assert!(place.asset("n.problem").await.contains(words));
        assert_eq!(place.asset("a.height").await, "-");
        node.world().answer = None;
        level(&mut follower).await;
        assert_eq!(place.asset("n.problem").await, "");
    }
}

#[tokio::test]
async fn a_node_that_is_away_or_hangs_is_named_and_survived() {
    let node = node().await;
    let place = Place::new().await;
    let token = token(CHAIN_ID, CONTRACT);
    let nobody = "http://127.0.0.1:9";
    let said = settle(&mut place.follower(&token, nobody).await).await;
    assert!(said.contains("cannot be reached"), "{said}");
    node.world().delay = Duration::from_hours(1);
    let timeout = Duration::from_millis(100);
    let mut follower = place.patient(&token, &node.url(), timeout, None).await;
    let said = settle(&mut follower).await;
    assert!(said.contains("in time"), "{said}");
    node.world().delay = Duration::ZERO;
    level(&mut follower).await;
}

#[tokio::test]
async fn a_node_that_goes_back_is_waited_for() {
    let node = node().await;
    let place = Place::new().await;
    let mut follower = place
        .follower(&token(CHAIN_ID, CONTRACT), &node.url())
        .await;
    level(&mut follower).await;
    let before = place.dump().await;
    for head in [17, 3] {
        node.world().head = Some(head);
        let said = settle(&mut follower).await;
        assert!(said.contains(&format!("at {head} of 20")), "{said}");
        assert!(place.asset("n.problem").await.contains("behind"));
        assert_eq!(place.asset("n.height").await, head.to_string());
    }
    assert_same(&place.dump().await, &before, "unchanged");
    node.world().head = None;
    level(&mut follower).await;
    assert_eq!(place.asset("n.problem").await, "");
    assert_same(&place.dump().await, &before, "unchanged");
}

#[tokio::test]
async fn a_node_whose_height_stands_is_reported() {
    let node = node().await;
    let place = Place::new().await;
    let mut token = token(CHAIN_ID, CONTRACT);
    token.stalled_after = Duration::ZERO;
    let mut follower = place.follower(&token, &node.url()).await;
    level(&mut follower).await;
    settle(&mut follower).await;
    let problem = place.asset("n.problem").await;
    assert!(problem.contains("has been at 20 for"), "{problem}");
    grow(&node, 0, 1);
    let said = settle(&mut follower).await;
    assert!(said.contains("21"), "{said}");
    assert_eq!(place.asset("n.problem").await, "");
}

#[tokio::test]
async fn a_node_that_contradicts_itself_is_not_believed() {
    // Its head is a block that nothing leads to.
    let node = node().await;
    let place = Place::new().await;
    let mut follower = place
        .follower(&token(CHAIN_ID, CONTRACT), &node.url())
        .await;
    level(&mut follower).await;
    let before = place.dump().await;
    grow(&node, 0, 3);
    node.world().tamper = Some(Arc::new(|method, result| {
        if method == "eth_getBlockByNumber" && result["number"] == "0x16" {
            result["parentHash"] = json!(B256::repeat_byte(9).to_string());
        }
    }));
    let said = settle(&mut follower).await;
    assert!(said.contains("block 22 has parent"), "{said}");
    assert_same(&place.dump().await, &before, "unchanged");
    node.world().tamper = None;
    level(&mut follower).await;
    assert_eq!(place.asset("a.height").await, "23");
}

#[tokio::test]
async fn another_chain_no_contract_and_other_decimals_halt_with_both_values() {
    let node = node().await;
    let place = Place::new().await;
    let mut follower = place
        .follower(&token(CHAIN_ID, CONTRACT), &node.url())
        .await;
    level(&mut follower).await;
    let before = place.dump().await;
    let contract = CONTRACT.to_string();
    let cases: [(Change, &[&str]); 3] = [
        (
            |world| world.chain_id = 777,
            &["777", "1234", "evm.chain_id"],
        ),
        (|world| world.decimals = None, &[&contract, "evm.contract"]),
        (
            |world| world.decimals = Some(18),
            &["18", "8", "evm.decimals"],
        ),
    ];
    for (change, words) in cases {
        grow(&node, 0, 1);
        change(&mut node.world());
        // A node is looked at closely when it is new or was away.
        let mut next = place
            .follower(&token(CHAIN_ID, CONTRACT), &node.url())
            .await;
        let said = settle(&mut next).await;
        let stored = place.asset("a.halted_reason").await;
        for word in words {
            assert!(
                said.contains(word) && stored.contains(word),
                "{word}: {said}"
            );
        }
        node.world().chain_id = CHAIN_ID;
        node.world().decimals = Some(8);
        node.world().drop_last(1);
        level(&mut next).await;
        assert_same(
            &place.dump().await,
            &before,
            "followed on as if nothing had been",
        );
    }
}

#[tokio::test]
async fn a_configuration_that_contradicts_the_database_is_refused_with_both_values() {
    use fluxplane_platform::reconciler::Reconciler as _;

    let node = node().await;
    let place = Place::new().await;
    let right = token(CHAIN_ID, CONTRACT);
    level(&mut place.follower(&right, &node.url()).await).await;
    let before = place.dump().await;
    let mut later = right.clone();
    later.start_block = 7;
    let mut follower = place.follower(&later, &node.url()).await;
    let said = format!("{:#}", follower.reconcile().await.unwrap_err());
    assert!(
        said.contains("from block 0") && said.contains("says 7"),
        "{said}"
    );
    let mut other = right.clone();
    other.contract = address(9);
    let mut follower = place.follower(&other, &node.url()).await;
    let said = format!("{:#}", follower.reconcile().await.unwrap_err());
    let names_both = said.contains(&address(9).to_string()) && said.contains(&CONTRACT.to_string());
    assert!(names_both && said.contains("evm.name"), "{said}");
    assert_same(&place.dump().await, &before, "unchanged");
}
