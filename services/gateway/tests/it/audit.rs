//! The audit trail: no changing call without a row, no row without its outcome.

use fluxplane_gateway::rest::access::Access;
use fluxplane_testkit::eventually;
use reqwest::Method;
use serde_json::json;

use crate::{
    access::{concrete, documented, method},
    peers,
    support::{Running, SOON, send, start, start_with},
    wallets::Wallet,
};

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    principal: String,
    method: String,
    route: String,
    target: String,
    status: Option<i16>,
    code: Option<String>,
}

async fn rows(gateway: &Running, request_id: &str) -> Vec<Row> {
    sqlx::query_as!(
        Row,
        "SELECT principal, method, route, target, status, code FROM audit WHERE request_id = $1",
        request_id,
    )
    .fetch_all(&gateway.db.pool)
    .await
    .unwrap()
}

/// The row of a request, once its outcome is written.
async fn finished(gateway: &Running, request_id: &str) -> Row {
    eventually(SOON, async || {
        let rows = rows(gateway, request_id).await;
        match rows.as_slice() {
            [row] if row.status.is_some() => Ok(row.clone()),
            _ => Err(rows),
        }
    })
    .await
}

#[tokio::test]
async fn every_changing_operation_leaves_one_row_with_its_outcome() {
    let wallet = Wallet::bitcoin(1);
    let admin = wallet.address();
    let gateway = start_with(|config, _| config.rest.admins = vec![admin]).await;
    gateway.world.state().epochs.push(peers::epoch(12));
    let mut covered = 0;
    for (operation, _) in documented() {
        if !operation.changes() {
            continue;
        }
        // Signing out is among them, so each gets a session of its own.
        let session = gateway.sign_in(&wallet).await;
        let request_id = format!("audit-test-{covered}");
        let request = gateway
            .as_(&session, method(operation), &concrete(operation.path))
            .header("x-request-id", &request_id)
            .header("idempotency-key", "k");
        let answer = send(request.json(&json!({}))).await;
        let row = finished(&gateway, &request_id).await;
        let public = operation.access == Access::Public;
        let principal = if public {
            String::new()
        } else {
            session.principal
        };
        assert_eq!(row.principal, principal, "{operation:?}");
        assert_eq!(
            (row.method.as_str(), row.route.as_str()),
            (operation.verb.name(), operation.path)
        );
        assert_eq!(
            row.status,
            i16::try_from(answer.status.as_u16()).ok(),
            "{operation:?}"
        );
        assert_eq!(
            row.code.as_deref().unwrap_or_default(),
            answer.code(),
            "{operation:?}"
        );
        covered += 1;
    }
    assert_eq!(covered, 13);
}

#[tokio::test]
async fn reading_leaves_no_row_and_neither_does_a_stranger() {
    let gateway = start().await;
    let request = gateway
        .request(Method::POST, "/v1/quotes")
        .header("x-request-id", "stranger-1");
    send(request.json(&json!({}))).await.expect(401);
    let request = gateway
        .request(Method::GET, "/v1/nodes")
        .header("x-request-id", "reader-01");
    send(request).await.expect(200);
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    gateway.get_as(&session, "/v1/auth/me").await.expect(200);
    assert_eq!(rows(&gateway, "stranger-1").await, []);
    assert_eq!(rows(&gateway, "reader-01").await, []);
}

#[tokio::test]
async fn a_row_says_who_signed_in_and_what_was_made() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let phrase = gateway.challenge(&wallet.address()).await;
    let signature = wallet.sign(&phrase);
    let body = json!({ "address": wallet.address(), "phrase": phrase, "signature": signature });
    let request = gateway
        .request(Method::POST, "/v1/auth/sessions")
        .header("x-request-id", "sign-in-1");
    let session = crate::support::session(&send(request.json(&body)).await.expect(201));
    assert_eq!(
        finished(&gateway, "sign-in-1").await.principal,
        wallet.address()
    );

    let request = gateway
        .as_(&session, Method::POST, "/v1/quotes")
        .header("x-request-id", "quote-001")
        .header("idempotency-key", "k");
    send(request.json(&json!({ "spec": {} }))).await.expect(201);
    let row = finished(&gateway, "quote-001").await;
    assert_eq!(
        row.target,
        format!("/v1/quotes/{}", peers::uuid(peers::QUOTE))
    );
    assert_eq!((row.status, row.code), (Some(201), None));
}

#[tokio::test]
async fn nothing_changes_when_the_trail_cannot_be_written() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    sqlx::query!("ALTER TABLE audit RENAME TO audit_away")
        .execute(&gateway.db.pool)
        .await
        .unwrap();
    let body = json!({ "spec": {} });
    let refused = gateway
        .post_as(&session, "/v1/quotes", "k", body.clone())
        .await
        .expect(503);
    assert_eq!(
        (refused.code(), refused.header("retry-after")),
        ("unavailable", "1")
    );
    assert!(gateway.world.seen("create_quote").is_empty());
    sqlx::query!("ALTER TABLE audit_away RENAME TO audit")
        .execute(&gateway.db.pool)
        .await
        .unwrap();
    gateway
        .post_as(&session, "/v1/quotes", "k", body)
        .await
        .expect(201);
}

#[tokio::test]
async fn a_handler_that_panics_answers_and_is_on_record() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let phrase = gateway.challenge(&wallet.address()).await;
    let signature = wallet.sign(&phrase);
    let body = json!({ "address": wallet.address(), "phrase": phrase, "signature": signature });
    let sign_in = || {
        gateway
            .request(Method::POST, "/v1/auth/sessions")
            .header("x-request-id", "panic-001")
    };
    // The first id is the audit row's, the second would be the session's.
    gateway.ids.panic_at(2);
    let answer = send(sign_in().json(&body)).await.expect(500);
    assert_eq!(
        (answer.code(), answer.header("x-request-id")),
        ("internal", "panic-001")
    );
    assert!(
        !answer.body.to_string().contains("on purpose"),
        "{}",
        answer.body
    );
    let row = finished(&gateway, "panic-001").await;
    assert_eq!(
        (row.status, row.code.as_deref()),
        (Some(500), Some("internal"))
    );
    assert_eq!(gateway.metric("fluxplane_http_panics_total"), Some(1.0));
    // The transaction was rolled back with the phrase in it, and the process lives on.
    gateway.post("/v1/auth/sessions", body).await.expect(201);
}

#[tokio::test]
async fn a_panic_before_the_audit_row_answers_too() {
    let gateway = start().await;
    gateway.ids.panic_at(1);
    let request = gateway.request(Method::POST, "/v1/auth/challenges");
    let request = request
        .header("x-request-id", "panic-002")
        .json(&json!({ "address": "x" }));
    assert_eq!(send(request).await.expect(500).code(), "internal");
    assert_eq!(rows(&gateway, "panic-002").await, []);
}

#[tokio::test]
async fn requests_in_flight_end_when_the_gateway_stops() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    gateway
        .world
        .state()
        .quotes
        .push(peers::quote(&session.principal));
    gateway.world.held.send_replace(true);
    let body = crate::apps::submission("fluxappregister", "balance");
    let call = gateway.post_as(&session, "/v1/apps", "k", body);
    let stop = async {
        eventually(SOON, async || {
            let arrived = !gateway.world.seen("submit_app").is_empty();
            arrived.then_some(()).ok_or("not arrived")
        })
        .await;
        gateway.drain.cancel();
        eventually(SOON, async || {
            let refused = gateway.http.get(&gateway.url).send().await.is_err();
            refused.then_some(()).ok_or("still accepts")
        })
        .await;
        gateway.world.held.send_replace(false);
    };
    let (answer, ()) = tokio::join!(call, stop);
    let answer = answer.expect(201);
    let row = finished(&gateway, answer.header("x-request-id")).await;
    assert_eq!(row.status, Some(201));
}

#[tokio::test]
async fn a_change_goes_on_when_its_client_hangs_up() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    gateway
        .world
        .state()
        .quotes
        .push(peers::quote(&session.principal));
    gateway.world.held.send_replace(true);
    let request = gateway
        .as_(&session, Method::POST, "/v1/apps")
        .header("x-request-id", "hang-up-1")
        .header("idempotency-key", "k")
        .json(&crate::apps::submission("fluxappregister", "chain_payment"));
    let call = tokio::time::timeout(SOON, request.send());
    let arrived = eventually(SOON, async || {
        let arrived = !gateway.world.seen("submit_app").is_empty();
        arrived.then_some(()).ok_or("not arrived")
    });
    tokio::select! {
        answer = call => panic!("answered while held: {answer:?}"),
        () = arrived => {}
    }
    // The request was dropped with its future; its connection is closed.
    gateway.world.held.send_replace(false);
    let row = finished(&gateway, "hang-up-1").await;
    assert_eq!(
        (row.status, row.target.as_str()),
        (Some(201), "/v1/apps/demo")
    );
    assert_eq!(gateway.world.seen("submit_app").len(), 1);
}
