//! Secrets: never an argument, never an output.

use serde_json::json;

use crate::support::{Cli, Plane, sample::page};

const MARK: &str = "Lp2-cli-mark";

fn secret(name: &str, kind: &str) -> serde_json::Value {
    json!({
        "name": name, "kind": kind, "version": 2, "created_at": "2026-11-20T10:00:00Z",
        "updated_at": "2026-11-22T10:00:00Z", "used_by": ["shop"],
    })
}

async fn plane() -> (Plane, Cli) {
    let plane = Plane::start().await;
    let (value, login) = (
        secret("db-password", "value"),
        secret("registry", "registry"),
    );
    plane
        .says("GET /v1/secrets", page(&[value.clone(), login.clone()]))
        .says("GET /v1/secrets/db-password", value.clone())
        .says("PUT /v1/secrets/db-password", value.clone())
        .says("PUT /v1/secrets/registry", login)
        .says("DELETE /v1/secrets/db-password", value);
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    (plane, cli)
}

#[tokio::test]
async fn what_people_see() {
    let (_plane, cli) = plane().await;
    let tour: &[&[&str]] = &[
        &["secret", "list"],
        &["secret", "show", "db-password"],
        &["secret", "remove", "db-password", "--yes"],
    ];
    insta::assert_snapshot!(cli.tour(tour).await);
}

#[tokio::test]
async fn a_value_comes_from_a_file_and_is_not_printed() {
    let (plane, cli) = plane().await;
    let file = cli.path("value");
    std::fs::write(&file, format!("{MARK}\n")).unwrap();
    let file = file.to_str().unwrap();
    let set = ["secret", "set", "db-password", "--from-file", file];
    let run = cli.run(&set).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!format!("{run:?}").contains(MARK), "{run:?}");
    let login = [
        "secret",
        "set",
        "registry",
        "--username",
        "robot",
        "--from-file",
        file,
    ];
    let run = cli.run(&login).await;
    assert_eq!(run.code, 0, "{run:?}");
    let sent = plane.seen_of("PUT /v1/secrets/db-password").remove(0);
    assert_eq!(sent.body, json!({ "value": format!("{MARK}\n") }));
    let sent = plane.seen_of("PUT /v1/secrets/registry").remove(0);
    assert_eq!(sent.body, json!({ "username": "robot", "password": MARK }));
}

#[tokio::test]
async fn a_value_is_never_an_argument() {
    let (plane, cli) = plane().await;
    for arguments in [&["secret", "set", "x"][..], &["secret", "set", "x", MARK]] {
        let run = cli.run(arguments).await;
        assert_eq!(run.code, 2, "{run:?}");
    }
    assert!(plane.seen_of("PUT /v1/secrets/x").is_empty());
}

#[tokio::test]
async fn a_forced_removal_says_so() {
    let (plane, cli) = plane().await;
    let remove = ["secret", "remove", "db-password", "--force", "--yes"];
    let run = cli.run(&remove).await;
    assert_eq!(run.code, 0, "{run:?}");
    let sent = plane.seen_of("DELETE /v1/secrets/db-password").remove(0);
    assert_eq!(sent.path, "/v1/secrets/db-password?force=true");
}
