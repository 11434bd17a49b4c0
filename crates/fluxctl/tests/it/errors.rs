//! Refusals: exit codes, and what people and programs read.

use serde_json::json;

use crate::support::{Cli, Plane};

#[tokio::test]
async fn every_kind_of_refusal_has_its_exit_code() {
    let plane = Plane::start().await;
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    for (number, (status, code, exit)) in [
        (400, "invalid-request", 1),
        (403, "forbidden", 1),
        (402, "payment-required", 5),
        (404, "not-found", 4),
        (409, "name-taken", 1),
        (412, "stale-version", 1),
        (422, "idempotency-key-reused", 1),
        (429, "rate-limited", 6),
        (500, "internal", 1),
        (503, "unavailable", 6),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("app{number}");
        plane.refuses(&format!("GET /v1/apps/{name}"), status, code, "because");
        let run = cli.run(&["apps", &name, "-o", "json"]).await;
        let error = run.error();
        assert_eq!(
            (run.code, &error["code"], &error["status"]),
            (exit, &json!(code), &json!(status))
        );
        assert_eq!(error["exit_code"], exit);
        assert!(run.stdout.is_empty());
    }
}

#[tokio::test]
async fn people_read_field_value_rule_and_remedy() {
    let plane = Plane::start().await;
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    let problem = json!({
        "type": "/docs/errors#spec-invalid", "title": "Spec invalid", "status": 400,
        "detail": "2 things must be changed", "code": "spec-invalid",
        "request_id": "0198c0de-7e57-7000-8000-0000000000ff",
        "violations": [
            { "field": "spec.compose[0].cpu", "value": "-5", "rule": "cpu is a multiple of 0.1 from 0.1 to 15",
              "remedy": "write 0.1" },
            { "field": "spec.owner", "value": "nobody", "rule": "an owner is a wallet address",
              "remedy": "write your FluxID or 0x address" },
        ],
        "retry_after": null,
    });
    plane.answers("GET /v1/account", 400, problem);
    let people = cli.run(&["account"]).await;
    insta::assert_snapshot!(people.screen());
    let programs = cli.run(&["account", "-o", "json"]).await.error();
    assert_eq!(programs["violations"][0]["field"], "spec.compose[0].cpu");
    assert_eq!(
        programs["request_id"],
        "0198c0de-7e57-7000-8000-0000000000ff"
    );
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_under_the_same_key() {
    use crate::support::sample;
    let plane = Plane::start().await;
    let cli = Cli::new(Some(&plane.url));
    let (key, _) = cli.signed_in().await;
    let owner = key.flux_id().to_string();
    plane
        .refuses("POST /v1/quotes", 503, "unavailable", "billing is away")
        .answers("POST /v1/quotes", 502, json!("a proxy's own page"))
        .answers("POST /v1/quotes", 201, sample::quote(&owner));
    let file = cli.file("spec.json", sample::spec(&owner, 3));
    let run = cli.run(&["quote", "-f", &file, "-o", "json"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let keys: Vec<String> = plane
        .seen_of("POST /v1/quotes")
        .iter()
        .map(|seen| seen.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn whoever_is_not_there_is_unavailable() {
    // A port that was free a moment ago, and on which nobody listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let run = Cli::new(Some(&url))
        .run(&["chain", "status", "-o", "json"])
        .await;
    assert_eq!((run.code, &run.error()["code"]), (6, &json!("unreachable")));
    assert!(run.error()["detail"].as_str().unwrap().starts_with(&url));
}

#[tokio::test]
async fn whoever_is_no_plane_is_told_apart() {
    let plane = Plane::start().await;
    plane.sends(
        "GET /v1/chain/status",
        "text/html",
        "<html>welcome</html>".to_owned(),
    );
    let run = Cli::new(Some(&plane.url))
        .run(&["chain", "status", "-o", "json"])
        .await;
    assert_eq!(
        (run.code, &run.error()["code"]),
        (1, &json!("foreign-answer"))
    );
}

#[tokio::test]
async fn wrong_arguments_are_usage() {
    let cli = Cli::new(None);
    for arguments in [
        &["nonsense"][..],
        &["deploy"],
        &["logs", "shop", "--tail", "10001"],
        &["--server", "ftp://x", "apps"],
        &["chain", "payments", "short"],
        &[
            "wallet",
            "pay",
            "--key-file",
            "x",
            "--to",
            "t1",
            "--amount",
            "1",
        ],
        &["epoch", "show", "0"],
        &["apps", "-o", "yaml"],
    ] {
        let run = cli.run(arguments).await;
        assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
        assert!(run.stdout.is_empty() && !run.stderr.is_empty());
    }
    let missing = cli
        .run(&["quote", "-f", "missing.json", "-o", "json"])
        .await;
    assert_eq!(
        (missing.code, &missing.error()["code"]),
        (2, &json!("file"))
    );
}

#[tokio::test]
async fn a_profile_file_that_is_none_is_named() {
    let cli = Cli::new(None);
    std::fs::create_dir_all(cli.config()).unwrap();
    std::fs::write(cli.config().join("config.json"), "{").unwrap();
    let run = cli.run(&["apps"]).await;
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("config.json"), "{}", run.stderr);
}

#[tokio::test]
async fn nothing_is_coloured_without_a_terminal() {
    let run = Cli::new(None).run(&["nonsense"]).await;
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
    let progress = Cli::new(None)
        .run(&["--progress", "spec", "init", "--name", "a", "--owner", "x"])
        .await;
    assert!(!progress.stderr.contains('\u{1b}'), "{}", progress.stderr);
}
