//! Machines of operators.

use serde_json::json;

use crate::support::{
    Cli, Plane,
    cli::mode,
    sample::{node, page, uuid},
};

async fn plane() -> (Plane, Cli) {
    let plane = Plane::start().await;
    plane
        .says("GET /v1/nodes", page(&[node(1, "ready"), node(2, "lost")]))
        .says(&format!("GET /v1/nodes/{}", uuid(201)), node(1, "ready"))
        .answers(
            "POST /v1/nodes/join-tokens",
            201,
            json!({
                "token": "fxj_3b1f", "expires_at": "2026-11-22T10:00:00Z",
                "join_endpoint": "https://join.example:7443", "ca_pem": "-----BEGIN CERTIFICATE-----\n",
            }),
        );
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    (plane, cli)
}

#[tokio::test]
async fn what_people_see() {
    let (_plane, cli) = plane().await;
    let tour: &[&[&str]] = &[&["node", "list"], &["node", "show", &uuid(201)]];
    insta::assert_snapshot!(cli.tour(tour).await);
}

#[tokio::test]
async fn my_nodes_are_those_of_whoever_is_signed_in() {
    let (plane, cli) = plane().await;
    let run = cli
        .run(&["node", "list", "--mine", "--state", "lost", "-o", "json"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let me = cli.run(&["whoami", "-o", "json"]).await.json();
    let asked = plane.seen_of("GET /v1/nodes").remove(0).path;
    let principal = me["principal"].as_str().unwrap();
    assert_eq!(
        asked,
        format!("/v1/nodes?operator={principal}&state=lost&page_size=200")
    );
}

#[tokio::test]
async fn a_token_goes_into_private_files() {
    let (plane, cli) = plane().await;
    let collateral = format!("{}:0", "ab".repeat(32));
    let (token_file, authority) = (cli.path("token"), cli.path("ca.pem"));
    let run = cli
        .run(&[
            "node",
            "token",
            "--collateral",
            &collateral,
            "--ttl",
            "600",
            "--token-file",
            &token_file.display().to_string(),
            "--authority-file",
            &authority.display().to_string(),
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["token"], "fxj_3b1f");
    assert_eq!(std::fs::read_to_string(&token_file).unwrap(), "fxj_3b1f");
    assert_eq!(mode(&token_file), 0o600);
    let body = &plane.seen_of("POST /v1/nodes/join-tokens")[0].body;
    assert_eq!(
        *body,
        json!({ "collateral": { "txid": "ab".repeat(32), "vout": 0 }, "ttl_seconds": 600 })
    );
    assert_eq!(
        cli.run(&["node", "token", "--collateral", "ab:0"])
            .await
            .code,
        2
    );
}

#[tokio::test]
async fn joining_runs_the_agent_without_showing_it_the_token_on_the_command_line() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_plane, cli) = plane().await;
    let agent = cli.file(
        "agent",
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$0.args\"\ncat join-token >> \"$0.args\"\n",
    );
    std::fs::set_permissions(&agent, std::fs::Permissions::from_mode(0o755)).unwrap();
    let collateral = format!("{}:0", "ab".repeat(32));
    let arguments = [
        "node",
        "join",
        "--collateral",
        &collateral,
        "--node-key-file",
        "node.wif",
        "--ip",
        "203.0.113.9",
        "--static-ip",
        "--place",
        "EU_DE_Bavaria",
        "--agent",
        &agent,
        "--data-dir",
        "data",
    ];
    let run = cli
        .run(&[&arguments[..], &["--", "--force"]].concat())
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let called = std::fs::read_to_string(format!("{agent}.args")).unwrap();
    let expected = format!(
        "--data-dir\ndata\njoin\n--token-file\n./join-token\n--plane\nhttps://join.example:7443\n--ca\n./plane-ca.pem\n\
         --collateral\n{collateral}\n--node-key-file\nnode.wif\n--ip\n203.0.113.9\n--place\nEU_DE_Bavaria\n--static-ip\n--force\nfxj_3b1f"
    );
    assert_eq!(called, expected);
    let printed = cli.run(&[&arguments[..], &["--print"]].concat()).await;
    assert!(
        printed.stdout.starts_with(&format!(
            "{agent} --data-dir data join --token-file ./join-token"
        )),
        "{printed:?}"
    );
    let broken = cli.file("broken", "#!/bin/sh\nexit 7\n");
    std::fs::set_permissions(&broken, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut failing = arguments;
    failing[12] = &broken;
    assert_eq!(cli.run(&failing).await.code, 1);
}
