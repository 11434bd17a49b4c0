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
                "sources": [
                    { "name": "own", "height": 814, "hash": "22".repeat(32), "problem": null, "agrees": true,
                      "seen_at": "2026-11-22T09:00:05Z" },
                    { "name": "other", "height": null, "hash": null, "problem": "connection refused",
                      "agrees": false, "seen_at": null },
                ],
                "quorum": 1, "sources_problem": null, "base_height": null,
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

/// When everything happens.
const AT: &str = "2026-11-22T09:00:00Z";

fn collateral() -> Value {
    json!({ "txid": "ab".repeat(32), "vout": 0 })
}

/// Adds what the ledger, the lists and other chains say.
fn more(plane: &Plane) {
    money(plane);
    lists(plane);
    payments(plane);
    other_chains(plane);
}

fn money(plane: &Plane) {
    let summary = json!({
        "address": PAYMENT_ADDRESS, "script": "76a9", "balance": flux(250_000_000),
        "received": flux(400_000_000), "sent": flux(150_000_000), "transaction_count": 7,
        "first_height": 12, "last_height": 811,
    });
    let address = format!("GET /v1/chain/addresses/{PAYMENT_ADDRESS}");
    plane
        .says(&address, json!({ "summary": summary, "height": 812 }))
        .says(
            &format!("{address}/transactions"),
            page(&[json!({
                "txid": "77".repeat(32), "height": 811, "position": 1, "block_time": AT,
                "received": flux(60_000_000), "sent": flux(0),
            })]),
        )
        .says(
            &format!("{address}/unspent"),
            page(&[json!({
                "outpoint": collateral(), "amount": flux(60_000_000), "height": 811, "coinbase": true,
            })]),
        )
        .says(
            &format!("GET /v1/chain/outputs/{}/0", "ab".repeat(32)),
            json!({
                "outpoint": collateral(), "amount": flux(60_000_000), "address": null, "script": "51",
                "height": 811, "spent_by": { "txid": "77".repeat(32), "vin": 2, "height": 812 },
                "tip_height": 812,
            }),
        )
        .says(
            "GET /v1/chain/rich-list",
            page(&[json!({ "rank": 1, "summary": summary })]),
        )
        .says(
            "GET /v1/chain/supply",
            json!({
                "height": 812, "block_hash": "11".repeat(32), "block_time": AT, "transparent": flux(1_000),
                "shielded": flux(10), "total": flux(1_010), "coinbase": flux(14), "fees": flux(1),
                "scheduled": flux(1_020), "unclaimed": flux(10),
            }),
        );
}

fn lists(plane: &Plane) {
    let block = json!({ "height": 812, "hash": "11".repeat(32), "time": AT });
    let hardware = |nodes: u64| {
        json!({
            "nodes": nodes, "cores": nodes * 4, "threads": nodes * 8, "ram_gb": nodes * 32,
            "ssd_gb": nodes * 440,
        })
    };
    plane
        .says(
            "GET /v1/chain/next-payees",
            json!({
                "items": [{
                    "height": 813, "tier": "stratus", "collateral": collateral(),
                    "payment_address": PAYMENT_ADDRESS, "amount": flux(900_000_000),
                    "expected_at": "2026-11-22T09:00:30Z",
                }],
                "block": block,
            }),
        )
        .says(
            "GET /v1/chain/tiers",
            json!({
                "items": [{
                    "tier": "nimbus", "started": 1, "confirmed": 4, "dos": 0,
                    "locked": flux(5_000_000_000_000), "reward": flux(350_000_000),
                    "payment_interval_blocks": 4,
                    "recent": { "started": 5, "confirmed": 4, "expired": 3, "spent": 2, "dos": 1 },
                }],
                "window_blocks": 2_880, "block": block,
            }),
        )
        .says(
            "GET /v1/chain/capacity",
            json!({
                "tiers": [{ "tier": "nimbus", "minimum": hardware(1), "total": hardware(4) }],
                "total": hardware(4), "block": block,
            }),
        );
}

fn payments(plane: &Plane) {
    let payment = json!({
        "txid": "55".repeat(32), "message_hash": "",
        "outputs": [{ "vout": 0, "address": PAYMENT_ADDRESS, "amount": flux(250_000_000) }],
        "total": flux(250_000_000), "height": null, "block_hash": null, "confirmations": 0,
    });
    let record = json!({
        "payment": payment, "state": "dropped", "problem": "length",
        "problem_detail": "the text has 3 characters instead of 64", "first_seen_at": AT,
        "departure": "double_spent", "conflicting_txid": "66".repeat(32),
    });
    let one = format!("GET /v1/chain/transactions/{}/payment", "55".repeat(32));
    plane
        .says(
            "GET /v1/chain/unmatched-payments",
            page(std::slice::from_ref(&record)),
        )
        .says(&one, record);
}

fn other_chains(plane: &Plane) {
    plane
        .says(
            "GET /v1/chain/evm/assets",
            page(&[json!({
                "name": "ethereum", "chain_id": 1, "contract": "0x720CD16b011b987Da3518fbf38c3071d4F0D1495",
                "decimals": 8, "start_block": 5, "confirmations": 64, "height": 20_000_000, "hash": "0x33",
                "block_time": AT, "final_height": 19_999_937, "node_height": 20_000_001, "lag_blocks": 1,
                "minted": "44000000000000000", "burned": "1", "observed_supply": "43999999999999999",
                "transfer_count": 3, "halted_reason": null, "problem": null, "node_seen_at": AT,
                "followed": true,
            })]),
        )
        .says(
            "GET /v1/chain/evm/transfers",
            page(&[json!({
                "asset": "ethereum", "chain_id": 1, "contract": "0x72", "height": 19_999_990,
                "block_hash": "0x44", "block_time": AT, "tx_hash": "0x55", "log_index": 17, "from": "0x00",
                "to": "0xAB", "amount": "2500000000", "decimals": 8, "confirmations": 11, "final": false,
            })]),
        );
}

#[tokio::test]
async fn people_see_money_lists_and_other_chains() {
    let (plane, cli) = plane().await;
    more(&plane);
    let outpoint = format!("{}:0", "ab".repeat(32));
    let txid = "55".repeat(32);
    let tour: &[&[&str]] = &[
        &["chain", "address", PAYMENT_ADDRESS],
        &["chain", "address", PAYMENT_ADDRESS, "--transactions"],
        &["chain", "address", PAYMENT_ADDRESS, "--unspent"],
        &["chain", "output", &outpoint],
        &["chain", "rich"],
        &["chain", "supply"],
        &["chain", "next-payees"],
        &["chain", "tiers"],
        &["chain", "capacity"],
        &["chain", "payments", "--unmatched"],
        &["chain", "payments", "--tx", &txid],
        &["chain", "assets"],
        &["chain", "transfers"],
    ];
    insta::assert_snapshot!(cli.tour(tour).await);
}

#[tokio::test]
async fn what_is_asked_for_reaches_the_plane() {
    let (plane, cli) = plane().await;
    more(&plane);
    for (arguments, call, parts) in [
        (
            vec![
                "nodes", "--height", "700", "--status", "dos", "--tier", "nimbus",
            ],
            "fluxnodes",
            vec!["height=700", "status=dos", "tier=nimbus"],
        ),
        (
            vec!["nodes", "--ip", "203.0.113.9:16127"],
            "fluxnodes",
            vec!["ip=203.0.113.9%3A16127"],
        ),
        (
            vec!["nodes", "--key", "02ab"],
            "fluxnodes",
            vec!["node_pubkey=02ab"],
        ),
        (
            vec!["nodes", "--payment-address", PAYMENT_ADDRESS],
            "fluxnodes",
            vec!["payment_address=tmAQ"],
        ),
        (
            vec![
                "next-payees",
                "--blocks",
                "3",
                "--tier",
                "stratus",
                "--height",
                "800",
            ],
            "next-payees",
            vec!["blocks=3", "tier=stratus", "height=800"],
        ),
        (
            vec!["supply", "--height", "800"],
            "supply",
            vec!["height=800"],
        ),
        (
            vec![
                "transfers",
                "--asset",
                "ethereum",
                "--address",
                "0xAB",
                "--limit",
                "5",
            ],
            "evm/transfers",
            vec!["asset=ethereum", "address=0xAB", "page_size=5"],
        ),
    ] {
        let arguments: Vec<&str> = [&["chain"], &arguments[..], &["-o", "json"]].concat();
        let run = cli.run(&arguments).await;
        assert_eq!(run.code, 0, "{run:?}");
        let seen = plane
            .seen_of(&format!("GET /v1/chain/{call}"))
            .pop()
            .unwrap();
        for part in parts {
            assert!(seen.path.contains(part), "{part}: {}", seen.path);
        }
    }
    for wrong in [
        vec!["nodes", "--ip", "a", "--key", "b"],
        vec!["nodes", "--ip", "a", "--height", "1"],
        vec!["payments"],
        vec!["payments", "--unmatched", "--tx", "55"],
        vec!["next-payees", "--blocks", "721"],
        vec!["address", PAYMENT_ADDRESS, "--unspent", "--transactions"],
    ] {
        let arguments: Vec<&str> = [&["chain"], &wrong[..]].concat();
        assert_eq!(cli.run(&arguments).await.code, 2, "{wrong:?}");
    }
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
