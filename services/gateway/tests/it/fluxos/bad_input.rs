//! Bodies nobody can mean: an error in the envelope, and nothing stored.

use reqwest::Method;
use serde_json::json;

use super::support::{message, spec};
use crate::{
    support::{send, start, start_with},
    wallets::Wallet,
};

const POSTS: [&str; 7] = [
    "/id/verifylogin",
    "/apps/verifyappregistrationspecifications",
    "/apps/verifyappupdatespecifications",
    "/apps/calculateprice",
    "/apps/calculatefiatandfluxprice",
    "/apps/appregister",
    "/apps/appupdate",
];

#[tokio::test]
async fn a_body_without_end_is_refused_with_its_status_in_the_envelope() {
    let gateway = start().await;
    let client = gateway.log_in(&Wallet::bitcoin(1)).await;
    for path in POSTS {
        let body = vec![b' '; 256 * 1_024 + 1];
        let answer = send(gateway.call(&client, path).body(body)).await;
        assert_eq!(answer.status, 413, "{path}");
        assert_eq!(answer.body["status"], "error");
        assert_eq!(answer.body["data"]["code"], 413, "{}", answer.body);
        let chunks =
            futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1_024]));
        let body = reqwest::Body::wrap_stream(futures::StreamExt::take(chunks, 5));
        let answer = send(gateway.call(&client, path).body(body)).await;
        assert_eq!(answer.status, 413, "{path}");
        assert_eq!(answer.body["status"], "error");
    }
    nothing_was_asked(&gateway);
}

#[tokio::test]
async fn repeated_keys_and_broken_text_are_refused_everywhere() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let good = message(
        &wallet,
        "fluxappregister",
        &spec(&wallet.address(), "shop"),
        gateway.now_ms(),
    )
    .to_string();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let bodies: [Vec<u8>; 5] = [
        good.replacen("\"instances\":3", "\"instances\":3,\"instances\":3", 1)
            .into(),
        good.replacen("\"version\":1", "\"version\":1,\"version\":1", 1)
            .into(),
        b"{\"name\":\"\xff\xfe\"}".to_vec(),
        deep.into(),
        b"zelid=1a&zelid=1b".to_vec(),
    ];
    for path in POSTS {
        for body in &bodies {
            let answer = send(gateway.call(&client, path).body(body.clone())).await;
            let text = answer.error();
            let named = ["twice", "UTF-8", "levels"];
            assert!(
                named.iter().any(|part| text.contains(part)),
                "{path}: {text}"
            );
        }
    }
    nothing_was_asked(&gateway);
}

#[tokio::test]
async fn a_specification_inside_a_text_is_read_as_strictly() {
    let gateway = start().await;
    let wallet = Wallet::bitcoin(1);
    let client = gateway.log_in(&wallet).await;
    let spec = spec(&wallet.address(), "shop");
    let mut message = message(&wallet, "fluxappregister", &spec, gateway.now_ms());
    let twice = spec.to_string().replacen(
        "\"staticip\":false",
        "\"staticip\":false,\"staticip\":true",
        1,
    );
    message["appSpecification"] = json!(twice);
    let text = gateway
        .submit(&client, "/apps/appregister", &message)
        .await
        .error();
    assert!(text.contains("staticip is given twice"), "{text}");
    nothing_was_asked(&gateway);
}

#[tokio::test]
async fn what_is_no_json_is_read_as_a_form_and_is_incomplete() {
    let gateway = start().await;
    let client = gateway.log_in(&Wallet::bitcoin(1)).await;
    for body in ["", "{", "[]", "null", "7", "hello", "a=b"] {
        let answer = send(gateway.call(&client, "/apps/appregister").body(body)).await;
        let text = answer.error();
        assert!(text.starts_with("Incomplete message received."), "{text}");
    }
    nothing_was_asked(&gateway);
}

#[tokio::test]
async fn parameters_are_bounded() {
    let gateway = start().await;
    let long = "x".repeat(300);
    let text = gateway.get(&format!("/apps/location/{long}")).await.error();
    assert!(text.contains("at most 256"), "{text}");
    let answer = gateway.get("/apps/location/%ff").await;
    assert_eq!(answer.body["status"], "error");
}

#[tokio::test]
async fn whoever_asks_too_fast_hears_it_in_the_envelope() {
    let few = fluxplane_gateway::config::Rate {
        per_second: std::num::NonZeroU32::new(1).unwrap(),
        burst: std::num::NonZeroU32::new(2).unwrap(),
    };
    let gateway = start_with(|config, _| config.limits.per_ip = few).await;
    gateway.get("/flux/version").await.data();
    gateway.get("/flux/version").await.data();
    let answer = gateway.get("/flux/version").await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.body["data"]["code"], 429);
    assert_ne!(answer.header("retry-after"), "");
    assert_eq!(answer.header("ratelimit-remaining"), "0");
}

#[tokio::test]
async fn a_panic_is_an_error_in_the_envelope() {
    let gateway = start().await;
    gateway.ids.panic_at(2);
    let answer = send(gateway.request(Method::POST, "/id/verifylogin")).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.body["status"], "error");
}

fn nothing_was_asked(gateway: &crate::support::Running) {
    for method in ["create_quote", "submit_app", "update_app"] {
        assert!(gateway.world.seen(method).is_empty(), "{method}");
    }
}
