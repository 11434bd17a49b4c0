//! Logs of all copies.

use serde_json::{Value, json};

use crate::support::{
    Cli, Plane,
    plane::{Connection, events},
    sample::{OWNER, app, instance, log_line, page, revision, spec, uuid},
};

fn path(slot: u32) -> String {
    format!("GET /v1/apps/shop/instances/{}/logs", uuid(100 + slot))
}

async fn plane(instances: &[Value]) -> (Plane, Cli) {
    let plane = Plane::start().await;
    plane
        .says(
            "GET /v1/apps/shop",
            app(
                "running",
                &revision(1, Some(&spec(OWNER, 3)), true),
                &Value::Null,
            ),
        )
        .says("GET /v1/apps/shop/instances", page(instances));
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    (plane, cli)
}

#[tokio::test]
async fn lines_of_all_copies_are_interleaved_by_time() {
    let (plane, cli) = plane(&[
        instance(0, "healthy"),
        instance(1, "healthy"),
        instance(2, "pending"),
    ])
    .await;
    let lines = |lines: &[Value]| Connection::ends(events("log", lines));
    plane
        .streams(
            &path(0),
            lines(&[
                log_line(1_000, "stdout", "listening"),
                log_line(3_000, "stderr", "\u{1b}[31mslow\u{1b}[0m"),
            ]),
        )
        .streams(
            &path(1),
            lines(&[log_line(2_000, "stdout", "listening too")]),
        );
    let people = cli.run(&["logs", "shop", "--tail", "5"]).await;
    insta::assert_snapshot!(people.screen());
    let asked = plane.seen_of(&path(0)).remove(0).path;
    assert!(asked.ends_with("/logs?tail=5&follow=false"), "{asked}");
    let programs = cli.run(&["logs", "shop", "-o", "json"]).await.lines();
    assert_eq!(
        (&programs[1]["slot"], &programs[1]["text"]),
        (&json!(1), &json!("listening too"))
    );
    assert_eq!(programs[2]["instance_id"], uuid(100));
    let one = cli
        .run(&["logs", "shop", "--instance", &uuid(101), "-o", "json"])
        .await
        .lines();
    assert_eq!(one.len(), 1);
}

#[tokio::test]
async fn one_copy_that_cannot_be_heard_does_not_silence_the_others() {
    let (plane, cli) = plane(&[instance(0, "healthy"), instance(1, "healthy")]).await;
    plane
        .refuses(
            &path(0),
            409,
            "node-unreachable",
            "the node is not connected",
        )
        .streams(
            &path(1),
            Connection::ends(events("log", &[log_line(0, "stdout", "here")])),
        );
    let run = cli.run(&["logs", "shop"]).await;
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("here") && run.stderr.contains("the node is not connected"),
        "{run:?}"
    );
}

#[tokio::test]
async fn when_none_can_be_heard_that_is_the_answer() {
    let (plane, cli) = plane(&[instance(0, "healthy")]).await;
    plane.refuses(
        &path(0),
        409,
        "node-unreachable",
        "the node is not connected",
    );
    let run = cli.run(&["logs", "shop", "-o", "json"]).await;
    assert_eq!(
        (run.code, &run.error()["code"]),
        (1, &json!("node-unreachable"))
    );
}

#[tokio::test]
async fn followed_logs_go_on_after_a_broken_connection_and_repeat_nothing() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    let (plane, cli) = plane(&[instance(0, "healthy")]).await;
    let all: Vec<Value> = (0..6)
        .map(|n| log_line(n / 2 * 1_000, "stdout", &format!("line {n}")))
        .collect();
    plane
        .streams(&path(0), Connection::breaks(events("log", &all[..3])))
        .streams(&path(0), Connection::stays(events("log", &all)));
    let mut child = cli
        .command(&["logs", "shop", "-f", "-o", "json"])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut texts = Vec::new();
    let reading = async {
        while texts.len() < 6 {
            let line: Value =
                serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
            texts.push(line["text"].as_str().unwrap().to_owned());
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), reading)
        .await
        .unwrap();
    assert_eq!(
        texts,
        ["line 0", "line 1", "line 2", "line 3", "line 4", "line 5"]
    );
    child.kill().await.unwrap();
}

#[tokio::test]
async fn components_of_a_composed_application_are_asked_for_one_by_one() {
    let (plane, cli) = plane(&[instance(0, "healthy")]).await;
    let composed = r#"{"version":8,"name":"shop","compose":[{"name":"web"},{"name":"db"}]}"#;
    let plane_of_two = Plane::start().await;
    drop(plane);
    plane_of_two
        .says(
            "GET /v1/apps/shop",
            app("running", &revision(1, Some(composed), true), &Value::Null),
        )
        .says(
            "GET /v1/apps/shop/instances",
            page(&[instance(0, "healthy")]),
        )
        .streams(
            &path(0),
            Connection::ends(events("log", &[log_line(0, "stdout", "x")])),
        );
    let (_, key_file) = (0, cli.path("wallet.wif").display().to_string());
    let server = ["--server", plane_of_two.url.as_str()];
    assert_eq!(
        cli.run(&[&server[..], &["login", "--key-file", &key_file]].concat())
            .await
            .code,
        0
    );
    let run = cli.run(&[&server[..], &["logs", "shop"]].concat()).await;
    assert_eq!(run.code, 0, "{run:?}");
    let mut asked: Vec<String> = plane_of_two
        .seen_of(&path(0))
        .into_iter()
        .map(|seen| seen.path.rsplit('=').next().unwrap().to_owned())
        .collect();
    asked.sort();
    assert_eq!(asked, ["db", "web"]);
}
