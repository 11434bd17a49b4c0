//! The chain through the plane, and offline.

use serde_json::{Value, json};

use crate::support::{
    Cli, Plane, fixture,
    sample::{HASH, PAYMENT_ADDRESS, flux, page},
};

fn transaction() -> (String, String) {
    let vectors = fixture("fluxd-vectors.json");
    let vector = &vectors["transactions"][0];
    (
        vector["txid"].as_str().unwrap().to_owned(),
        vector["hex"].as_str().unwrap().to_owned(),
    )
}

async fn plane() -> (Plane, Cli) {
    let plane = Plane::start().await;
    let (txid, raw) = transaction();
    let collateral = json!({ "txid": "ab".repeat(32), "vout": 0 });
    let node = json!({
        "collateral": collateral, "tier": "stratus", "status": "confirmed", "node_pubkey": "02ab",
        "payment_address": PAYMENT_ADDRESS, "ip": "203.0.113.9", "added_height": 100,
        "confirmed_height": 101, "last_confirmed_height": 700, "last_paid_height": 640, "rank": 3,
    });
    let mut nodes = page(std::slice::from_ref(&node));
    nodes["height"] = json!(812);
    plane
        .says(
            "GET /v1/chain/status",
            json!({
                "network": "regtest", "genesis_hash": "00".repeat(32), "height": 812, "hash": "11".repeat(32),
                "block_time": "2026-11-22T09:00:00Z", "daemon_height": 814, "halted_reason": null,
                "payment_addresses": [PAYMENT_ADDRESS],
            }),
        )
        .says(
            "GET /v1/chain/blocks/812",
            json!({
                "height": 812, "hash": "11".repeat(32), "previous_hash": "22".repeat(32),
                "time": "2026-11-22T09:00:00Z", "size_bytes": 1_028, "txids": ["33".repeat(32), "44".repeat(32)],
                "coinbase_outputs": [{ "amount": flux(1_134_020_000), "address": PAYMENT_ADDRESS, "script": "a914" }],
            }),
        )
        .says(
            &format!("GET /v1/chain/transactions/{txid}"),
            json!({ "txid": txid, "raw": raw, "height": 812, "block_hash": "11".repeat(32), "confirmations": 3 }),
        )
        .says("GET /v1/chain/fluxnodes", nodes)
        .says(&format!("GET /v1/chain/fluxnodes/{}/0", "ab".repeat(32)), node)
        .says(
            &format!("GET /v1/chain/payments/{HASH}"),
            page(&[json!({
                "txid": "55".repeat(32), "message_hash": HASH,
                "outputs": [{ "vout": 0, "address": PAYMENT_ADDRESS, "amount": flux(250_000_000) }],
                "total": flux(250_000_000), "height": null, "block_hash": null, "confirmations": 0,
            })]),
        );
    let cli = Cli::new(Some(&plane.url));
    (plane, cli)
}

#[tokio::test]
async fn what_people_see() {
    let (_plane, cli) = plane().await;
    let collateral = format!("{}:0", "ab".repeat(32));
    let tour: &[&[&str]] = &[
        &["chain", "status"],
        &["chain", "block", "812"],
        &["chain", "tx", &transaction().0],
        &["chain", "nodes"],
        &["chain", "nodes", "--collateral", &collateral],
        &["chain", "payments", HASH],
    ];
    insta::assert_snapshot!(cli.tour(tour).await);
}

#[tokio::test]
async fn what_programs_see() {
    let (plane, cli) = plane().await;
    let status = cli.run(&["chain", "status", "-o", "json"]).await.json();
    assert_eq!(
        (&status["height"], &status["halted_reason"]),
        (&json!(812), &Value::Null)
    );
    let nodes = cli
        .run(&["chain", "nodes", "--tier", "stratus", "-o", "json"])
        .await
        .json();
    assert_eq!(nodes["items"][0]["rank"], 3);
    assert!(
        plane.seen_of("GET /v1/chain/fluxnodes")[0]
            .path
            .contains("tier=stratus")
    );
    let payments = cli
        .run(&["chain", "payments", HASH, "-o", "json"])
        .await
        .json();
    assert_eq!(
        (
            &payments["items"][0]["height"],
            &payments["items"][0]["total"]["units"]
        ),
        (&Value::Null, &json!(250_000_000))
    );
}

#[tokio::test]
async fn decoding_needs_nobody() {
    let cli = Cli::new(None);
    let (txid, hex) = transaction();
    let run = cli.run(&["chain", "decode", "--tx", &hex]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["txid"], txid);
    let cut = hex.get(..hex.len() - 3).unwrap();
    let refused = cli
        .run(&["chain", "decode", "--tx", cut, "-o", "json"])
        .await;
    assert_eq!(
        (refused.code, &refused.error()["violations"][0]["field"]),
        (2, &json!("--tx"))
    );
    assert_eq!(cli.run(&["chain", "decode"]).await.code, 2);
    assert_eq!(
        cli.run(&["chain", "decode", "--tx", "00", "--block", "00"])
            .await
            .code,
        2
    );
}

#[tokio::test]
async fn the_emission_table_is_the_recorded_one_to_the_sat() {
    let recorded = fixture("fluxd-emission.json");
    let rows = recorded["calendar_years"].as_array().unwrap();
    let mut compared = 0;
    for spacing in ["30", "30.0763"] {
        let cli = Cli::new(None);
        let run = cli
            .run(&[
                "chain",
                "emission",
                "--from",
                "2025",
                "--to",
                "2040",
                "--spacing",
                spacing,
                "--below",
                "1.0",
                "-o",
                "json",
            ])
            .await;
        let answer = run.json();
        assert_eq!(answer["below"]["first_year"], 2036);
        for year in answer["years"].as_array().unwrap() {
            let same = |row: &&Value| {
                row["year"] == year["year"] && row["spacing_s"].as_f64() == spacing.parse().ok()
            };
            let Some(row) = rows.iter().find(same) else {
                continue;
            };
            compared += 1;
            for (field, recorded) in [
                ("emission", "emission_flux"),
                ("supply_at_start", "supply_start_max_issuance_flux"),
            ] {
                // The record has doubles; the nearest double of our decimal text must be the same.
                let own: f64 = year[field].as_str().unwrap().parse().unwrap();
                assert_eq!(
                    Some(own),
                    row[recorded].as_f64(),
                    "{} {field}",
                    year["year"]
                );
            }
            assert_eq!(
                (&year["first_height"], &year["last_height"]),
                (&row["start_height"], &row["end_height"])
            );
        }
    }
    assert_eq!(compared, rows.len());
}

#[tokio::test]
async fn people_see_the_first_year_below_a_bound() {
    let cli = Cli::new(None);
    let run = cli
        .run(&[
            "chain", "emission", "--from", "2034", "--to", "2037", "--below", "1.0",
        ])
        .await;
    insta::assert_snapshot!(run.screen());
    assert_eq!(
        cli.run(&["chain", "emission", "--from", "2040", "--to", "2025"])
            .await
            .code,
        2
    );
}
