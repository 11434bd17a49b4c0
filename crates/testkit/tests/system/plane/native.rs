//! A native specification from its YAML to a real container and its invoice, by the commands people type.

use std::{process::Command, time::Duration};

use fluxplane_testkit::plane::{LocalPlane, ctl::Wallet};
use serde_json::Value;

use super::support::{TestPlane, values};

/// How long copies may take to run, or to change.
const LIMIT: Duration = Duration::from_mins(5);

const IMAGE: &str = "fluxplane/native-demo:1";

/// The entry point and its arguments are the document's, not the image's; the plane chooses the port.
fn document(owner: &str, greeting: &str) -> String {
    format!(
        r#"schema: fluxplane/v1
name: greeter
owner: {owner}
components:
  web:
    image: {IMAGE}
    command: [/bin/sh, -c]
    args:
      - mkdir -p /run/www && echo "$GREETING, $FRIEND, from $FLUXPLANE_COMPONENT" > /run/www/index.html && exec busybox httpd -f -p 9000 -h /run/www
    env:
      GREETING: {greeting}
    secrets:
      FRIEND: friend
    cpu: 100m
    memory: 64Mi
    disk: 1Gi
    ports:
      http: {{ container: 9000 }}
    volumes:
      data: {{ path: /data }}
    probes:
      readiness: {{ http: {{ port: 9000 }}, interval: 1s, timeout: 1s }}
    stop: {{ grace: 1s }}
instances: 2
placement: {{ maxPrice: 1USD }}
billing: {{ mode: term, term: 40d }}
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_specification_is_quoted_deployed_updated_and_charged_by_the_second() {
    let Some(test) = TestPlane::start("").await.unwrap() else {
        return;
    };
    let plane = &test.plane;
    let customer = plane.ctl.wallet("native").unwrap();
    plane.chain.faucet(&customer.address, "100").unwrap();
    customer.login().unwrap();
    plane.engine.provide_image(IMAGE, 8_080).unwrap();

    a_secret_must_exist_before_it_is_named(plane, &customer);
    set_secret(plane, &customer, "Ada");
    let quote = deploy(plane, &customer, "deploy", &document(&customer.id, "Hello"));
    assert_eq!(quote["term_blocks"], Value::Null, "{quote}");
    assert_eq!(quote["network_minimum"], Value::Null, "{quote}");
    assert_eq!(quote["term_seconds"], 40 * 86_400, "{quote}");
    assert_adds_up(&quote);
    let endpoints = until_all_say(&customer, "Hello, Ada, from web");
    for endpoint in &endpoints {
        let port: u16 = endpoint.rsplit(':').next().unwrap().parse().unwrap();
        assert!((20_000..26_000).contains(&port), "{endpoint}");
    }

    every_line_costs_what_the_quote_says(plane, &customer, &quote);

    let update = deploy(plane, &customer, "update", &document(&customer.id, "Again"));
    let credited = update["lines"].to_string();
    assert!(credited.contains("what is left"), "{credited}");
    assert!(
        units(&update["price"]) < units(&quote["price"]) / 100,
        "{update}"
    );
    let changed = until_all_say(&customer, "Again, Ada, from web");
    assert_eq!(
        ports(&changed),
        ports(&endpoints),
        "an update keeps the ports the plane chose"
    );

    set_secret(plane, &customer, "Grace");
    // No new revision: one copy after the other is made anew.
    until_all_say(&customer, "Again, Grace, from web");
    let app = customer.ctl().json(&["apps", "greeter"]).unwrap();
    assert_eq!(app["current"]["number"], 2, "{app}");

    a_ceiling_below_the_price_is_refused(plane, &customer);
    let imbalance = values(
        &plane.metrics("billing").unwrap(),
        "fluxplane_ledger_imbalance_sat",
    );
    assert!(imbalance.iter().all(|sat| *sat == 0.0), "{imbalance:?}");
    test.plane.stop().await.unwrap();
}

fn set_secret(plane: &LocalPlane, customer: &Wallet, value: &str) {
    let file = plane.layout.write("friend.txt", value).unwrap();
    let file = file.display().to_string();
    let set = ["secret", "set", "friend", "--from-file", &file];
    let stored = customer.ctl().json(&set).unwrap();
    assert!(!stored.to_string().contains(value), "{stored}");
}

fn a_secret_must_exist_before_it_is_named(plane: &LocalPlane, customer: &Wallet) {
    let text = document(&customer.id, "Hello").replace("name: greeter", "name: hasty");
    let file = plane.layout.write("hasty.yaml", &text).unwrap();
    let (file, key) = (
        file.display().to_string(),
        customer.key_file.display().to_string(),
    );
    let deploy = [
        "deploy",
        "--file",
        &file,
        "--key-file",
        &key,
        "--yes",
        "--output",
        "json",
    ];
    let output = customer.ctl().command(&deploy).output().unwrap();
    assert!(!output.status.success());
    let refused: Value = serde_json::from_slice(&output.stderr).unwrap();
    let violation = &refused["violations"][0];
    assert_eq!(
        violation["field"], "registration.spec.components.web.secrets.FRIEND",
        "{refused}"
    );
}

/// Deploys or updates and pays. Returns the quote.
fn deploy(plane: &LocalPlane, customer: &Wallet, verb: &str, document: &str) -> Value {
    let file = plane.layout.write("greeter.yaml", document).unwrap();
    let (file, key) = (
        file.display().to_string(),
        customer.key_file.display().to_string(),
    );
    let submit = [
        verb,
        "--file",
        &file,
        "--key-file",
        &key,
        "--yes",
        "--pay-with",
        &key,
    ];
    let done = customer.ctl().json(&submit).unwrap();
    done["quote"].clone()
}

fn units(amount: &Value) -> i64 {
    amount["units"].as_i64().unwrap()
}

fn assert_adds_up(quote: &Value) {
    let lines = quote["lines"].as_array().unwrap();
    for (currency, price) in [("usd", "price_usd"), ("flux", "price")] {
        let sum: i64 = lines.iter().map(|line| units(&line[currency])).sum();
        assert_eq!(sum, units(&quote[price]), "{currency}: {quote}");
    }
}

/// Waits until both copies serve the page. Returns where.
fn until_all_say(customer: &Wallet, page: &str) -> Vec<String> {
    let ctl = customer.ctl();
    ctl.until_json(LIMIT, &["instances", "greeter"], |answer| {
        let list = answer["items"].as_array().or(answer.as_array());
        let instances = list.ok_or_else(|| anyhow::anyhow!("{answer}"))?;
        let endpoints: Vec<String> = instances
            .iter()
            .filter(|instance| instance["state"] == "healthy")
            .filter_map(|instance| instance["endpoints"][0].as_str().map(str::to_owned))
            .collect();
        anyhow::ensure!(endpoints.len() == 2, "{answer}");
        for endpoint in &endpoints {
            let output = Command::new("curl")
                .args(["--silent", "--max-time", "10"])
                .arg(format!("http://{endpoint}/"))
                .output()?;
            let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            anyhow::ensure!(said == page, "{endpoint} says {said:?}");
        }
        Ok(endpoints)
    })
    .unwrap()
}

fn ports(endpoints: &[String]) -> Vec<String> {
    let port = |endpoint: &String| endpoint.rsplit(':').next().unwrap().to_owned();
    let mut ports: Vec<String> = endpoints.iter().map(port).collect();
    ports.sort();
    ports
}

/// A line is charged for its seconds, each at the price of the quote; what a line's fraction of a sat is stays with the next.
fn every_line_costs_what_the_quote_says(plane: &LocalPlane, customer: &Wallet, quote: &Value) {
    let admin = &plane.admin;
    admin.login().unwrap();
    let (invoice, lines) = admin
        .ctl()
        .until_json(LIMIT, &["admin", "close-epoch"], |_| {
            let list = customer.ctl().json(&["invoice", "list"])?;
            let first = &list["items"][0]["invoice_id"];
            let id = first.as_str().ok_or_else(|| anyhow::anyhow!("{list}"))?;
            let invoice = customer.ctl().json(&["invoice", "show", id])?;
            let lines = invoice["lines"].as_array().cloned().unwrap_or_default();
            anyhow::ensure!(!lines.is_empty(), "{invoice}");
            Ok((id.to_owned(), lines))
        })
        .unwrap();
    let whole = i128::from(quote["term_seconds"].as_u64().unwrap())
        * i128::from(quote["instances"].as_u64().unwrap());
    let price = i128::from(units(&quote["price"]));
    let (mut seconds, mut charged) = (0, 0);
    for line in &lines {
        seconds += i128::from(line["seconds"].as_u64().unwrap());
        charged += i128::from(units(&line["amount"]));
    }
    assert!(seconds > 0, "{lines:?}");
    assert_eq!(charged, price * seconds / whole, "{lines:?}");
    let verify = customer.ctl().json(&["invoice", "show", &invoice]).unwrap();
    assert_eq!(i128::from(units(&verify["total"])), charged, "{verify}");
}

fn a_ceiling_below_the_price_is_refused(plane: &LocalPlane, customer: &Wallet) {
    let low = document(&customer.id, "Hello")
        .replace("name: greeter", "name: miser")
        .replace("maxPrice: 1USD", "maxPrice: 0.001USD");
    let file = plane.layout.write("miser.yaml", &low).unwrap();
    let output = customer
        .ctl()
        .command(&[
            "quote",
            "--file",
            &file.display().to_string(),
            "--output",
            "json",
        ])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let refused: Value = serde_json::from_slice(&output.stderr).unwrap();
    let violation = &refused["violations"][0];
    assert_eq!(violation["field"], "spec.placement.maxPrice", "{refused}");
}
