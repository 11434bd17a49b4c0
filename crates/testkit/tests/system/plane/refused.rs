//! Bad input on a running plane: refused by name, counted, and no coin is lost.

use std::{
    fs,
    process::{Command, Output},
    time::Duration,
};

use fluxplane_testkit::plane::{LocalPlane, ctl::Wallet, demo::App, nodes::NODES};
use serde_json::{Value, json};

use super::support::{TestPlane, values};

const LIMIT: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_by_name_and_no_coin_is_lost() {
    let Some(test) = TestPlane::start("").await.unwrap() else {
        return;
    };
    let plane = &test.plane;
    let customer = plane.ctl.wallet("customer").unwrap();
    plane.chain.faucet(&customer.address, "100").unwrap();
    customer.login().unwrap();
    let app = App::named(&customer.id, "Image").unwrap();
    plane
        .engine
        .provide_image(&app.image, app.container_port)
        .unwrap();

    a_wrong_specification(plane, &customer);
    an_unknown_hash_is_paid(plane, &customer);
    too_little_is_paid_and_then_the_rest(plane, &customer);
    a_body_is_too_large(plane);
    a_post_has_no_idempotency_key(plane, &customer);
    nodes_that_may_not_join(plane);

    let imbalance = metric(plane, "billing", "fluxplane_ledger_imbalance_sat");
    assert!(imbalance.iter().all(|sat| *sat == 0.0), "{imbalance:?}");
    test.plane.stop().await.unwrap();
}

fn a_wrong_specification(plane: &LocalPlane, customer: &Wallet) {
    let mut wrong = spec(customer, "WrongSpec");
    // FluxOS takes this and would never start it.
    wrong["compose"][0]["cpu"] = json!(-0.1);
    let file = plane
        .layout
        .write("wrong.json", &wrong.to_string())
        .unwrap();
    let file = file.display().to_string();
    let refused = refusal(customer, &["quote", "--file", &file]);
    assert_eq!(refused["code"], "spec-invalid", "{refused}");
    assert_explained(&refused);
    assert!(
        metric(
            plane,
            "gateway",
            "fluxplane_rejected_total{code=\"spec-invalid\"}"
        )[0] >= 1.0
    );
}

fn an_unknown_hash_is_paid(plane: &LocalPlane, customer: &Wallet) {
    let hash = "ab".repeat(32);
    pay(plane, customer, "1.5", &hash);
    until_counted(plane, "unknown_hash");
    let seen = plane.ctl.json(&["chain", "payments", &hash]).unwrap();
    assert!(seen.to_string().contains("1.5"), "{seen}");
}

fn too_little_is_paid_and_then_the_rest(plane: &LocalPlane, customer: &Wallet) {
    let key = customer.key_file.display().to_string();
    let spec = spec(customer, "PaidInParts");
    let file = plane.layout.write("parts.json", &spec.to_string()).unwrap();
    let file = file.display().to_string();
    let deploy = ["deploy", "--file", &file, "--key-file", &key, "--yes"];
    let taken = customer.ctl().json(&deploy).unwrap();
    let hash = taken["payment"]["message_hash"].as_str().unwrap();
    pay(plane, customer, "0.5", hash);
    until_counted(plane, "too_small");
    let app = ["apps", "PaidInParts"];
    customer
        .ctl()
        .until_json(LIMIT, &app, |app| {
            let reason = app["state_reason"].as_str().unwrap_or_default();
            anyhow::ensure!(app["state"] == "awaiting_payment", "{app}");
            anyhow::ensure!(reason.contains("0.50000000"), "{reason}");
            Ok(())
        })
        .unwrap();
    // More than the rest; what is too much stays with the customer.
    pay(plane, customer, "3", hash);
    customer
        .ctl()
        .until_json(LIMIT, &app, |app| {
            anyhow::ensure!(app["state"] == "running", "{app}");
            Ok(())
        })
        .unwrap();
    let account = customer.ctl().json(&["account"]).unwrap();
    assert!(
        !account.to_string().contains("\"available\":\"0"),
        "{account}"
    );
    customer
        .ctl()
        .json(&["cancel", "PaidInParts", "--yes"])
        .unwrap();
}

fn a_body_is_too_large(plane: &LocalPlane) {
    let big = plane
        .layout
        .write("big.json", &"x".repeat(400_000))
        .unwrap();
    let data = format!("@{}", big.display());
    let answer = post(
        plane,
        "/v1/quotes",
        &["--data-binary", &data, "--header", "Idempotency-Key: a"],
    );
    assert_eq!(answer["status"], 413, "{answer}");
    assert_explained(&answer);
}

fn a_post_has_no_idempotency_key(plane: &LocalPlane, customer: &Wallet) {
    let session = plane.layout.file("fluxctl/fluxctl/session-customer.json");
    let session: Value = serde_json::from_str(&fs::read_to_string(session).unwrap()).unwrap();
    let token = session["access_token"].as_str().unwrap_or_else(|| {
        panic!(
            "{:?}",
            session
                .as_object()
                .map(|map| map.keys().collect::<Vec<_>>())
        )
    });
    let authorization = format!("Authorization: Bearer {token}");
    let body = json!({ "spec": spec(customer, "NoKey") }).to_string();
    let answer = post(
        plane,
        "/v1/quotes",
        &["--header", &authorization, "--data", &body],
    );
    assert_eq!(answer["status"], 400, "{answer}");
    assert!(answer.to_string().contains("Idempotency-Key"), "{answer}");
    assert_explained(&answer);
}

fn nodes_that_may_not_join(plane: &LocalPlane) {
    let operator = plane.ctl.wallet("newcomer").unwrap();
    operator.login().unwrap();
    // The same network as the first node's, another address.
    let first = plane.ip(&NODES[0]);
    let network = first.strip_suffix(".1").unwrap();
    let ip = format!("{network}.2");
    let fluxnode = plane.chain.add_node("cumulus", &ip).unwrap();
    let dir = plane.layout.dir("newcomer").unwrap();
    let path = |name: &str| dir.join(name).display().to_string();
    fs::write(dir.join("node.wif"), &fluxnode.node_key).unwrap();
    let other_key = operator.key_file.display().to_string();
    let (token, authority) = (path("token"), path("ca.pem"));
    let get = [
        "node",
        "token",
        "--collateral",
        &fluxnode.collateral,
        "--token-file",
        &token,
        "--authority-file",
        &authority,
    ];
    let granted = operator
        .ctl()
        .until_json(LIMIT, &get, |granted| Ok(granted.clone()))
        .unwrap();
    let endpoint = granted["join_endpoint"].as_str().unwrap();
    let join = |data: &str, key: &str, collateral: &str| -> Output {
        Command::new(plane.chain.programs.path("node-agent"))
            .args(["--data-dir", &path(data), "join", "--token-file", &token])
            .args([
                "--plane",
                endpoint,
                "--ca",
                &authority,
                "--collateral",
                collateral,
            ])
            .args([
                "--node-key-file",
                key,
                "--ip",
                &ip,
                "--place",
                "EU_DE_Bavaria",
            ])
            .args(["--capacity-override", "threads=4,ram=8000,disk=250"])
            .args(["--benchmark-seconds", "1", "--output", "json"])
            .output()
            .unwrap()
    };
    let said = |output: &Output| {
        assert!(!output.status.success(), "it joined");
        String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout)
    };
    let foreign = said(&join("foreign-key", &other_key, &fluxnode.collateral));
    assert!(foreign.contains("key"), "{foreign}");
    let key = path("node.wif");
    let joined = join("right", &key, &fluxnode.collateral);
    assert!(joined.status.success(), "{joined:?}");
    let twice = said(&join("twice", &key, &fluxnode.collateral));
    assert!(twice.contains("used") || twice.contains("token"), "{twice}");
    let second = a_second_machine_on_a_living_collateral(plane);
    assert!(second.contains("collateral"), "{second}");
    let refused: f64 = metric(plane, "node-registry", "fluxplane_rejected_total")
        .iter()
        .sum();
    assert!(refused >= 3.0, "{refused}");
}

/// What the operator of a machine that works hears when another one joins with its collateral.
fn a_second_machine_on_a_living_collateral(plane: &LocalPlane) -> String {
    let node = &NODES[1];
    let operator = plane.ctl.wallet("operator-of-node-2").unwrap();
    let identity = plane.layout.file("nodes/node-2/agent/identity.json");
    let identity: Value = serde_json::from_str(&fs::read_to_string(identity).unwrap()).unwrap();
    let collateral = identity["collateral"].as_str().unwrap();
    let path = |name: &str| plane.layout.file(name).display().to_string();
    let (key, files) = (path("nodes/node-2/node-key.wif"), path("newcomer"));
    let output = operator
        .ctl()
        .command(&["node", "join", "--collateral", collateral])
        .args(["--node-key-file", &key, "--ip", &plane.ip(node)])
        .args(["--place", "EU_DE_Bavaria", "--files", &files])
        .args(["--data-dir", &path("newcomer/second")])
        .args([
            "--agent",
            &plane
                .chain
                .programs
                .path("node-agent")
                .display()
                .to_string(),
        ])
        .args(["--", "--benchmark-seconds", "1"])
        .args(["--capacity-override", "threads=4,ram=8000,disk=250"])
        .output()
        .unwrap();
    assert!(!output.status.success(), "a second machine joined");
    String::from_utf8(output.stderr).unwrap()
}

/// A small marketplace application.
fn spec(customer: &Wallet, name: &str) -> Value {
    App::named(&customer.id, name).unwrap().spec().clone()
}

fn pay(plane: &LocalPlane, customer: &Wallet, amount: &str, hash: &str) {
    let status = plane.ctl.json(&["chain", "status"]).unwrap();
    let treasury = status["payment_addresses"][0].as_str().unwrap();
    let key = customer.key_file.display().to_string();
    let pay = [
        "wallet",
        "pay",
        "--key-file",
        &key,
        "--to",
        treasury,
        "--amount",
        amount,
        "--message-hash",
        hash,
    ];
    customer.ctl().until(LIMIT, &pay).unwrap();
}

fn until_counted(plane: &LocalPlane, case: &str) {
    let name = format!("fluxplane_payment_exceptions_total{{case=\"{case}\"}}");
    // The chain's next block lets billing look; the height is only a clock here.
    plane
        .ctl
        .until_json(LIMIT, &["chain", "status"], |_| {
            let counted = metric(plane, "billing", &name);
            anyhow::ensure!(
                counted.first().is_some_and(|count| *count >= 1.0),
                "{name}: {counted:?}"
            );
            Ok(())
        })
        .unwrap();
}

/// What a command that must fail says, as JSON.
fn refusal(wallet: &Wallet, arguments: &[&str]) -> Value {
    let output = wallet
        .ctl()
        .command(arguments)
        .args(["--output", "json"])
        .output()
        .unwrap();
    assert!(!output.status.success(), "{arguments:?} was taken");
    let text = String::from_utf8(output.stderr).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|err| panic!("{err}: {text}"))
}

fn post(plane: &LocalPlane, path: &str, arguments: &[&str]) -> Value {
    let url = format!("{}{path}", plane.addresses.http("gateway"));
    let output = Command::new("curl")
        .args([
            "--silent",
            "--request",
            "POST",
            "--header",
            "Content-Type: application/json",
            &url,
        ])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|err| panic!("{err}: {text}"))
}

/// Field, value, rule and remedy are there.
fn assert_explained(problem: &Value) {
    let violation = &problem["violations"][0];
    for part in ["field", "value", "rule", "remedy"] {
        assert!(violation[part].is_string(), "no {part}: {problem}");
    }
    assert_ne!(violation["rule"], "", "{problem}");
    assert_ne!(violation["remedy"], "", "{problem}");
}

/// Values of a service's metrics whose line starts so.
fn metric(plane: &LocalPlane, service: &str, start: &str) -> Vec<f64> {
    values(&plane.metrics(service).unwrap(), start)
}
