//! Applications: submitted, read, changed and ended under their versions.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    peers,
    support::{Answer, Running, Session, send, start},
    wallets::Wallet,
};

/// The body of a registration or an update.
pub(crate) fn submission(message_type: &str, funding: &str) -> Value {
    json!({
        "quote_id": peers::uuid(peers::QUOTE),
        "funding": funding,
        "registration": {
            "type": message_type,
            "version": 1,
            "spec": { "version": 4, "name": "demo", "compose": [] },
            "timestamp": 1_767_614_400_000_u64,
            "signature": "c2ln",
        },
    })
}

/// A gateway with one owner, who has a quote.
async fn with_quote() -> (Running, Session) {
    let gateway = start().await;
    let session = gateway.sign_in(&Wallet::bitcoin(1)).await;
    gateway
        .world
        .state()
        .quotes
        .push(peers::quote(&session.principal));
    (gateway, session)
}

/// A gateway with one owner, who has an application of version 7.
async fn with_app() -> (Running, Session) {
    let (gateway, session) = with_quote().await;
    gateway
        .world
        .state()
        .apps
        .push(peers::app(&session.principal, "demo"));
    (gateway, session)
}

async fn change(
    gateway: &Running,
    session: &Session,
    method: Method,
    if_match: Option<&str>,
) -> Answer {
    let request = gateway.as_(session, method.clone(), "/v1/apps/demo");
    let request = match if_match {
        Some(tag) => request.header("if-match", tag),
        None => request,
    };
    let request = if method == Method::PUT {
        request.json(&submission("fluxappupdate", "chain_payment"))
    } else {
        request
    };
    send(request).await
}

#[tokio::test]
async fn a_registration_answers_what_to_pay() {
    let (gateway, session) = with_quote().await;
    let body = submission("fluxappregister", "chain_payment");
    let answer = gateway
        .post_as(&session, "/v1/apps", "key-1", body)
        .await
        .expect(201);
    assert_eq!(answer.header("location"), "/v1/apps/demo");
    assert_eq!(answer.header("etag"), "\"7\"");
    insta::assert_json_snapshot!(answer.body, { ".app.owner" => "[owner]" });

    let [seen] = gateway.world.seen("submit_app").try_into().unwrap();
    assert_eq!(
        (seen.caller.principal, seen.key.as_str()),
        (session.principal, "key-1")
    );
    assert_eq!(seen.caller.request_id, answer.header("x-request-id"));
    // The specification travels byte for byte: it is what was signed.
    assert!(
        seen.request
            .contains(r#"{\"compose\":[],\"name\":\"demo\",\"version\":4}"#),
        "{}",
        seen.request
    );
}

#[tokio::test]
async fn a_specification_keeps_the_order_and_the_spelling_of_its_signer() {
    let (gateway, session) = with_quote().await;
    let spec = r#"{"version": 4,  "name":"demo","cpu":1.0,"compose":[]}"#;
    let body = submission("fluxappregister", "balance").to_string();
    let body = body.replace(r#"{"compose":[],"name":"demo","version":4}"#, spec);
    assert!(body.contains(spec));
    let request = gateway
        .as_(&session, Method::POST, "/v1/apps")
        .header("idempotency-key", "k")
        .header("content-type", "application/json")
        .body(body);
    send(request).await.expect(201);
    let [seen] = gateway.world.seen("submit_app").try_into().unwrap();
    assert!(
        seen.request.contains(&spec.replace('"', "\\\"")),
        "{}",
        seen.request
    );
}

#[tokio::test]
async fn messages_about_native_specifications_have_types_of_their_own() {
    let (gateway, session) = with_app().await;
    let spec =
        json!({ "schema": "fluxplane/v1", "name": "demo", "components": {}, "instances": 3 });
    let message = |kind: &str| {
        let mut body = submission(kind, "balance");
        body["registration"]["spec"] = spec.clone();
        body
    };
    gateway
        .post_as(&session, "/v1/apps", "k", message("fluxplaneregister"))
        .await
        .expect(201);
    let [seen] = gateway.world.seen("submit_app").try_into().unwrap();
    assert!(
        seen.request.contains("fluxplaneregister"),
        "{}",
        seen.request
    );
    let update = gateway
        .as_(&session, Method::PUT, "/v1/apps/demo")
        .header("if-match", "\"7\"")
        .json(&message("fluxplaneupdate"));
    send(update).await.expect(200);
    let [seen] = gateway.world.seen("update_app").try_into().unwrap();
    assert!(seen.request.contains("fluxplaneupdate"), "{}", seen.request);
    let unknown = gateway
        .post_as(&session, "/v1/apps", "k2", message("fluxplaneremove"))
        .await;
    assert_eq!(unknown.status, 400, "{}", unknown.body);
}

#[tokio::test]
async fn a_quote_by_the_plane_s_own_list_names_no_blocks_and_no_minimum_of_fluxos() {
    let (gateway, session) = with_quote().await;
    {
        let mut state = gateway.world.state();
        let quote = state.quotes.last_mut().unwrap();
        (quote.term_blocks, quote.network_minimum) = (None, None);
    }
    let path = format!("/v1/quotes/{}", peers::uuid(peers::QUOTE));
    let quote = gateway.get_as(&session, &path).await.expect(200).body;
    assert_eq!(
        (&quote["term_blocks"], &quote["network_minimum"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(quote["term_seconds"], 2_640_000);
}

#[tokio::test]
async fn nothing_is_due_on_the_chain_when_the_balance_pays() {
    let (gateway, session) = with_quote().await;
    let body = submission("fluxappregister", "balance");
    let answer = gateway
        .post_as(&session, "/v1/apps", "k", body)
        .await
        .expect(201);
    assert_eq!(answer.body["payment"], Value::Null);
}

#[tokio::test]
async fn a_quote_of_another_owner_cannot_be_used() {
    let (gateway, _) = with_quote().await;
    let other = gateway.sign_in(&Wallet::bitcoin(2)).await;
    let body = submission("fluxappregister", "chain_payment");
    let refused = gateway
        .post_as(&other, "/v1/apps", "k", body)
        .await
        .expect(409);
    assert_eq!(refused.code(), "quote-invalid");
    assert_eq!(refused.body["violations"][0]["field"], "quote_id");
    assert!(gateway.world.seen("submit_app").is_empty());
    let path = format!("/v1/quotes/{}", peers::uuid(peers::QUOTE));
    assert_eq!(
        gateway.get_as(&other, &path).await.expect(404).code(),
        "not-found"
    );
}

#[tokio::test]
async fn what_the_scheduler_refuses_arrives_with_its_fields() {
    let (gateway, session) = with_quote().await;
    let violations = vec![
        Violation::new(
            "spec.compose[0].cpu",
            "0.05",
            "cpu is at least 0.1",
            "use 0.1",
        ),
        Violation::new("signature", "c2ln", "65 bytes", "sign again"),
    ];
    let status = peers::refusal(
        ErrorKind::Invalid,
        Reason::SpecInvalid,
        "2 rules are broken",
        violations,
    );
    gateway.world.refuse("submit_app", status);
    let body = submission("fluxappregister", "chain_payment");
    let refused = gateway
        .post_as(&session, "/v1/apps", "k", body)
        .await
        .expect(400);
    assert_eq!(refused.code(), "spec-invalid");
    assert_eq!(
        refused.body["violations"][0]["field"],
        "registration.spec.compose[0].cpu"
    );
    assert_eq!(
        refused.body["violations"][1]["field"],
        "registration.signature"
    );
}

#[tokio::test]
async fn a_reused_key_and_missing_money_have_their_own_statuses() {
    let (gateway, session) = with_quote().await;
    let body = submission("fluxappregister", "balance");
    for (kind, reason, status) in [
        (ErrorKind::Invalid, Reason::IdempotencyKeyReused, 422),
        (ErrorKind::PaymentRequired, Reason::PaymentRequired, 402),
        (ErrorKind::AlreadyExists, Reason::NameTaken, 409),
    ] {
        gateway
            .world
            .refuse("submit_app", peers::refusal(kind, reason, "no", Vec::new()));
        let refused = gateway
            .post_as(&session, "/v1/apps", "k", body.clone())
            .await
            .expect(status);
        assert_eq!(refused.code(), reason.code());
    }
}

#[tokio::test]
async fn a_client_that_has_the_version_gets_no_body() {
    let (gateway, session) = with_app().await;
    let answer = gateway.get_as(&session, "/v1/apps/demo").await.expect(200);
    assert_eq!(
        (answer.header("etag"), &answer.body["version"]),
        ("\"7\"", &json!(7))
    );
    assert_eq!(answer.body["current"]["spec"]["name"], "demo");
    let request = gateway.as_(&session, Method::GET, "/v1/apps/demo");
    let known = send(request.header("if-none-match", "\"7\""))
        .await
        .expect(304);
    assert_eq!((known.header("etag"), &known.body), ("\"7\"", &Value::Null));
    let request = gateway.as_(&session, Method::GET, "/v1/apps/demo");
    send(request.header("if-none-match", "\"6\""))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_change_names_the_version_it_is_about() {
    let (gateway, session) = with_app().await;
    for method in [Method::PUT, Method::DELETE] {
        let missing = change(&gateway, &session, method.clone(), None)
            .await
            .expect(428);
        assert_eq!(missing.code(), "if-match-missing");
        let stale = change(&gateway, &session, method.clone(), Some("\"6\""))
            .await
            .expect(412);
        assert_eq!(stale.code(), "stale-version");
        change(&gateway, &session, method.clone(), Some("7"))
            .await
            .expect(400);
        let changed = change(&gateway, &session, method, Some("\"7\""))
            .await
            .expect(200);
        assert_eq!(changed.header("etag"), "\"8\"");
    }
}

#[tokio::test]
async fn the_same_change_carries_the_same_key_and_another_change_another() {
    let (gateway, session) = with_app().await;
    for if_match in ["\"7\"", "\"7\"", "\"6\""] {
        change(&gateway, &session, Method::DELETE, Some(if_match)).await;
    }
    let seen = gateway.world.seen("cancel_app");
    assert_eq!(seen[0].key, seen[1].key);
    assert_ne!(seen[0].key, seen[2].key);
    let request = gateway.as_(&session, Method::DELETE, "/v1/apps/demo");
    send(
        request
            .header("if-match", "\"7\"")
            .header("idempotency-key", "mine"),
    )
    .await;
    assert_eq!(gateway.world.seen("cancel_app")[3].key, "mine");
}

#[tokio::test]
async fn what_is_anothers_does_not_exist() {
    let (gateway, owner) = with_app().await;
    gateway
        .world
        .state()
        .instances
        .push(peers::instance(30, Some(40)));
    let other = gateway.sign_in(&Wallet::bitcoin(2)).await;
    let instance = format!("/v1/apps/demo/instances/{}", peers::uuid(30));
    for path in [
        "/v1/apps/demo",
        "/v1/apps/demo/instances",
        "/v1/apps/demo/timeline",
        "/v1/apps/demo/events",
        &format!("{instance}/logs"),
        &format!("{instance}/decision"),
    ] {
        let answer = gateway.get_as(&other, path).await.expect(404);
        assert_eq!(answer.code(), "not-found", "{path}");
    }
    assert!(gateway.world.seen("stream_logs").is_empty());
    assert!(gateway.world.seen("get_decision").is_empty());
    assert_eq!(
        gateway.get_as(&other, "/v1/apps").await.expect(200).body["items"],
        json!([])
    );
    gateway
        .get_as(&owner, &format!("{instance}/decision"))
        .await
        .expect(200);
}

#[tokio::test]
async fn an_instance_belongs_to_the_application_in_the_path() {
    let (gateway, session) = with_app().await;
    let path = format!("/v1/apps/demo/instances/{}/decision", peers::uuid(31));
    let answer = gateway.get_as(&session, &path).await.expect(404);
    assert!(
        answer.body["detail"]
            .as_str()
            .unwrap()
            .contains("no instance"),
        "{}",
        answer.body
    );
    let wrong = gateway
        .get_as(&session, "/v1/apps/demo/instances/x/decision")
        .await
        .expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "instance_id");
}

#[tokio::test]
async fn instances_and_decisions_are_shown() {
    let (gateway, session) = with_app().await;
    let instances = vec![peers::instance(30, Some(40)), peers::instance(31, None)];
    gateway.world.state().instances = instances;
    let list = gateway
        .get_as(&session, "/v1/apps/demo/instances")
        .await
        .expect(200);
    insta::assert_json_snapshot!("instances", list.body);
    let path = format!("/v1/apps/demo/instances/{}/decision", peers::uuid(30));
    let decision = gateway.get_as(&session, &path).await.expect(200);
    insta::assert_json_snapshot!("decision", decision.body);
}

#[tokio::test]
async fn pages_lead_to_each_other_and_leave_specifications_out() {
    let (gateway, session) = with_app().await;
    for name in ["second", "third"] {
        let mut app = peers::app(&session.principal, name);
        // The scheduler may leave out of a list what the list does not show.
        app.current.as_mut().unwrap().spec_json.clear();
        gateway.world.state().apps.push(app);
    }
    let first = gateway
        .get_as(&session, "/v1/apps?page_size=2")
        .await
        .expect(200);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = gateway
        .get_as(&session, &format!("/v1/apps?page_size=2&cursor={cursor}"))
        .await;
    let second = second.expect(200);
    let names = |page: &Answer| {
        let items = page.body["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|app| app["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&first), names(&second)),
        (
            vec!["demo".into(), "second".into()],
            vec!["third".to_owned()]
        )
    );
    assert_eq!(second.body["next_cursor"], Value::Null);
    assert_eq!(first.body["items"][0]["current"].get("spec"), None);
}

#[tokio::test]
async fn a_timeline_is_read_page_by_page() {
    let (gateway, session) = with_app().await;
    for stage in ["accepted", "funded", "placed"] {
        gateway.world.happen(stage);
    }
    let first = gateway
        .get_as(&session, "/v1/apps/demo/timeline?page_size=2")
        .await
        .expect(200);
    assert_eq!(first.body["next_cursor"], "2");
    let rest = gateway
        .get_as(&session, "/v1/apps/demo/timeline?cursor=2")
        .await
        .expect(200);
    assert_eq!(rest.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest.body["items"][0]["stage"], "placed");
    assert_eq!(rest.body["next_cursor"], Value::Null);
    let wrong = gateway
        .get_as(&session, "/v1/apps/demo/timeline?cursor=x")
        .await
        .expect(400);
    assert_eq!(wrong.body["violations"][0]["field"], "cursor");
}
