//! `/v1/specs:check` and `/v1/specs:convert`: both kinds, both verdicts, JSON and YAML.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    fluxos::support::{canonical, spec},
    support::{Answer, Running, send, start},
    wallets::Wallet,
};

const NATIVE: &str = "schema: fluxplane/v1
name: shop
owner: OWNER
components:
  web:
    image: nginx:1.27
    resources: { cpu: 500m, memory: 512Mi, disk: 5Gi }
    ports:
      - { name: http, container: 80, host: 31000 }
";

async fn post(gateway: &Running, path: &str, media_type: &str, body: String) -> Answer {
    let request = gateway.request(Method::POST, path);
    send(request.header("content-type", media_type).body(body)).await
}

/// What a template of the specification says, which is always good.
fn native(owner: &str) -> String {
    fluxplane_app_spec::native::Template::Web.document("shop", owner)
}

#[tokio::test]
async fn a_fluxos_specification_gets_both_verdicts() {
    let gateway = start().await;
    let id = Wallet::bitcoin(1).address();
    let good = spec(&id, "shop");
    let answer = post(
        &gateway,
        "/v1/specs:check",
        "application/json",
        good.to_string(),
    )
    .await
    .expect(200);
    assert_eq!(answer.body["kind"], "fluxos");
    assert_eq!(answer.body["accepted"], true, "{}", answer.body);
    assert_eq!(answer.body["fluxos"]["accepted"], true);
    assert_eq!(answer.body["canonical"], canonical(&good));
    assert_eq!(answer.body["findings"], json!([]));

    let mut lenient = good.clone();
    lenient["compose"][0]["cpu"] = json!(-5);
    let answer = post(
        &gateway,
        "/v1/specs:check",
        "application/json",
        lenient.to_string(),
    )
    .await
    .expect(200);
    assert_eq!(answer.body["accepted"], false);
    assert_eq!(answer.body["fluxos"]["accepted"], true, "FluxOS takes it");
    assert_eq!(answer.body["findings"][0]["field"], "compose[0].cpu");

    let mut refused = good;
    refused["name"] = json!("fluxshop");
    let answer = post(
        &gateway,
        "/v1/specs:check",
        "application/json",
        refused.to_string(),
    )
    .await
    .expect(200);
    assert_eq!(answer.body["fluxos"]["accepted"], false);
    assert_eq!(
        answer.body["fluxos"]["error"],
        "Flux App name can not start with flux"
    );
}

#[tokio::test]
async fn a_native_specification_gets_both_verdicts_in_yaml_and_json() {
    let gateway = start().await;
    let yaml = native(&Wallet::bitcoin(1).address());
    let checked = post(
        &gateway,
        "/v1/specs:check",
        "application/yaml",
        yaml.clone(),
    )
    .await
    .expect(200);
    assert_eq!(checked.body["kind"], "native");
    assert_eq!(checked.body["accepted"], true, "{}", checked.body);
    let canonical = checked.body["canonical"].as_str().unwrap().to_owned();
    let again = post(
        &gateway,
        "/v1/specs:check",
        "application/json; charset=utf-8",
        canonical,
    )
    .await
    .expect(200);
    assert_eq!(again.body["sha256"], checked.body["sha256"]);
    assert_eq!(again.body["canonical"], checked.body["canonical"]);
    let said = &checked.body["fluxos"];
    let explained = said["accepted"] == true || said["error"].is_string();
    assert!(explained, "{said}");

    let wrong = format!("{yaml}\nname: shop\n");
    let answer = post(&gateway, "/v1/specs:check", "text/yaml", wrong).await;
    assert_eq!(answer.body["accepted"], false);
    let text = answer.body["findings"].to_string();
    assert!(text.contains("once"), "{text}");
}

#[tokio::test]
async fn what_the_plane_does_not_do_yet_is_a_finding_of_a_good_document() {
    let gateway = start().await;
    let owner = Wallet::bitcoin(1).address();
    let gpu = fluxplane_app_spec::native::Template::Gpu.document("training", &owner);
    let answer = post(&gateway, "/v1/specs:check", "application/yaml", gpu).await;
    let body = answer.expect(200).body;
    assert_eq!(body["accepted"], false, "{body}");
    assert_eq!(
        body["sha256"].as_str().unwrap().len(),
        64,
        "it can be signed all the same"
    );
    let findings = body["findings"].as_array().unwrap();
    let fields: Vec<&str> = findings
        .iter()
        .map(|finding| finding["field"].as_str().unwrap())
        .collect();
    for field in ["job", "components.trainer.gpu.count"] {
        assert!(fields.contains(&field), "{fields:?}");
    }
    assert!(
        findings
            .iter()
            .all(|finding| finding["code"] == "not-served")
    );
}

#[tokio::test]
async fn a_fluxos_specification_in_yaml_is_the_same_as_in_json() {
    let gateway = start().await;
    let spec = spec(&Wallet::bitcoin(1).address(), "shop");
    // A list of flow style is YAML and, without its first brace, no JSON.
    let lines = spec.as_object().unwrap().iter();
    let lines: Vec<String> = lines
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    let yaml = lines.join("\n");
    let answer = post(&gateway, "/v1/specs:check", "application/yaml", yaml)
        .await
        .expect(200);
    assert_eq!(answer.body["kind"], "fluxos", "{}", answer.body);
    assert_eq!(answer.body["canonical"], canonical(&spec));
}

#[tokio::test]
async fn conversions_go_both_ways_without_loss() {
    let gateway = start().await;
    let spec = spec(&Wallet::bitcoin(1).address(), "shop");
    let native = post(
        &gateway,
        "/v1/specs:convert",
        "application/json",
        spec.to_string(),
    )
    .await
    .expect(200);
    assert_eq!(native.body["kind"], "native");
    assert_eq!(native.body["spec"]["schema"], "fluxplane/v1");
    for path in ["/v1/specs:convert?to=legacy", "/v1/specs:convert"] {
        let body = native.body["spec"].to_string();
        let back = post(&gateway, path, "application/json", body)
            .await
            .expect(200);
        assert_eq!(back.body["kind"], "fluxos");
        assert_eq!(back.body["spec"], spec, "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_converted_is_named_by_its_path() {
    let gateway = start().await;
    let yaml = native(&Wallet::bitcoin(1).address());
    let legacy = "/v1/specs:convert?to=legacy";
    let answer = post(&gateway, legacy, "application/yaml", yaml)
        .await
        .expect(400);
    assert_eq!(answer.code(), "spec-invalid");
    assert_eq!(answer.body["violations"][0]["field"], "legacy");
    for (media_type, body, status) in [
        ("application/json", "{".to_owned(), 400),
        ("application/json", r#"{"a":1,"a":2}"#.to_owned(), 400),
        ("application/yaml", NATIVE.replace("schema", "schem"), 400),
        ("text/plain", "{}".to_owned(), 415),
    ] {
        let answer = post(&gateway, "/v1/specs:convert", media_type, body).await;
        let answer = answer.expect(status);
        for violation in answer.body["violations"].as_array().unwrap() {
            for part in ["field", "rule", "remedy"] {
                assert_ne!(violation[part], Value::Null, "{violation}");
                assert_ne!(violation[part], "", "{violation}");
            }
        }
    }
    let answer = post(
        &gateway,
        "/v1/specs:convert?to=v9",
        "application/json",
        "{}".to_owned(),
    )
    .await
    .expect(400);
    assert_eq!(answer.body["violations"][0]["field"], "to");
}
