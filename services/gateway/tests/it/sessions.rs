//! Signing in, going on, signing out.

use std::time::Duration;

use fluxplane_testkit::eventually;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Running, SOON, send, session, start},
    wallets::Wallet,
};

const MINUTE: Duration = Duration::from_mins(1);

async fn create_session(gateway: &Running, address: &str, phrase: &str, signature: &str) -> Answer {
    let body = json!({ "address": address, "phrase": phrase, "signature": signature });
    gateway.post("/v1/auth/sessions", body).await
}

async fn refresh(gateway: &Running, token: &str) -> Answer {
    gateway
        .post(
            "/v1/auth/sessions:refresh",
            json!({ "refresh_token": token }),
        )
        .await
}

async fn me(gateway: &Running, access: &str) -> Answer {
    send(
        gateway
            .request(Method::GET, "/v1/auth/me")
            .bearer_auth(access),
    )
    .await
}

#[tokio::test]
async fn a_bitcoin_wallet_signs_in_and_out() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let session = gateway.sign_in(&wallet).await;
    assert_eq!(session.principal, wallet.address());
    let known = me(&gateway, &session.access).await.expect(200);
    assert_eq!(known.body["principal"], wallet.address());
    assert_eq!(known.body["admin"], false);
    let out = send(gateway.as_(&session, Method::DELETE, "/v1/auth/sessions/current")).await;
    out.expect(204);
    assert_eq!(
        me(&gateway, &session.access).await.expect(401).code(),
        "unauthenticated"
    );
    assert_eq!(
        refresh(&gateway, &session.refresh).await.expect(401).code(),
        "unauthenticated"
    );
}

#[tokio::test]
async fn an_ethereum_wallet_becomes_its_checksummed_address() {
    let gateway = start().await;
    let wallet = Wallet::ethereum(1);
    let lower = wallet.address().to_lowercase();
    let phrase = gateway.challenge(&lower).await;
    let answer = create_session(&gateway, &lower, &phrase, &wallet.sign(&phrase))
        .await
        .expect(201);
    assert_eq!(session(&answer).principal, wallet.address());
}

#[tokio::test]
async fn a_phrase_has_the_form_of_fluxos_and_five_minutes() {
    let gateway = start().await;
    let body = json!({ "address": Wallet::bitcoin(1).address() });
    let answer = gateway.post("/v1/auth/challenges", body).await.expect(201);
    let phrase = answer.body["phrase"].as_str().unwrap();
    assert!(
        phrase.len() > 13 && phrase.bytes().take(13).all(|b| b.is_ascii_digit()),
        "{phrase}"
    );
    let expires_at: chrono::DateTime<chrono::Utc> =
        answer.body["expires_at"].as_str().unwrap().parse().unwrap();
    let now = fluxplane_core::Clock::now(&gateway.clock);
    assert_eq!(expires_at - now, chrono::TimeDelta::minutes(5));
}

#[tokio::test]
async fn a_phrase_works_once_in_time_and_for_its_address() {
    let gateway = start().await;
    let (alice, bob) = (Wallet::bitcoin(1), Wallet::bitcoin(2));
    let phrase = gateway.challenge(&alice.address()).await;
    let stolen = create_session(&gateway, &bob.address(), &phrase, &bob.sign(&phrase)).await;
    assert_eq!(stolen.expect(401).code(), "challenge-invalid");

    let signature = alice.sign(&phrase);
    create_session(&gateway, &alice.address(), &phrase, &signature)
        .await
        .expect(201);
    let again = create_session(&gateway, &alice.address(), &phrase, &signature).await;
    assert_eq!(again.expect(401).code(), "challenge-invalid");

    let phrase = gateway.challenge(&alice.address()).await;
    gateway.clock.advance(5 * MINUTE);
    let late = create_session(&gateway, &alice.address(), &phrase, &alice.sign(&phrase)).await;
    assert_eq!(late.expect(401).code(), "challenge-invalid");
    let invented = create_session(&gateway, &alice.address(), "1234567890123x", &signature).await;
    assert_eq!(invented.expect(401).code(), "challenge-invalid");
}

#[tokio::test]
async fn a_wrong_signature_is_refused_and_leaves_the_phrase_usable() {
    let gateway = start().await;
    let (alice, bob) = (Wallet::bitcoin(1), Wallet::bitcoin(2));
    let phrase = gateway.challenge(&alice.address()).await;
    for wrong in [
        bob.sign(&phrase),
        alice.sign("another text"),
        "no signature".to_owned(),
    ] {
        let refused = create_session(&gateway, &alice.address(), &phrase, &wrong)
            .await
            .expect(401);
        assert_eq!(refused.code(), "signature-invalid");
        assert!(
            !refused.body.to_string().contains(&wrong),
            "a signature is not repeated"
        );
    }
    create_session(&gateway, &alice.address(), &phrase, &alice.sign(&phrase))
        .await
        .expect(201);
}

#[tokio::test]
async fn of_many_at_once_with_one_phrase_one_gets_in() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let phrase = gateway.challenge(&wallet.address()).await;
    let signature = wallet.sign(&phrase);
    let address = wallet.address();
    let tries = (0..8).map(|_| create_session(&gateway, &address, &phrase, &signature));
    let statuses: Vec<u16> = join_all(tries)
        .await
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 401).count(),
        7,
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_refresh_token_rotates_and_ends_the_session_when_it_comes_back() {
    let gateway = start().await;
    let first = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let second = session(&refresh(&gateway, &first.refresh).await.expect(200));
    assert_ne!(first.access, second.access);
    me(&gateway, &second.access).await.expect(200);

    let reused = refresh(&gateway, &first.refresh).await.expect(401);
    assert!(
        reused.body["detail"]
            .as_str()
            .unwrap()
            .contains("used before"),
        "{}",
        reused.body
    );
    me(&gateway, &second.access).await.expect(401);
    refresh(&gateway, &second.refresh).await.expect(401);
    assert_eq!(
        gateway.metric(r#"fluxplane_sessions_total{kind="reuse_ended"}"#),
        Some(1.0)
    );
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins_and_the_session_ends() {
    let gateway = start().await;
    let first = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let (a, b) = tokio::join!(
        refresh(&gateway, &first.refresh),
        refresh(&gateway, &first.refresh)
    );
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    let winner = if a.status == 200 { a } else { b };
    me(&gateway, &session(&winner).access).await.expect(401);
}

#[tokio::test]
async fn tokens_end_in_time() {
    let gateway = start().await;
    let first = gateway.sign_in(&Wallet::bitcoin(1)).await;
    gateway.clock.advance(15 * MINUTE);
    me(&gateway, &first.access).await.expect(401);
    let second = session(&refresh(&gateway, &first.refresh).await.expect(200));
    me(&gateway, &second.access).await.expect(200);
    gateway.clock.advance(14 * 24 * 60 * MINUTE);
    refresh(&gateway, &second.refresh).await.expect(401);
}

#[tokio::test]
async fn no_token_is_stored_in_the_clear() {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    let stored =
        sqlx::query_scalar!(r#"SELECT encode(token_sha256, 'hex') as "hash!" FROM session_token"#)
            .fetch_all(&gateway.db.pool)
            .await
            .unwrap();
    assert_eq!(stored.len(), 2);
    for token in [&session.access, &session.refresh] {
        assert!(stored.iter().all(|hash| !token.contains(hash.as_str())));
    }
}

#[tokio::test]
async fn the_oldest_session_ends_when_a_wallet_has_too_many() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let oldest = gateway.sign_in(&wallet).await;
    let mut newest = None;
    for _ in 0..20 {
        gateway.clock.advance(Duration::from_secs(1));
        newest = Some(gateway.sign_in(&wallet).await);
    }
    me(&gateway, &oldest.access).await.expect(401);
    me(&gateway, &newest.unwrap().access).await.expect(200);
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    gateway.sign_in(&wallet).await;
    gateway.challenge(&wallet.address()).await;
    eventually(SOON, async || {
        audit_rows(&gateway)
            .await
            .eq(&3)
            .then_some(())
            .ok_or("unwritten")
    })
    .await;
    gateway.clock.advance(60 * 24 * 60 * MINUTE);
    let ctx = fluxplane_gateway::app::Context {
        pool: gateway.db.pool.clone(),
        clock: std::sync::Arc::new(gateway.clock.clone()),
        ids: std::sync::Arc::new(fluxplane_core::SystemIds),
        random: ring::rand::SystemRandom::new(),
        lives: fluxplane_gateway::domain::session::Lives {
            challenge: MINUTE,
            access: MINUTE,
            refresh: MINUTE,
            fluxos: MINUTE,
        },
        admins: std::sync::Arc::default(),
    };
    let swept = fluxplane_gateway::app::sweep::sweep(&ctx).await.unwrap();
    assert_eq!((swept.challenges, swept.sessions), (1, 1));
    // Two phrases were asked for by nobody known; the sign-in itself stays on record.
    assert_eq!((swept.calls, audit_rows(&gateway).await), (2, 1));
}

async fn audit_rows(gateway: &Running) -> i64 {
    sqlx::query_scalar!(r#"SELECT count(*) as "count!" FROM audit WHERE status IS NOT NULL"#)
        .fetch_one(&gateway.db.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_no_wallet_address_is_refused_by_field() {
    let gateway = start().await;
    let answer = gateway
        .post("/v1/auth/challenges", json!({ "address": "nobody" }))
        .await;
    let answer = answer.expect(400);
    assert_eq!(answer.body["violations"][0]["field"], "address");
    assert_eq!(answer.body["violations"][0]["value"], "nobody");
    let wrong = gateway
        .post("/v1/auth/challenges", Value::Null)
        .await
        .expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "body");
}
