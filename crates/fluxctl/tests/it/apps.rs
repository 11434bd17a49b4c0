//! Reading and ending applications.

use serde_json::{Value, json};

use crate::support::{
    Cli, Plane,
    sample::{OWNER, app, entry, instance, page, revision, spec, uuid},
};

async fn plane() -> (Plane, Cli) {
    let plane = Plane::start().await;
    let running = app(
        "running",
        &revision(1, Some(&spec(OWNER, 3)), true),
        &Value::Null,
    );
    let degraded = app(
        "degraded",
        &revision(2, None, true),
        &revision(3, None, false),
    );
    let instances = [
        instance(0, "healthy"),
        instance(1, "starting"),
        instance(2, "pending"),
    ];
    plane
        .says("GET /v1/apps", page(&[running.clone(), degraded]))
        .says("GET /v1/apps/shop", running)
        .says("GET /v1/apps/shop/instances", page(&instances))
        .says(
            "GET /v1/apps/shop/timeline",
            page(&[
                entry(1, 0, "accepted", None, "revision 1 was taken"),
                entry(2, 5_120, "funded", None, "2.50000000 FLUX in block 812"),
                entry(3, 6_004, "placed", Some(0), "the emptiest of 41 nodes"),
                entry(
                    4,
                    8_500,
                    "failed",
                    Some(0),
                    "the image nginx:1.27 does not exist",
                ),
            ]),
        );
    for slot in 0..3 {
        let path = format!("GET /v1/apps/shop/instances/{}/decision", uuid(100 + slot));
        let explanation =
            format!("slot {slot}: 41 nodes\n  12 are too small\n  chosen: the emptiest");
        let record = json!({ "seed": slot, "filters": [{ "name": "memory", "removed": 12 }] });
        plane.says(&path, json!({ "instance_id": uuid(100 + slot), "record": record, "explanation": explanation }));
    }
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    (plane, cli)
}

#[tokio::test]
async fn what_people_see() {
    let (_plane, cli) = plane().await;
    let tour: &[&[&str]] = &[
        &["apps"],
        &["apps", "shop"],
        &["instances", "shop"],
        &["events", "shop"],
        &["explain", "shop"],
        &["explain", &uuid(101)],
    ];
    insta::assert_snapshot!(cli.tour(tour).await);
}

#[tokio::test]
async fn what_programs_see() {
    let (_plane, cli) = plane().await;
    let apps = cli.run(&["apps", "-o", "json"]).await.json();
    assert_eq!(
        (&apps["items"][0]["state"], &apps["more"]),
        (&json!("running"), &json!(false))
    );
    let shop = cli.run(&["apps", "shop", "-o", "json"]).await.json();
    assert_eq!(
        shop["current"]["spec"]["compose"][0]["repotag"],
        "nginx:1.27"
    );
    let instances = cli.run(&["instances", "shop", "-o", "json"]).await.json();
    assert_eq!(instances["items"][0]["endpoints"][0], "203.0.113.1:31000");
    let events = cli.run(&["events", "shop", "-o", "json"]).await.json();
    assert_eq!(
        events["items"][3]["message"],
        "the image nginx:1.27 does not exist"
    );
    let explain = cli.run(&["explain", "shop", "-o", "json"]).await.json();
    assert_eq!(explain["items"][2]["record"]["filters"][0]["removed"], 12);
}

#[tokio::test]
async fn a_list_is_read_page_by_page_up_to_the_limit() {
    let plane = Plane::start().await;
    let one = |number: u32| app("running", &revision(number, None, true), &Value::Null);
    let page = |from: u32, next: Value| json!({ "items": (from..from + 200).map(one).collect::<Vec<_>>(), "next_cursor": next });
    plane
        .says("GET /v1/apps", page(0, json!("c1")))
        .says("GET /v1/apps", page(200, json!("c2")))
        .says("GET /v1/apps", page(400, Value::Null));
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    let run = cli.run(&["apps", "--limit", "250", "-o", "json"]).await;
    let list = run.json();
    assert_eq!(
        (list["items"].as_array().unwrap().len(), &list["more"]),
        (250, &json!(true))
    );
    assert!(run.stderr.contains("--limit"), "{}", run.stderr);
    let paths: Vec<String> = plane
        .seen_of("GET /v1/apps")
        .into_iter()
        .map(|seen| seen.path)
        .collect();
    assert_eq!(
        paths,
        ["/v1/apps?page_size=200", "/v1/apps?page_size=50&cursor=c1"]
    );
}

#[tokio::test]
async fn cancelling_names_the_version_that_was_shown_and_asks_first() {
    let (plane, cli) = plane().await;
    plane.says(
        "DELETE /v1/apps/shop",
        app("cancelled", &Value::Null, &Value::Null),
    );
    let asked = cli.run(&["cancel", "shop", "-o", "json"]).await;
    assert_eq!((asked.code, &asked.error()["code"]), (2, &json!("usage")));
    assert!(plane.seen_of("DELETE /v1/apps/shop").is_empty());
    let run = cli.run(&["cancel", "shop", "--yes"]).await;
    assert_eq!((run.code, run.stdout.as_str()), (0, "shop: cancelled\n"));
    let seen = plane.seen_of("DELETE /v1/apps/shop").remove(0);
    assert_eq!(seen.header("if-match"), Some("\"7\""));
    assert!(seen.header("idempotency-key").is_some());
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let (_plane, cli) = plane().await;
    assert_eq!(cli.run(&["apps", "nowhere"]).await.code, 4);
    assert_eq!(cli.run(&["explain", &uuid(999)]).await.code, 4);
    assert_eq!(cli.run(&["apps", "../auth/me"]).await.code, 2);
}

#[tokio::test]
async fn text_of_strangers_does_not_control_the_screen() {
    let plane = Plane::start().await;
    let mut hostile = app("degraded", &Value::Null, &Value::Null);
    hostile["state_reason"] = json!("\u{1b}]0;owned\u{7}\u{1b}[2J\rrunning");
    plane.says("GET /v1/apps", page(&[hostile]));
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    let run = cli.run(&["apps"]).await;
    assert!(
        run.stdout.chars().all(|c| c == '\n' || !c.is_control()),
        "{:?}",
        run.stdout
    );
}

#[tokio::test]
async fn followed_events_go_on_after_a_broken_connection() {
    use crate::support::plane::{Connection, events};
    let (plane, cli) = plane().await;
    let path = "GET /v1/apps/shop/events";
    let entries = |from: u64, to: u64| {
        let entries: Vec<Value> = (from..=to)
            .map(|n| entry(n, u32::try_from(n).unwrap() * 10, "placed", None, "x"))
            .collect();
        events("timeline", &entries)
    };
    // A torn event at the end of the first connection; the second repeats one that is known.
    let problem = crate::support::plane::problem(404, "not-found", "the application is gone");
    plane
        .streams(
            path,
            Connection::breaks(format!("{}id: 3\nevent: timel", entries(1, 2))),
        )
        .streams(
            path,
            Connection::ends(format!(": still here\n\n{}", entries(2, 4))),
        )
        .streams(
            path,
            Connection::ends(format!(
                "event: newer\ndata: {{}}\n\nevent: problem\ndata: {problem}\n\n"
            )),
        );
    let run = cli.run(&["events", "shop", "-f", "-o", "json"]).await;
    let sequences: Vec<u64> = run
        .lines()
        .iter()
        .map(|line| line["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!(sequences, [1, 2, 3, 4]);
    assert_eq!(
        (run.code, &run.error()["detail"]),
        (4, &json!("the application is gone"))
    );
    let resumed: Vec<Option<String>> = plane
        .seen_of(path)
        .iter()
        .map(|seen| seen.header("last-event-id").map(str::to_owned))
        .collect();
    assert_eq!(resumed, ["0", "2", "4"].map(|id| Some(id.to_owned())));
}
