//! Every operation of the document is listed, and every protected one is closed to whoever may not pass.

use fluxplane_gateway::rest::{
    access::{Access, OPERATIONS, Operation, Verb, find},
    openapi,
};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::{
    support::{Running, Session, send, start, start_with},
    wallets::Wallet,
};

/// A path of an operation with something in the place of every parameter.
pub(crate) fn concrete(path: &str) -> String {
    [
        ("{name}", "demo"),
        ("{quote_id}", "00000000-0000-0000-0000-000000000001"),
        ("{instance_id}", "00000000-0000-0000-0000-000000000001"),
        ("{node_id}", "00000000-0000-0000-0000-000000000001"),
        ("{invoice_id}", "00000000-0000-0000-0000-000000000001"),
        ("{number}", "1"),
        ("{height_or_hash}", "1"),
        ("{txid}", "aa"),
        ("{vout}", "0"),
        ("{message_hash}", "aa"),
        ("{address}", "t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6"),
        ("{asset}", "ethereum"),
    ]
    .into_iter()
    .fold(path.to_owned(), |path, (parameter, value)| {
        path.replace(parameter, value)
    })
}

/// The operations of the document, as the table has them.
pub(crate) fn documented() -> Vec<(&'static Operation, bool)> {
    let document = openapi::document();
    let documented = openapi::operations(&document);
    let listed = documented.into_iter().map(|(verb, path, operation)| {
        let listed = find(verb, &path).unwrap_or_else(|| panic!("{verb:?} {path} is not listed"));
        (listed, operation.request_body.is_some())
    });
    listed.collect()
}

pub(crate) fn method(operation: &Operation) -> Method {
    match operation.verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Delete => Method::DELETE,
    }
}

fn call(gateway: &Running, operation: &Operation) -> RequestBuilder {
    gateway.request(method(operation), &concrete(operation.path))
}

fn call_as(gateway: &Running, session: &Session, operation: &Operation) -> RequestBuilder {
    call(gateway, operation).bearer_auth(&session.access)
}

#[test]
fn the_document_and_the_table_have_the_same_operations() {
    let documented = documented();
    assert_eq!(documented.len(), OPERATIONS.len());
    for operation in OPERATIONS {
        let found = documented
            .iter()
            .any(|(documented, _)| *documented == operation);
        assert!(found, "{operation:?} is not documented");
    }
}

#[tokio::test]
async fn a_protected_operation_is_closed_without_a_live_token() {
    let gateway = start().await;
    let mut closed = 0;
    for (operation, _) in documented() {
        if operation.access == Access::Public {
            continue;
        }
        let unknown = format!("fxa_{}", "0".repeat(64));
        for token in [None, Some("nonsense"), Some(unknown.as_str())] {
            let request = call(&gateway, operation).header("idempotency-key", "k");
            let request = match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            let answer = send(request.json(&json!({}))).await.expect(401);
            assert_eq!(answer.code(), "unauthenticated", "{operation:?}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            closed += 1;
        }
    }
    assert!(closed > 40, "{closed}");
    assert!(
        gateway
            .world
            .state()
            .seen
            .iter()
            .all(|seen| seen.method == "list_nodes")
    );
}

#[tokio::test]
async fn an_oversized_body_is_refused_before_anybody_is_identified() {
    let gateway = start().await;
    let body = vec![b' '; 256 * 1_024 + 1];
    for (operation, _) in documented() {
        if operation.verb == Verb::Get {
            continue;
        }
        let request = call(&gateway, operation).header("content-type", "application/json");
        let answer = send(request.body(body.clone())).await.expect(413);
        assert_eq!(answer.code(), "body-too-large", "{operation:?}");
    }
    let fits = json!({ "address": " ".repeat(200 * 1_024) });
    gateway.post("/v1/auth/challenges", fits).await.expect(400);
}

#[tokio::test]
async fn a_body_that_does_not_say_its_size_is_cut_at_the_limit() {
    let gateway = start().await;
    let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1_024]));
    let body = reqwest::Body::wrap_stream(futures::StreamExt::take(chunks, 5));
    let request = gateway.request(Method::POST, "/v1/auth/challenges");
    let request = request
        .header("content-type", "application/json")
        .body(body);
    assert_eq!(send(request).await.expect(413).code(), "body-too-large");
}

#[tokio::test]
async fn an_unknown_field_is_refused_everywhere() {
    let wallet = Wallet::bitcoin(1);
    let admin = wallet.address();
    let gateway = start_with(|config, _| config.rest.admins = vec![admin]).await;
    let session = gateway.sign_in(&wallet).await;
    let mut refused = 0;
    for (operation, has_body) in documented() {
        // Where the body is a specification, what is wrong with it is the answer.
        if !has_body || operation.path.starts_with("/v1/specs:") {
            continue;
        }
        let request = call_as(&gateway, &session, operation)
            .header("idempotency-key", "k")
            .header("if-match", "\"7\"");
        let answer = send(request.json(&json!({ "surprise": true })))
            .await
            .expect(400);
        let violation = &answer.body["violations"][0];
        assert_eq!(
            (&violation["field"], &violation["value"]),
            (&json!("surprise"), &json!("true"))
        );
        refused += 1;
    }
    assert_eq!(refused, 9);
}

#[tokio::test]
async fn an_unknown_query_parameter_is_refused() {
    let gateway = start().await;
    let answer = gateway.get("/v1/nodes?stat=ready").await.expect(400);
    assert_eq!(answer.body["violations"][0]["field"], "stat");
}

#[tokio::test]
async fn a_post_without_a_key_is_refused() {
    let wallet = Wallet::bitcoin(1);
    let admin = wallet.address();
    let gateway = start_with(|config, _| config.rest.admins = vec![admin]).await;
    let session = gateway.sign_in(&wallet).await;
    let mut refused = 0;
    for operation in OPERATIONS.iter().filter(|operation| operation.keyed) {
        let answer = send(call_as(&gateway, &session, operation).json(&json!({}))).await;
        assert_eq!(
            answer.expect(400).code(),
            "idempotency-key-missing",
            "{operation:?}"
        );
        let request = call_as(&gateway, &session, operation).header("idempotency-key", "a b");
        assert_eq!(
            send(request).await.expect(400).code(),
            "invalid-request",
            "{operation:?}"
        );
        refused += 1;
    }
    assert_eq!(refused, 7);
}

#[tokio::test]
async fn only_configured_addresses_are_administrators() {
    let (admin, other) = (Wallet::bitcoin(1), Wallet::bitcoin(2));
    let address = admin.address();
    let gateway = start_with(|config, _| config.rest.admins = vec![address]).await;
    gateway.world.state().epochs.push(crate::peers::epoch(12));
    let other = gateway.sign_in(&other).await;
    let refused = gateway
        .post_as(&other, "/v1/epochs:close", "k", json!({}))
        .await;
    assert_eq!(refused.expect(403).code(), "forbidden");
    assert!(gateway.world.seen("close_epoch").is_empty());
    let admin = gateway.sign_in(&admin).await;
    let closed = gateway
        .post_as(&admin, "/v1/epochs:close", "k", json!({}))
        .await
        .expect(200);
    assert_eq!(closed.body["number"], 12);
    let known = gateway.get_as(&admin, "/v1/auth/me").await.expect(200);
    assert_eq!(known.body["admin"], true);
}

#[tokio::test]
async fn a_known_path_names_its_methods() {
    let gateway = start().await;
    let answer = send(gateway.request(Method::PATCH, "/v1/apps/demo"))
        .await
        .expect(405);
    assert_eq!(
        (answer.code(), answer.header("allow")),
        ("method-not-allowed", "GET, PUT, DELETE")
    );
    let answer = send(gateway.request(Method::DELETE, "/docs"))
        .await
        .expect(405);
    assert_eq!(answer.header("allow"), "GET");
    send(gateway.request(Method::HEAD, "/docs"))
        .await
        .expect(200);
}
