//! How refusals look: one document for everything that can go wrong.

use fluxplane_core::{ErrorKind, error::Reason};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tonic::Status;

use crate::{
    peers,
    support::{Answer, send, start, start_with},
    wallets::Wallet,
};

async fn problem(request: RequestBuilder) -> Answer {
    let answer = send(request.header("x-request-id", "problem-test")).await;
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("x-request-id"), "problem-test");
    assert_eq!(answer.body["request_id"], "problem-test");
    assert_eq!(answer.body["status"], answer.status.as_u16());
    answer
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let challenge = || gateway.request(Method::POST, "/v1/auth/challenges");
    let json_body = |body: &'static str| {
        challenge()
            .header("content-type", "application/json")
            .body(body)
    };
    let post = |path: &str| gateway.as_(&session, Method::POST, path);
    let cases = [
        ("unknown_path", gateway.request(Method::GET, "/v1/nothing")),
        ("wrong_method", gateway.request(Method::PATCH, "/v1/nodes")),
        (
            "no_json",
            challenge()
                .header("content-type", "text/plain")
                .body("address=1"),
        ),
        ("no_media_type", challenge().body("{}")),
        ("cut_json", json_body("{\"address\": ")),
        ("wrong_type", json_body("{\"address\": 7}")),
        ("missing_field", json_body("{}")),
        (
            "unknown_field",
            json_body("{\"address\": \"a\", \"admin\": true}"),
        ),
        ("wrong_value", json_body("{\"address\": \"nobody\"}")),
        ("not_signed_in", gateway.request(Method::GET, "/v1/account")),
        (
            "page_too_large",
            gateway.request(Method::GET, "/v1/nodes?page_size=500"),
        ),
        (
            "wrong_parameter",
            gateway.request(Method::GET, "/v1/nodes?page_size=many"),
        ),
        (
            "wrong_path_parameter",
            gateway.request(Method::GET, "/v1/nodes/one"),
        ),
        (
            "key_missing",
            post("/v1/quotes").json(&json!({ "spec": {} })),
        ),
        (
            "spec_is_no_object",
            post("/v1/quotes")
                .header("idempotency-key", "k")
                .json(&json!({ "spec": "{}" })),
        ),
        (
            "not_admin",
            post("/v1/epochs:close").header("idempotency-key", "k"),
        ),
        (
            "if_match_missing",
            gateway.as_(&session, Method::DELETE, "/v1/apps/demo"),
        ),
        (
            "another_owners",
            gateway.as_(&session, Method::GET, "/v1/apps/demo"),
        ),
    ];
    for (name, request) in cases {
        let answer = problem(request).await;
        insta::assert_json_snapshot!(name, answer.body);
    }
}

#[tokio::test]
async fn a_peer_that_is_away_or_broken_is_a_problem_too() {
    let gateway = start().await;
    let status = || gateway.request(Method::GET, "/v1/chain/status");
    gateway
        .world
        .refuse("get_status", Status::unavailable("secret host is down"));
    let away = problem(status()).await.expect(503);
    assert_eq!(
        (away.code(), away.header("retry-after")),
        ("unavailable", "1")
    );
    assert!(!away.body.to_string().contains("secret"), "{}", away.body);
    gateway
        .world
        .refuse("get_status", Status::internal("secret stack trace"));
    let broken = problem(status()).await.expect(500);
    assert_eq!(broken.code(), "internal");
    assert!(
        !broken.body.to_string().contains("secret"),
        "{}",
        broken.body
    );
    let kind = ErrorKind::NotFound;
    let missing = peers::refusal(kind, Reason::NotFound, "no such block", Vec::new());
    gateway.world.refuse("get_block", missing);
    let missing = problem(gateway.request(Method::GET, "/v1/chain/blocks/7"))
        .await
        .expect(404);
    assert_eq!(missing.body["detail"], "no such block");
    let outcome = r#"peer="chain-indexer",method="get_block",outcome="not-found""#;
    assert!(gateway.metric(outcome).is_some());
    assert_eq!(
        gateway.metric(r#"fluxplane_rejected_total{code="internal"}"#),
        Some(1.0)
    );
}

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_our_fault() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let mut app = peers::app(&session.principal, "demo");
    app.state = 99;
    gateway.world.state().apps.push(app);
    let answer = gateway.get_as(&session, "/v1/apps/demo").await.expect(500);
    assert_eq!(answer.code(), "internal");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let gateway = start_with(|config, _| {
        // Signing in comes first, and must not take so long.
        let quick = std::time::Duration::from_secs(2);
        config.rest.request_timeout = fluxplane_platform::config::Span(quick);
    })
    .await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    gateway
        .world
        .state()
        .quotes
        .push(peers::quote(&session.principal));
    gateway.world.held.send_replace(true);
    let body = crate::apps::submission("fluxappregister", "balance");
    let answer = gateway
        .post_as(&session, "/v1/apps", "k", body)
        .await
        .expect(503);
    assert!(
        answer.body["detail"]
            .as_str()
            .unwrap()
            .contains("Idempotency-Key"),
        "{}",
        answer.body
    );
    gateway.world.held.send_replace(false);
}

#[tokio::test]
async fn a_request_id_is_the_clients_when_it_is_sane() {
    let gateway = start().await;
    for (given, kept) in [
        ("my-request-1", true),
        ("short", false),
        ("with space ok", false),
    ] {
        let request = gateway
            .request(Method::GET, "/v1/nodes")
            .header("x-request-id", given);
        let answer = send(request).await.expect(200);
        assert_eq!(answer.header("x-request-id") == given, kept, "{given}");
        assert!(answer.header("x-request-id").len() >= 8);
    }
}

#[tokio::test]
async fn answers_carry_their_headers_and_are_measured() {
    let gateway = start().await;
    let answer = gateway.get("/v1/epochs/12").await.expect(404);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("strict-transport-security", ""),
        ("access-control-allow-origin", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert!(
        answer
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    gateway.get("/v1/epochs/12?x=1").await;
    gateway.get("/nothing/here").await.expect(404);
    let measured = |route: &str| {
        gateway.metric(&format!(
            r#"fluxplane_http_request_seconds_count{{method="GET",route="{route}",status="404"}}"#
        ))
    };
    assert_eq!(measured("/v1/epochs/{number}"), Some(2.0));
    assert_eq!(measured("unmatched"), Some(1.0));
}

#[tokio::test]
async fn only_configured_origins_may_call() {
    let origin = "https://app.example";
    let gateway = start_with(|config, _| config.rest.cors_origins = vec![origin.to_owned()]).await;
    let preflight = |from: &'static str| {
        gateway
            .request(Method::OPTIONS, "/v1/apps")
            .header("origin", from)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,idempotency-key",
            )
    };
    let allowed = send(preflight("https://app.example")).await.expect(200);
    assert_eq!(allowed.header("access-control-allow-origin"), origin);
    assert!(
        allowed
            .header("access-control-allow-headers")
            .contains("idempotency-key")
    );
    let refused = send(preflight("https://evil.example")).await;
    assert_eq!(refused.header("access-control-allow-origin"), "");
    let request = gateway
        .request(Method::GET, "/v1/nodes")
        .header("origin", origin);
    let answer = send(request).await.expect(200);
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("etag")
    );
}
