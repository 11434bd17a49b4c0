//! Balance, invoices, epochs, earnings.

use fluxplane_ledger::settlement::Hash32;
use serde_json::json;

use crate::support::{
    Cli, Plane,
    sample::{OWNER, flux, page, uuid},
    settlement::Settled,
};

async fn plane() -> (Plane, Cli) {
    let plane = Plane::start().await;
    let settled = Settled::new(1, 2, Hash32::ZERO);
    let anchor = ("cd".repeat(32), 812);
    let mut brief = settled.invoice(2);
    brief.as_object_mut().unwrap().remove("lines");
    let epoch = settled.epoch(Some((&anchor.0, anchor.1)));
    let mut open = epoch.clone();
    for (field, value) in [
        ("number", json!(2)),
        ("state", json!("open")),
        ("to", json!(null)),
        ("root", json!(null)),
        ("anchor", json!(null)),
    ] {
        open[field] = value;
    }
    plane
        .says("GET /v1/account", json!({ "principal": OWNER, "available": flux(150_000_000), "held": flux(20_000_000), "spent": flux(5) }))
        .says("GET /v1/invoices", page(&[brief]))
        .says(&format!("GET /v1/invoices/{}", uuid(300)), settled.invoice(2))
        .says("GET /v1/epochs", page(&[open.clone(), epoch.clone()]))
        .says("GET /v1/epochs/1", epoch)
        .says("GET /v1/epochs/2", open)
        .says(
            "GET /v1/epochs/1/anchor",
            json!({
                "epoch": 1, "state": "final", "root": settled.anchor.root.to_string(), "leaf_count": 5,
                "txid": anchor.0, "height": 812, "confirmations": 41, "reason": "",
                "updated_at": "2026-11-22T09:41:00Z",
            }),
        )
        .says(
            "GET /v1/earnings",
            page(&[json!({
                "epoch": 1, "node_id": uuid(201), "availability": flux(100), "hosting": flux(50),
                "online_seconds": 3_600, "hosted_seconds": 3_599, "leaf_index": 3,
            })]),
        );
    let cli = Cli::new(Some(&plane.url));
    cli.signed_in().await;
    (plane, cli)
}

#[tokio::test]
async fn what_people_see() {
    let (_plane, cli) = plane().await;
    let tour: &[&[&str]] = &[
        &["account"],
        &["invoice", "list"],
        &["invoice", "show", &uuid(300)],
        &["epoch", "list"],
        &["epoch", "show", "1"],
        &["epoch", "show", "2"],
        &["earnings"],
    ];
    insta::assert_snapshot!(cli.tour(tour).await);
}

#[tokio::test]
async fn what_programs_see() {
    let (_plane, cli) = plane().await;
    let account = cli.run(&["account", "-o", "json"]).await.json();
    assert_eq!(account["available"]["units"], 150_000_000);
    let invoice = cli
        .run(&["invoice", "show", &uuid(300), "-o", "json"])
        .await
        .json();
    assert_eq!(invoice["lines"][1]["amount"]["amount"], "0.01000002");
    let epoch = cli.run(&["epoch", "show", "1", "-o", "json"]).await.json();
    assert_eq!(
        (&epoch["state"], &epoch["validator"]["state"]),
        (&json!("sealed"), &json!("final"))
    );
    let earnings = cli.run(&["earnings", "-o", "json"]).await.json();
    assert_eq!(earnings["items"][0]["hosting"]["units"], 50);
}
