//! `/id/loginphrase`, `/id/verifylogin`, and the header `zelidauth`.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{message, spec};
use crate::{
    support::{Running, send, start, start_with},
    wallets::Wallet,
};

const UNAUTHORIZED: &str = "Unauthorized. Access denied.";

/// As `qs.stringify` writes it.
fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

async fn phrase(gateway: &Running) -> String {
    let data = gateway.get("/id/loginphrase").await.data();
    data.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_phrase_is_signed_and_gives_a_session_with_the_fields_of_fluxos() {
    let admin = Wallet::bitcoin(2);
    let address = admin.address();
    let gateway = start_with(|config, _| config.rest.admins = vec![address]).await;
    for (wallet, privilage) in [(Wallet::bitcoin(1), "user"), (admin, "admin")] {
        let phrase = phrase(&gateway).await;
        assert!((40..=70).contains(&phrase.len()), "{phrase}");
        assert!(
            phrase.starts_with(&gateway.now_ms().to_string()),
            "{phrase}"
        );
        let signature = wallet.sign(&phrase);
        let login =
            json!({ "zelid": wallet.address(), "signature": signature, "loginPhrase": phrase });
        let answer = gateway
            .post_text("/id/verifylogin", login.to_string())
            .await;
        let text = answer.body.to_string();
        let data = answer.data();
        let fields: Vec<&String> = data.as_object().unwrap().keys().collect();
        assert_eq!(fields.len(), 7, "{text}");
        assert_eq!(data["message"], "Successfully logged in");
        assert_eq!(data["zelid"], wallet.address());
        assert_eq!(data["loginPhrase"], phrase);
        assert_eq!(data["signature"], signature);
        assert_eq!(data["privilage"], privilage);
        let time = |name: &str| {
            chrono::DateTime::parse_from_rfc3339(data[name].as_str().unwrap()).unwrap()
        };
        assert_eq!(
            (time("expireAt") - time("createdAt")).num_days(),
            14,
            "{data}"
        );
    }
    assert!(gateway.metric("sessions_total{kind=\"fluxos_opened\"}") == Some(2.0));
}

#[tokio::test]
async fn other_names_forms_and_wallets_are_taken_as_fluxos_takes_them() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let phrase_1 = phrase(&gateway).await;
    let other_names = json!({ "address": wallet.address(), "signature": wallet.sign(&phrase_1), "message": phrase_1 });
    gateway
        .post_text("/id/verifylogin", other_names.to_string())
        .await
        .data();

    let phrase_2 = phrase(&gateway).await;
    let signature = wallet.sign(&phrase_2);
    let form = form(&[
        ("zelid", &wallet.address()),
        ("signature", &signature),
        ("loginPhrase", &phrase_2),
    ]);
    gateway.post_text("/zelid/verifylogin", form).await.data();

    let wallet = Wallet::ethereum(3);
    let phrase_3 = phrase(&gateway).await;
    let lower = wallet.address().to_lowercase();
    let ethereum =
        json!({ "zelid": lower, "signature": wallet.sign(&phrase_3), "loginPhrase": phrase_3 });
    let data = gateway
        .post_text("/id/verifylogin", ethereum.to_string())
        .await
        .data();
    assert_eq!(data["zelid"], lower, "as the client wrote it");
}

#[tokio::test]
async fn a_login_is_refused_in_the_words_of_fluxos() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let id = wallet.address();
    let fresh = phrase(&gateway).await;
    let now = gateway.now_ms();
    let strange = format!("{now}{}", "z".repeat(32));
    let old = format!("{}{}", now - 900_001, "z".repeat(32));
    for (body, text) in [
        (json!({}), "No Flux ID is specified"),
        (json!({ "zelid": "t1abc" }), "Flux ID is not valid"),
        (json!({ "zelid": "1abc" }), "Flux ID is not valid"),
        (json!({ "zelid": "0x12" }), "Flux ID is not valid"),
        (json!({ "zelid": id }), "No message is specified"),
        (
            json!({ "zelid": id, "loginPhrase": "short" }),
            "Signed message is not valid",
        ),
        (
            json!({ "zelid": id, "loginPhrase": old }),
            "Signed message is not valid",
        ),
        (
            json!({ "zelid": id, "loginPhrase": fresh }),
            "No signature is specified",
        ),
        (
            json!({ "zelid": id, "loginPhrase": strange, "signature": wallet.sign(&strange) }),
            "Signed message is no longer valid. Please request a new one.",
        ),
        (
            json!({ "zelid": id, "loginPhrase": fresh, "signature": "no" }),
            "Invalid signature",
        ),
        (
            json!({ "zelid": id, "loginPhrase": fresh, "signature": Wallet::bitcoin(9).sign(&fresh) }),
            "Invalid signature",
        ),
    ] {
        let answer = gateway.post_text("/id/verifylogin", body.to_string()).await;
        assert_eq!(answer.body["data"]["name"], "Error");
        assert_eq!(answer.error(), text, "{body}");
    }
    // A wrong signature leaves the phrase, a right one takes it.
    let login = json!({ "zelid": id, "loginPhrase": fresh, "signature": wallet.sign(&fresh) });
    gateway
        .post_text("/id/verifylogin", login.to_string())
        .await
        .data();
    assert_eq!(
        gateway
            .post_text("/id/verifylogin", login.to_string())
            .await
            .error(),
        "Signed message is no longer valid. Please request a new one."
    );
}

#[tokio::test]
async fn a_login_goes_with_every_request_and_only_the_one_that_was_verified_counts() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let spec = spec(&wallet.address(), "shop");
    let message = message(&wallet, "fluxappregister", &spec, gateway.now_ms());
    // What FluxOS would take from anybody who holds a fresh signature.
    let phrase = phrase(&gateway).await;
    let never_verified = json!({ "zelid": wallet.address(), "signature": wallet.sign(&phrase), "loginPhrase": phrase });
    let login: Value = serde_json::from_str(&client.auth).unwrap();
    let mut other = login.clone();
    other["zelid"] = json!(Wallet::bitcoin(2).address());
    for auth in [
        String::new(),
        "nonsense".to_owned(),
        never_verified.to_string(),
        other.to_string(),
        format!("Bearer {}", gateway.sign_in(&wallet).await.access),
    ] {
        let request = gateway
            .request(Method::POST, "/apps/appregister")
            .header("zelidauth", &auth);
        let answer = send(request.body(message.to_string())).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("www-authenticate"), "");
        assert_eq!(
            answer.body,
            json!({ "status": "error", "data": { "code": 401, "name": "Unauthorized", "message": UNAUTHORIZED } }),
            "{auth}"
        );
    }
    assert!(gateway.world.seen("submit_app").is_empty());
    let part = |name: &str| login[name].as_str().unwrap().to_owned();
    let query = form(&[
        ("zelid", &part("zelid")),
        ("signature", &part("signature")),
        ("loginPhrase", &part("loginPhrase")),
    ]);
    let request = gateway
        .request(Method::POST, "/apps/appregister")
        .header("zelidauth", query);
    send(request.body(message.to_string())).await.data();
}

#[tokio::test]
async fn a_login_ends_after_fourteen_days() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let day = Duration::from_hours(24);
    gateway.clock.advance(13 * day + Duration::from_hours(23));
    let answer = gateway
        .submit(&client, "/apps/appregister", &json!({}))
        .await;
    assert!(answer.error().starts_with("Incomplete message"));
    gateway.clock.advance(Duration::from_hours(1));
    let answer = gateway
        .submit(&client, "/apps/appregister", &json!({}))
        .await;
    assert_eq!(answer.error(), UNAUTHORIZED);
}

#[tokio::test]
async fn nothing_of_a_login_is_kept_in_the_clear() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let login: Value = serde_json::from_str(&client.auth).unwrap();
    let rows = sqlx::query_scalar!(
        r#"SELECT (t.*)::text AS "row!" FROM session_token t UNION ALL SELECT (a.*)::text FROM audit a
           UNION ALL SELECT (p.*)::text FROM login_phrase p"#
    )
    .fetch_all(&gateway.db.pool)
    .await
    .unwrap();
    assert!(rows.len() >= 2, "{rows:?}");
    for secret in ["signature", "loginPhrase"] {
        let secret = login[secret].as_str().unwrap();
        assert!(
            rows.iter().all(|row| !row.contains(secret)),
            "{secret}: {rows:?}"
        );
    }
}
