//! `/apps/appregister` and `/apps/appupdate`.

use fluxplane_core::{ErrorKind, error::Reason};
use fluxplane_proto::scheduler::v1::AppState;
use serde_json::json;

use super::support::{canonical, hash_of, message, published, spec};
use crate::{
    peers::{app, at, refusal},
    support::start,
    wallets::Wallet,
};

#[tokio::test]
async fn a_registration_is_quoted_submitted_and_answered_with_its_hash() {
    let gateway = start().await;
    for wallet in [Wallet::bitcoin(1), Wallet::ethereum(2)] {
        let client = gateway.log_in(&wallet).await;
        let spec = spec(&wallet.address(), "shop");
        let message = message(&wallet, "fluxappregister", &spec, gateway.now_ms());
        let answer = gateway.submit(&client, "/apps/appregister", &message).await;
        assert_eq!(answer.data(), hash_of(&message));
        let quoted = gateway.world.seen("create_quote").pop().unwrap();
        let submitted = gateway.world.seen("submit_app").pop().unwrap();
        for seen in [&quoted, &submitted] {
            assert_eq!(seen.caller.principal, wallet.address());
            assert!(seen.key.starts_with("derived-"), "{}", seen.key);
            assert!(seen.request.contains("a web shop"), "{}", seen.request);
        }
        assert_ne!(quoted.key, submitted.key);
        let request = submitted.request;
        assert!(request.contains("published: true"), "{request}");
        assert!(request.contains("fluxappregister"), "{request}");
        assert!(request.contains("funding: ChainPayment"), "{request}");
    }
}

#[tokio::test]
async fn the_signature_counts_and_not_who_is_signed_in() {
    let gateway = start().await;
    let (owner, other) = (Wallet::bitcoin(1), Wallet::bitcoin(2));
    let client = gateway.log_in(&other).await;
    let spec = spec(&owner.address(), "shop");
    let good = message(&owner, "zelappregister", &spec, gateway.now_ms());
    gateway
        .submit(&client, "/apps/appregister", &good)
        .await
        .data();
    let submitted = gateway.world.seen("submit_app").pop().unwrap();
    assert_eq!(submitted.caller.principal, owner.address());

    let forged = message(&other, "fluxappregister", &spec, gateway.now_ms());
    let text =
        "Received signature is invalid or Flux App specifications are not properly formatted";
    let answer = gateway.submit(&client, "/apps/appregister", &forged).await;
    assert_eq!(answer.error(), text);
    let mut changed = good.clone();
    changed["appSpecification"]["description"] = json!("another shop");
    let answer = gateway.submit(&client, "/apps/appregister", &changed).await;
    assert_eq!(answer.error(), text);
    assert_eq!(gateway.world.seen("submit_app").len(), 1);
}

#[tokio::test]
async fn a_specification_may_be_a_text_and_numbers_may_be_texts() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let spec = spec(&wallet.address(), "shop");
    let mut message = message(&wallet, "fluxappregister", &spec, gateway.now_ms());
    let hash = hash_of(&message);
    message["appSpecification"] = json!(spec.to_string());
    message["timestamp"] = json!(message["timestamp"].to_string());
    let answer = gateway.submit(&client, "/apps/appregister", &message).await;
    assert_eq!(answer.data(), hash);
}

#[tokio::test]
async fn a_registration_is_refused_in_the_words_and_the_order_of_fluxos() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let (id, now) = (wallet.address(), gateway.now_ms());
    let good = message(&wallet, "fluxappregister", &spec(&id, "shop"), now);
    let with = |field: &str, value: serde_json::Value| {
        let mut changed = good.clone();
        changed[field] = value;
        changed
    };
    let taken = published(&wallet, "Taken", true);
    gateway.world.state().messages.push(taken);
    let long = "Message timestamp is over 1 hour old, not valid. Check if your computer clock is synced and restart the registration process.";
    let early = "Message timestamp from future, not valid. Check if your computer clock is synced and restart the registration process.";
    let incomplete = "Incomplete message received. Check if appSpecification, type, version, timestamp and signature are provided.";
    let mut cases = vec![
        (json!({}), incomplete.to_owned()),
        (with("type", json!("fluxappupdate")), "Invalid type of message".to_owned()),
        (with("type", json!("surprise")), "Invalid type of message".to_owned()),
        (with("version", json!(2)), "Invalid version of message".to_owned()),
        (with("version", json!("1")), "Invalid version of message".to_owned()),
        (with("timestamp", json!(now - 3_600_001)), long.to_owned()),
        (with("timestamp", json!(now + 300_001)), early.to_owned()),
        (
            message(&wallet, "fluxappregister", &spec(&id, "tAKEN"), now),
            "Flux App Taken already registered. Flux App has to be registered under different name.".to_owned(),
        ),
        (
            message(&wallet, "fluxappregister", &spec(&id, "fluxshop"), now),
            "Flux App name can not start with flux".to_owned(),
        ),
    ];
    for field in [
        "type",
        "version",
        "timestamp",
        "signature",
        "appSpecification",
    ] {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(field);
        cases.push((without, incomplete.to_owned()));
        cases.push((with(field, json!("")), incomplete.to_owned()));
    }
    for (message, text) in cases {
        let answer = gateway.submit(&client, "/apps/appregister", &message).await;
        assert_eq!(answer.error(), text, "{message}");
    }
    assert!(gateway.world.seen("create_quote").is_empty());
    assert!(gateway.world.seen("submit_app").is_empty());
}

#[tokio::test]
async fn a_message_that_is_sent_again_gives_its_hash_again() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let now = gateway.now_ms();
    let message = message(
        &wallet,
        "fluxappregister",
        &spec(&wallet.address(), "shop"),
        now,
    );
    let mut waiting = published(&wallet, "shop", false);
    waiting.message_hash = hash_of(&message);
    gateway.world.state().messages.push(waiting);
    let answer = gateway.submit(&client, "/apps/appregister", &message).await;
    assert_eq!(answer.data(), hash_of(&message));
    assert!(gateway.world.seen("submit_app").is_empty());
}

#[tokio::test]
async fn what_a_service_refuses_is_said_in_the_envelope() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let now = gateway.now_ms();
    let message = message(
        &wallet,
        "fluxappregister",
        &spec(&wallet.address(), "shop"),
        now,
    );
    let status = refusal(
        ErrorKind::AlreadyExists,
        Reason::NameTaken,
        "the name is taken",
        Vec::new(),
    );
    gateway.world.refuse("submit_app", status);
    let answer = gateway.submit(&client, "/apps/appregister", &message).await;
    assert_eq!(
        answer.error(),
        "Flux App shop already registered. Flux App has to be registered under different name."
    );
    gateway
        .world
        .refuse("submit_app", tonic::Status::unavailable("10.0.0.7 is away"));
    let answer = gateway.submit(&client, "/apps/appregister", &message).await;
    let text = answer.error();
    assert!(!text.contains("10.0.0.7"), "{text}");
}

#[tokio::test]
async fn an_update_of_ones_own_application_is_submitted_with_the_version_it_was_seen_in() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let mut running = app(&wallet.address(), "shop");
    running.state = AppState::Running.into();
    let current = running.current.as_mut().unwrap();
    current.spec_json = canonical(&spec(&wallet.address(), "shop"));
    current.funded_at = at(60);
    gateway.world.state().apps.push(running);
    let mut next = spec(&wallet.address(), "shop");
    next["instances"] = json!(5);
    let message = message(&wallet, "fluxappupdate", &next, gateway.now_ms());
    let answer = gateway.submit(&client, "/apps/appupdate", &message).await;
    assert_eq!(answer.data(), hash_of(&message));
    let quoted = gateway.world.seen("create_quote").pop().unwrap();
    assert!(
        quoted.request.contains("update_of: \"shop\""),
        "{}",
        quoted.request
    );
    let updated = gateway.world.seen("update_app").pop().unwrap();
    assert!(
        updated.request.contains("expected_version: 7"),
        "{}",
        updated.request
    );
}

#[tokio::test]
async fn an_update_is_refused_in_the_words_of_fluxos() {
    let gateway = start().await;
    let (wallet, other) = (Wallet::bitcoin(1), Wallet::bitcoin(2));
    let client = gateway.log_in(&wallet).await;
    let (id, now) = (wallet.address(), gateway.now_ms());
    let mine = published(&wallet, "mine", true);
    gateway.world.state().messages.push(mine);
    let update =
        |signer: &Wallet, name: &str| message(signer, "fluxappupdate", &spec(&id, name), now);
    let mut register = update(&wallet, "mine");
    register["type"] = json!("fluxappregister");
    let mut downgraded = spec(&id, "mine");
    downgraded["version"] = json!(7);
    for component in downgraded["compose"].as_array_mut().unwrap() {
        component["secrets"] = json!("");
        component["tiered"] = json!(false);
    }
    downgraded.as_object_mut().unwrap().remove("enterprise");
    for (message, text) in [
        (
            json!({}),
            "Incomplete message received. Check if appSpecification, timestamp, type, version and signature are provided.",
        ),
        (register, "Invalid type of message"),
        (
            update(&wallet, "nothing"),
            "Flux App update received but application to update does not exist!",
        ),
        (
            update(&other, "mine"),
            "Received signature does not correspond with Flux App owner or Flux App specifications are not properly formatted",
        ),
    ] {
        let answer = gateway.submit(&client, "/apps/appupdate", &message).await;
        assert_eq!(answer.error(), text, "{message}");
    }
    let answer = gateway
        .submit(
            &client,
            "/apps/appupdate",
            &message(&wallet, "fluxappupdate", &downgraded, now),
        )
        .await;
    let text = answer.error();
    assert!(text.contains("version"), "{text}");
    assert!(gateway.world.seen("update_app").is_empty());
}

#[tokio::test]
async fn a_submission_leaves_an_audit_row_with_its_session() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let now = gateway.now_ms();
    let good = message(
        &wallet,
        "fluxappregister",
        &spec(&wallet.address(), "shop"),
        now,
    );
    gateway
        .submit(&client, "/apps/appregister", &good)
        .await
        .data();
    gateway
        .submit(&client, "/apps/appregister", &json!({}))
        .await
        .error();
    let rows = fluxplane_testkit::eventually(crate::support::SOON, async || {
        let rows = sqlx::query!(
            r#"SELECT principal, target, status AS "status?", code FROM audit
               WHERE route = '/apps/appregister' ORDER BY at, id"#
        )
        .fetch_all(&gateway.db.pool)
        .await
        .unwrap();
        if rows.len() == 2 && rows.iter().all(|row| row.status.is_some()) {
            Ok(rows)
        } else {
            Err(rows.len())
        }
    })
    .await;
    assert!(rows.iter().all(|row| row.principal == wallet.address()));
    assert_eq!(rows[0].target, "/apps/appspecifications/shop");
    assert_eq!((rows[0].status, rows[0].code.as_deref()), (Some(200), None));
    assert_eq!(
        (rows[1].status, rows[1].code.as_deref()),
        (Some(200), Some("invalid-request"))
    );
}
