//! Deploying: price, signature, submission, payment, watching.

use serde_json::{Value, json};

use crate::support::{
    ChainNode, Cli, Shop,
    plane::{Connection, events, problem},
    sample::{HASH, PAYMENT_ADDRESS, app, entry, revision, spec, submitted, uuid},
};

fn rollout() -> Vec<Value> {
    let mut entries = vec![
        entry(1, 0, "accepted", None, "revision 1 was taken"),
        entry(2, 5_120, "funded", None, "2.50000000 FLUX in block 812"),
    ];
    for (offset, stage) in ["placed", "pulling", "starting", "healthy"]
        .into_iter()
        .enumerate()
    {
        for slot in 0..3 {
            let offset = u32::try_from(offset).unwrap();
            let sequence = u64::from(3 + offset * 3 + slot);
            let millis = 6_000 + offset * 1_000 + slot * 10;
            entries.push(entry(
                sequence,
                millis,
                stage,
                Some(slot),
                &format!("copy {slot} is {stage}"),
            ));
        }
    }
    entries.push(entry(
        15,
        12_300,
        "running",
        None,
        "3 of 3 copies are healthy",
    ));
    entries
}

#[tokio::test]
async fn an_application_is_quoted_signed_submitted_paid_and_watched() {
    let shop = Shop::new(true).await;
    let node = ChainNode::start("regtest", 500).await;
    let (entries, torn) = (rollout(), "id: 8\nevent: timeline\ndata: {\"seq");
    shop.timeline(&[
        Connection::breaks(format!("{}{torn}", events("timeline", &entries[..7]))),
        Connection::stays(events("timeline", &entries[7..])),
    ]);
    let payer = crate::wallet::fund(&node, &shop.key_file);
    let run = shop
        .deploy(&[
            "--yes",
            "--watch",
            "--pay-with",
            &shop.key_file,
            "--rpc-url",
            &node.url,
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    shop.check_signature();
    let body = &shop.plane.seen_of("POST /v1/apps")[0].body;
    assert_eq!(
        (&body["quote_id"], &body["funding"]),
        (&json!(uuid(1)), &json!("chain_payment"))
    );
    let sent = node.chain().sent.clone();
    assert_eq!(sent.len(), 1);
    crate::wallet::check_payment(&sent[0], &payer, PAYMENT_ADDRESS, 250_000_000, Some(HASH));
    let resumed = shop.plane.seen_of("GET /v1/apps/shop/events");
    assert_eq!(resumed[1].header("last-event-id"), Some("7"));
    // The text without what differs from run to run.
    let transaction = fluxplane_flux_chain::Transaction::parse(&hex::decode(&sent[0]).unwrap())
        .unwrap()
        .txid()
        .to_string();
    let shown = run.stdout.replace(&transaction, "TXID");
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn programs_get_a_line_for_each_step() {
    let shop = Shop::new(true).await;
    shop.timeline(&[Connection::stays(events("timeline", &rollout()))]);
    let run = shop.deploy(&["--yes", "--watch", "-o", "json"]).await;
    assert_eq!(run.code, 0, "{run:?}");
    let lines = run.lines();
    assert_eq!(lines.len(), 17);
    let first = &lines[0]["submitted"];
    assert_eq!(first["payment"]["message_hash"], HASH);
    assert_eq!(
        (&first["app"]["name"], &first["transaction"]),
        (&json!("shop"), &Value::Null)
    );
    assert_eq!(first["quote"]["price"]["units"], 250_000_000);
    assert_eq!(
        (&lines[2]["timeline"]["stage"], &lines[2]["elapsed_ms"]),
        (&json!("funded"), &json!(5_120))
    );
    assert_eq!(
        lines[16],
        json!({ "outcome": { "state": "running", "elapsed_ms": 12_300 } })
    );
}

#[tokio::test]
async fn without_watching_there_is_one_document_with_what_to_pay() {
    let shop = Shop::new(true).await;
    let arguments = ["--yes"];
    let people = shop.deploy(&arguments).await;
    insta::assert_snapshot!(people.screen());
    let programs = shop
        .deploy(&[&arguments[..], &["-o", "json"]].concat())
        .await
        .json();
    assert_eq!(programs["payment"]["address"], PAYMENT_ADDRESS);
    let balance = Shop::new(false).await;
    let run = balance
        .deploy(&["--yes", "--funding", "balance", "-o", "json"])
        .await;
    assert_eq!(run.json()["payment"], Value::Null);
    assert_eq!(
        balance.plane.seen_of("POST /v1/apps")[0].body["funding"],
        "balance"
    );
}

#[tokio::test]
async fn a_rollout_that_fails_ends_with_the_true_cause() {
    let shop = Shop::new(false).await;
    let cause = "the image nginx:1.27 does not exist in the registry";
    let failed = |sequence, slot| entry(sequence, 9_000, "failed", Some(slot), cause);
    let entries = [
        entry(1, 0, "accepted", None, "revision 1 was taken"),
        failed(2, 0),
        failed(3, 1),
        failed(4, 2),
    ];
    shop.timeline(&[Connection::stays(events("timeline", &entries))]);
    let arguments = ["--yes", "--watch"];
    let people = shop.deploy(&arguments).await;
    assert_eq!(people.code, 1);
    assert!(
        people
            .stderr
            .contains(&format!("shop did not come up: {cause}")),
        "{}",
        people.stderr
    );
    assert_eq!(people.stderr.matches(cause).count(), 1);
    shop.timeline(&[Connection::stays(events("timeline", &entries))]);
    let programs = shop
        .deploy(&[&arguments[..], &["-o", "json"]].concat())
        .await;
    let last = programs.lines().pop().unwrap();
    assert_eq!(last["outcome"]["causes"], json!([cause]));
    assert_eq!(programs.error()["code"], "rollout-failed");
}

#[tokio::test]
async fn what_is_not_paid_in_time_ends_with_payment_needed() {
    let shop = Shop::new(true).await;
    let entries = [
        entry(1, 0, "accepted", None, "taken"),
        entry(2, 30_000, "expired", None, "not paid until 09:21"),
    ];
    shop.timeline(&[Connection::stays(events("timeline", &entries))]);
    let run = shop.deploy(&["--yes", "--watch"]).await;
    assert_eq!(run.code, 5, "{run:?}");
}

#[tokio::test]
async fn watching_has_an_end_when_one_is_given() {
    let shop = Shop::new(true).await;
    shop.timeline(&[Connection::stays(events("timeline", &rollout()[..1]))]);
    let run = shop
        .deploy(&["--yes", "--watch", "--timeout", "1s", "-o", "json"])
        .await;
    assert_eq!(
        (run.code, &run.error()["code"]),
        (1, &json!("watch-timeout"))
    );
}

#[tokio::test]
async fn a_token_that_ends_while_watching_is_renewed() {
    let shop = Shop::new(false).await;
    let entries = rollout();
    let ended = problem(401, "unauthenticated", "the access token is too old");
    let first = format!(
        "{}event: problem\ndata: {ended}\n\n",
        events("timeline", &entries[..3])
    );
    shop.timeline(&[
        Connection::ends(first),
        Connection::stays(events("timeline", &entries[3..])),
    ]);
    let run = shop.deploy(&["--yes", "--watch", "-o", "json"]).await;
    assert_eq!((run.code, run.lines().len()), (0, 17), "{run:?}");
}

#[tokio::test]
async fn nothing_is_bought_without_consent() {
    let shop = Shop::new(true).await;
    let run = shop.deploy(&[]).await;
    assert_eq!(run.code, 2);
    assert!(
        run.stdout.contains("2.50000000 FLUX"),
        "the price is shown: {}",
        run.stdout
    );
    assert!(run.stderr.contains("--yes"), "{}", run.stderr);
    assert!(shop.plane.seen_of("POST /v1/apps").is_empty());
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_the_plane_is_asked() {
    let shop = Shop::new(true).await;
    let before = shop.plane.seen().len();
    let other = Cli::new(None);
    let (_, foreign_key) = other.key();
    let foreign = shop
        .cli
        .run(&[
            "deploy",
            "-f",
            &shop.spec_file,
            "--key-file",
            &foreign_key,
            "-o",
            "json",
        ])
        .await;
    assert_eq!(
        (foreign.code, &foreign.error()["violations"][0]["field"]),
        (2, &json!("owner"))
    );
    for (name, text) in [
        ("broken.json", "{"),
        ("list.json", "[]"),
        ("twice.json", r#"{"version":8,"version":7}"#),
    ] {
        let file = shop.cli.file(name, text);
        let run = shop
            .cli
            .run(&[
                "deploy",
                "-f",
                &file,
                "--key-file",
                &shop.key_file,
                "-o",
                "json",
            ])
            .await;
        assert_eq!(run.code, 2, "{name}: {run:?}");
    }
    let unsigned = [
        "deploy",
        "-f",
        &shop.spec_file,
        "--timestamp",
        "1",
        "--signature",
        "bm9uc2Vuc2U=",
        "-o",
        "json",
    ];
    let run = shop.cli.run(&unsigned).await;
    assert_eq!(
        (run.code, &run.error()["violations"][0]["field"]),
        (2, &json!("signature"))
    );
    let payless = shop.deploy(&["--pay-with", &shop.key_file]).await;
    assert_eq!(payless.code, 2);
    assert_eq!(shop.plane.seen().len(), before);
}

#[tokio::test]
async fn the_message_may_be_signed_elsewhere() {
    let shop = Shop::new(true).await;
    let message = shop
        .cli
        .run(&[
            "deploy",
            "-f",
            &shop.spec_file,
            "--print-message",
            "-o",
            "json",
        ])
        .await
        .json();
    let (text, timestamp) = (
        message["text"].as_str().unwrap(),
        message["timestamp"].to_string(),
    );
    let signed = shop
        .cli
        .run_with(
            &["wallet", "sign", "--key-file", &shop.key_file, "-"],
            format!("{text}\n").as_bytes(),
        )
        .await;
    let signature = signed.stdout.trim();
    let run = shop
        .cli
        .run(&[
            "deploy",
            "-f",
            &shop.spec_file,
            "--timestamp",
            &timestamp,
            "--signature",
            signature,
            "--quote",
            &uuid(1),
            "--yes",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(shop.check_signature().to_string(), timestamp);
    assert!(
        shop.plane.seen_of("POST /v1/quotes").is_empty(),
        "the given quote is used"
    );
    // The same text, shown and asked for: the answer is a signature that does not fit.
    let pasted = shop
        .cli
        .run_with(
            &["deploy", "-f", &shop.spec_file, "--yes"],
            b"bm9uc2Vuc2U=\n",
        )
        .await;
    assert_eq!(pasted.code, 2);
    assert!(
        pasted.stderr.contains("fluxappregister1{"),
        "{}",
        pasted.stderr
    );
}

#[tokio::test]
async fn an_update_credits_and_names_the_version_it_replaces() {
    let shop = Shop::new(true).await;
    let current = revision(1, Some(&spec(&shop.owner, 3)), true);
    let before = app("running", &current, &Value::Null);
    let mut answer = submitted(&shop.owner, false);
    answer["app"] = app("running", &current, &revision(2, None, true));
    shop.plane
        .says("GET /v1/apps/shop", before)
        .says("PUT /v1/apps/shop", answer);
    // The first revision ran already; only what concerns the second counts.
    let mut second = entry(
        2,
        9_000,
        "update_finished",
        None,
        "all copies run revision 2",
    );
    second["revision_number"] = json!(2);
    let entries = [entry(1, 0, "running", None, "revision 1 runs"), second];
    shop.timeline(&[Connection::stays(events("timeline", &entries))]);
    let run = shop
        .submit("update", &["--yes", "--watch", "-o", "json"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        shop.plane.seen_of("POST /v1/quotes")[0].body["update_of"],
        "shop"
    );
    let put = shop.plane.seen_of("PUT /v1/apps/shop").remove(0);
    assert_eq!(put.header("if-match"), Some("\"7\""));
    assert_eq!(put.body["registration"]["type"], "fluxappupdate");
    let stages: Vec<Value> = run
        .lines()
        .iter()
        .filter_map(|line| line.get("timeline"))
        .map(|entry| entry["sequence"].clone())
        .collect();
    assert_eq!(stages, [json!(2)]);
}

#[tokio::test]
async fn scaling_is_an_update_of_the_number_alone() {
    let shop = Shop::new(true).await;
    let current = revision(1, Some(&spec(&shop.owner, 3)), true);
    shop.plane
        .says("GET /v1/apps/shop", app("running", &current, &Value::Null))
        .says("PUT /v1/apps/shop", submitted(&shop.owner, false));
    let run = shop
        .cli
        .run(&[
            "scale",
            "shop",
            "5",
            "--key-file",
            &shop.key_file,
            "--yes",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let put = shop.plane.seen_of("PUT /v1/apps/shop").remove(0);
    let expected: Value = serde_json::from_str(&spec(&shop.owner, 5)).unwrap();
    assert_eq!(put.body["registration"]["spec"], expected);
    assert_eq!(shop.cli.run(&["scale", "shop", "0"]).await.code, 2);
}

#[tokio::test]
async fn a_quote_is_shown_with_how_it_came_about() {
    let shop = Shop::new(true).await;
    let people = shop.cli.run(&["quote", "-f", &shop.spec_file]).await;
    let shown = people.screen().replace(&shop.owner, "OWNER");
    insta::assert_snapshot!(shown);
    let programs = shop
        .cli
        .run_with(
            &["quote", "-f", "-", "-o", "json"],
            spec(&shop.owner, 3).as_bytes(),
        )
        .await;
    assert_eq!(programs.json()["price"]["units"], 250_000_000);
}
