//! Looking after the plane.

use fluxplane_pricing::native::{Policy, RateStatement, SignedStatement};
use serde_json::json;

use crate::support::{Cli, Plane, cli::mode, sample::usd, settlement::Settled};

#[tokio::test]
async fn root_keys_are_added_used_removed_and_never_shown() {
    let cli = Cli::new(None);
    let path = cli.path("root-keys");
    let file = path.to_str().unwrap();
    let keys = async |arguments: &[&str]| {
        let arguments = [
            &["admin", "root-keys"],
            arguments,
            &["--file", file, "-o", "json"],
        ];
        cli.run(&arguments.concat()).await
    };
    let versions = |active: u32, versions: &[u32]| json!({ "file": file, "wraps": active, "versions": versions });
    assert_eq!(keys(&["add"]).await.json(), versions(1, &[1]));
    assert_eq!(keys(&["add"]).await.json(), versions(1, &[1, 2]));
    assert_eq!(keys(&["use", "2"]).await.json(), versions(2, &[2, 1]));
    assert_eq!(keys(&["remove", "2"]).await.code, 1, "what wraps stays");
    assert_eq!(keys(&["use", "9"]).await.code, 1);
    let text = std::fs::read_to_string(&path).unwrap();
    let listed = keys(&["list"]).await;
    assert_eq!(listed.json(), versions(2, &[2, 1]));
    for key in text.lines().filter_map(|line| line.split_once(' ')) {
        assert!(!format!("{listed:?}").contains(key.1));
    }
    assert_eq!(keys(&["remove", "1"]).await.json(), versions(2, &[2]));
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn identities_are_made_once() {
    let cli = Cli::new(None);
    let dir = cli.path("pki");
    let run = cli
        .run(&[
            "admin",
            "pki",
            "init",
            "--dir",
            &dir.display().to_string(),
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let services = run.json()["services"].clone();
    assert!(
        services.as_array().unwrap().contains(&json!("gateway")),
        "{services}"
    );
    for service in services.as_array().unwrap() {
        let name = service.as_str().unwrap();
        assert!(dir.join(format!("{name}.pem")).exists(), "{name}");
        assert_eq!(mode(&dir.join(format!("{name}.key"))), 0o600);
    }
    let before = std::fs::read(dir.join("ca.pem")).unwrap();
    let again = cli
        .run(&[
            "admin",
            "pki",
            "init",
            "--dir",
            &dir.display().to_string(),
            "--service",
            "extra",
        ])
        .await;
    assert_eq!(again.code, 0);
    assert!(dir.join("extra.pem").exists());
    assert_eq!(std::fs::read(dir.join("ca.pem")).unwrap(), before);
    assert_eq!(
        cli.run(&["admin", "pki", "init", "--dir", "x", "--service", "../y"])
            .await
            .code,
        2
    );
}

#[tokio::test]
async fn an_epoch_is_closed_under_a_key() {
    let plane = Plane::start().await;
    let settled = Settled::new(1, 1, fluxplane_ledger::settlement::Hash32::ZERO);
    plane.says("POST /v1/epochs:close", settled.epoch(None));
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    let run = cli.run(&["admin", "close-epoch", "-o", "json"]).await;
    assert_eq!((run.code, &run.json()["number"]), (0, &json!(1)));
    assert!(
        plane.seen_of("POST /v1/epochs:close")[0]
            .header("idempotency-key")
            .is_some()
    );
    plane.refuses(
        "POST /v1/epochs:close",
        403,
        "forbidden",
        "only administrators may do this",
    );
    cli.run(&["admin", "close-epoch"]).await;
    assert_eq!(cli.run(&["admin", "close-epoch"]).await.code, 1);
}

#[tokio::test]
async fn services_are_shown_with_what_ails_them() {
    use axum::{Json, Router, http::StatusCode, routing::get};
    let ready = json!({ "ready": true, "shutting_down": false, "components": { "database": { "state": "ready" } } });
    let ailing = json!({
        "ready": false, "shutting_down": false,
        "components": { "database": { "state": "ready" }, "bus": { "state": "not_ready", "reason": "not connected" } },
    });
    let mut servers = tokio::task::JoinSet::new();
    let mut urls = Vec::new();
    for (service, status, report) in [("billing", 200, ready), ("scheduler", 503, ailing)] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        urls.push(format!("http://{}", listener.local_addr().unwrap()));
        let version = json!({ "service": service, "version": "0.1.0" });
        let router = Router::new()
            .route("/version", get(|| async { Json(version) }))
            .route(
                "/readyz",
                get(move || async move { (StatusCode::from_u16(status).unwrap(), Json(report)) }),
            );
        servers.spawn(async move { axum::serve(listener, router).await.unwrap() });
    }
    let cli = Cli::new(None);
    let one = cli.run(&["admin", "status", &urls[0]]).await;
    assert_eq!(one.code, 0, "{one:?}");
    urls.push("http://127.0.0.1:9".to_owned());
    let all: Vec<&str> = ["admin", "status"]
        .into_iter()
        .chain(urls.iter().map(String::as_str))
        .collect();
    let people = cli.run(&all).await;
    let mut screen = people.screen();
    for (number, url) in urls.iter().enumerate() {
        // Ports differ from run to run, and so does the width of their column.
        screen = screen.replace(
            &format!("{url:<22}"),
            &format!("{:<22}", format!("http://service{number}")),
        );
        screen = screen.replace(url, &format!("http://service{number}"));
    }
    assert_eq!(people.code, 6);
    assert!(
        screen.contains("bus: not connected") && screen.contains("unreachable"),
        "{screen}"
    );
    let programs = cli.run(&[&all[..], &["-o", "json"]].concat()).await.json();
    let states: Vec<&str> = programs["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["ready", "not_ready", "unreachable"]);
}

#[tokio::test]
async fn the_rate_is_shown_and_set_with_a_statement_that_the_key_signed() {
    let plane = Plane::start().await;
    let rate = json!({
        "rate_id": 41, "price": usd(80_000), "at": "2026-11-22T08:49:40Z",
        "source": "set by 1Signer: exchanges halted", "sources": [],
        "statement": {
            "micro_usd": 80_000, "valid_from": 1_795_000_000_u64, "valid_until": 1_795_003_600_u64,
            "reason": "exchanges halted", "signer": "1Signer", "signature": "c2lnbmVk",
        },
    });
    let source = |name: &str, state: &str, micro_usd: i64| json!({ "name": name, "state": state, "price": usd(micro_usd), "at": "2026-11-22T08:49:40Z", "problem": null });
    let silent = json!({ "name": "c", "state": "silent", "price": null, "at": null, "problem": "it answered 500" });
    let sources = json!([
        source("a", "unused", 50_000),
        source("b", "stale", 51_000),
        silent
    ]);
    plane
        .says(
            "GET /v1/rate",
            json!({ "rate": rate, "problem": null, "sources": sources }),
        )
        .says("POST /v1/rate:override", rate.clone());
    let cli = Cli::new(Some(&plane.url));
    let shown = cli.run(&["rate"]).await;
    assert_eq!(shown.code, 0, "{shown:?}");
    insta::assert_snapshot!("rate", shown.screen());

    let (key, key_file) = cli.signed_in().await;
    let arguments = [
        "admin",
        "override-rate",
        "--usd",
        "0.08",
        "--for",
        "1h",
        "--reason",
        "exchanges halted",
        "--key-file",
        &key_file,
    ];
    let run = cli.run(&[&arguments[..], &["-o", "json"]].concat()).await;
    assert_eq!((run.code, run.json()), (0, rate), "{run:?}");
    let body = plane.seen_of("POST /v1/rate:override")[0].body.clone();
    let seconds = |field: &str| body[field].as_u64().unwrap();
    assert_eq!(seconds("valid_until") - seconds("valid_from"), 3_630);
    let stated = RateStatement {
        rate: "0.08".parse().unwrap(),
        valid_from: seconds("valid_from"),
        valid_until: seconds("valid_until"),
        reason: "exchanges halted".to_owned(),
    };
    let signed = SignedStatement {
        statement: stated,
        signer: body["signer"].as_str().unwrap().to_owned(),
        signature: body["signature"].as_str().unwrap().to_owned(),
    };
    assert_eq!(signed.signer, key.flux_id().to_string());
    let policy = Policy {
        override_signers: [signed.signer.clone()].into(),
        ..Policy::default()
    };
    assert!(signed.verify(&policy).is_ok());

    for usd in ["0", "0.0000001", "-1", "5000", "x"] {
        let arguments = [
            "admin",
            "override-rate",
            "--usd",
            usd,
            "--for",
            "1h",
            "--reason",
            "r",
            "--key-file",
            &key_file,
        ];
        assert_eq!(cli.run(&arguments).await.code, 2, "{usd}");
    }
}
