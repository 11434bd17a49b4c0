//! Secrets: values go in and never come out, in answers, in the audit trail or in refusals.

use fluxplane_core::{ErrorKind, error::Reason};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    peers,
    support::{Running, Session, send, start},
    wallets::Wallet,
};

const MARK: &str = "Rk9-gateway-mark";

async fn change(
    gateway: &Running,
    session: &Session,
    method: Method,
    path: &str,
    body: Value,
) -> crate::support::Answer {
    let request = gateway
        .request(method, path)
        .bearer_auth(&session.access)
        .header("idempotency-key", format!("key-of-{path}"));
    send(request.json(&body)).await
}

#[tokio::test]
async fn a_value_goes_in_and_never_comes_out() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let path = "/v1/secrets/database%2Fpassword";
    let put = |value: &str| json!({ "value": value });
    let made = change(&gateway, &session, Method::PUT, path, put(MARK))
        .await
        .expect(201);
    assert_eq!(made.body["name"], "database/password");
    assert_eq!(
        (&made.body["kind"], &made.body["version"]),
        (&json!("value"), &json!(1))
    );
    let renewed = change(&gateway, &session, Method::PUT, path, put("better"))
        .await
        .expect(200);
    assert_eq!(renewed.body["version"], 2);
    let login = json!({ "registry": "ghcr.io", "username": "robot", "password": MARK });
    let made = change(
        &gateway,
        &session,
        Method::PUT,
        "/v1/secrets/registry",
        login,
    )
    .await;
    assert_eq!(made.expect(201).body["kind"], "registry");
    let seen = gateway.world.seen("put_secret");
    assert_eq!(seen.len(), 3);
    assert!(seen[0].request.contains(MARK), "it is passed on");

    let one = gateway.get_as(&session, path).await.expect(200);
    assert_eq!(one.body["used_by"], json!(["demo"]));
    let all = gateway.get_as(&session, "/v1/secrets").await.expect(200);
    assert_eq!(all.body["items"].as_array().unwrap().len(), 2);
    let gone = change(&gateway, &session, Method::DELETE, path, json!({})).await;
    for answer in [&one.body, &all.body, &gone.expect(200).body] {
        assert!(!answer.to_string().contains(MARK));
    }
    let audited = sqlx::query_scalar!(r#"SELECT a::text AS "row!" FROM audit AS a"#);
    let audited = audited.fetch_all(&gateway.db.pool).await.unwrap();
    assert!(audited.iter().any(|row| row.contains("/v1/secrets/")));
    assert!(!audited.iter().any(|row| row.contains(MARK)));
}

#[tokio::test]
async fn what_is_neither_a_value_nor_credentials_is_refused() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let bodies = [
        json!({}),
        json!({ "value": MARK, "username": "robot" }),
        json!({ "username": MARK }),
        json!({ "password": MARK, "registry": "ghcr.io" }),
        json!({ "value": "x", "other": 1 }),
    ];
    for body in bodies {
        let answer = change(&gateway, &session, Method::PUT, "/v1/secrets/x", body).await;
        let answer = answer.expect(400);
        assert_eq!(answer.code(), "invalid-request");
        assert!(!answer.body.to_string().contains(MARK), "{:?}", answer.body);
    }
    assert!(gateway.world.seen("put_secret").is_empty());
}

#[tokio::test]
async fn a_change_carries_a_key_and_a_deletion_may_be_forced() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    for method in [Method::PUT, Method::DELETE] {
        let request = gateway.request(method, "/v1/secrets/x");
        let answer = send(
            request
                .bearer_auth(&session.access)
                .json(&json!({ "value": "x" })),
        );
        assert_eq!(answer.await.expect(400).code(), "idempotency-key-missing");
    }
    let in_use = peers::refusal(
        ErrorKind::Conflict,
        Reason::SecretInUse,
        "the secret `x` is in use by shop",
        Vec::new(),
    );
    gateway.world.refuse("delete_secret", in_use);
    let refused = change(
        &gateway,
        &session,
        Method::DELETE,
        "/v1/secrets/x?force=true",
        json!({}),
    )
    .await;
    assert_eq!(refused.expect(409).code(), "secret-in-use");
    assert!(
        gateway.world.seen("delete_secret")[0]
            .request
            .contains("force: true")
    );
}
